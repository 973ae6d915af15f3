"""A post of mine that another program saved without a signature (spec/messages.md M57).

Editors that know OpenPGP encrypt what they save; signing is not their habit, and what nobody signed is shown
to nobody. Any program that may write here could have put it there, so it is signed only when its owner, who
sees what changed, says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from mau.contact.document import is_contact
from mau.content.binding import PUBLIC, Audience, Public, read_statement
from mau.deletion.document import is_delete
from mau.errors import MauError, NotSigned, Renamed, UsageError
from mau.fingerprint import Fingerprint
from mau.publish import Published, publish_document, publish_file
from mau.reader.open import OpenedPost, open_post
from mau.tree.names import PRIVATE_NAMES, fold

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring

MAX_SIZE = 8 << 20
"""Bytes of content: what people write in editors is smaller, and it is all held in memory."""
_BY_COMMANDS = "{} is written by commands of its own, and not signed for another program"


@dataclass(frozen=True, slots=True)
class Unsigned:
    """What was saved. ``before`` is the content that I signed last under this name, None when there is none.

    ``wider``: people it says it is for, and ``before`` was not; PUBLIC when it says everybody.
    """

    name: str
    data: bytes
    document: dict[str, Any] | None
    audience: Audience
    before: OpenedPost | None
    wider: Audience


def look(account: Account, keyring: Keyring, name: str) -> Unsigned:
    """What an own post that nobody signed says, and for whom.

    NoSuchPost; UsageError when it is signed, too large, or nothing tells for whom it is; the PostError that
    is wrong with it besides; Renamed when it says that it is another post.
    """
    if fold(name) in map(fold, PRIVATE_NAMES):
        raise UsageError(_BY_COMMANDS.format(name))
    account.posts().recover()  # what was there before the edit is a version from now on
    post = open_post(account, keyring, account.fingerprint, name, anyway=True)
    if post.problem is None:
        raise UsageError(f"{name!r} is signed")
    if not isinstance(post.problem, NotSigned):
        raise post.problem
    data = post.opened.data
    if data is None or len(data) > MAX_SIZE:
        raise UsageError(f"{name!r} is too large for what an editor saved; share the file anew")
    if is_delete(post.document) or is_contact(name, post.document):
        raise UsageError(_BY_COMMANDS.format(name))  # an editor never had it
    before = _signed_last(account, keyring, name)
    statement = read_statement(account.fingerprint, {}, data)
    if statement.name not in {None, name}:
        raise Renamed(f"it says that it is {statement.name!r}; rename it back, or post it anew")
    audience = statement.audience or (None if before is None else before.audience)
    if audience is None:
        raise UsageError(f"{name!r} does not say for whom it is, and no older content of it does")
    document = post.document if statement.bound else None
    return Unsigned(name, data, document, audience, before, _wider(account.fingerprint, audience, before))


def adopt(account: Account, keyring: Keyring, unsigned: Unsigned) -> Published:
    """Sign and encrypt it for the people that it is for; what was saved becomes a version, as always."""
    if unsigned.document is not None:
        return publish_document(account, keyring, unsigned.document, unsigned.name, unsigned.audience)
    before, source = unsigned.before, BytesIO(unsigned.data)
    filename = None if before is None else before.filename
    attached = None if before is None else before.attached
    return publish_file(
        account, keyring, source, unsigned.name, unsigned.audience, filename, attached=attached
    )


def _signed_last(account: Account, keyring: Keyring, name: str) -> OpenedPost | None:
    found: OpenedPost | None = None
    for version in account.posts().versions(name):
        try:
            post = open_post(account, keyring, account.fingerprint, name, version.sha256)
        except MauError:
            continue
        if found is None or post.signed_at >= found.signed_at:
            found = post
    return found


def _wider(me: Fingerprint, audience: Audience, before: OpenedPost | None) -> Audience:
    known = frozenset({me}) if before is None or before.audience is None else before.audience
    if isinstance(known, Public):
        return frozenset()
    return PUBLIC if isinstance(audience, Public) else audience - known
