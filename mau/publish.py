"""Publishing: name and audience go into what is signed, encrypted and stored (spec/messages.md M50-M59).

The audience is always given, never guessed; only people who were confirmed are ever written to.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO

from mau.acceptance import MAX_AHEAD
from mau.content.binding import (
    PUBLIC,
    Audience,
    Public,
    Statement,
    audience_of,
    bind_document,
    notations_for,
    read_statement,
)
from mau.content.jsonld import MAX_DEPTH, MAX_DOCUMENT
from mau.content.posting import slug
from mau.errors import InvalidName, KeyRefused, NoSuchPost, PostError, TreeChanged, UsageError
from mau.fingerprint import Fingerprint
from mau.tree.commit import ANY, Anything
from mau.tree.names import (
    PRIVATE_NAMES,
    check_post_name,
    fold,
    post_name,
    random_name,
)

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring
    from mau.openpgp import Certificate
    from mau.tree.posts import AuthorDir

_ATTEMPTS = 20
_OPENED_FOR_TIME = 16 << 20  # bytes of a held file that is opened only to learn when it was signed
_MAX_FILENAME = 255  # bytes
_MAX_SUFFIX = 8  # characters; what is longer is no ending that tells a kind


@dataclass(frozen=True, slots=True)
class Published:
    """What was stored: the whole name, the sha256 now and the one it replaced (a version now), for whom."""

    name: str
    sha256: str
    replaced: str | None
    audience: Audience


def publish_document(
    account: Account,
    keyring: Keyring,
    document: Mapping[str, Any],
    name: str,
    audience: Audience,
    *,
    after: int = 0,
    expect: str | Anything | None = ANY,
) -> Published:
    """Publish a JSON-LD document as `name` (``NAME.json.pgp``); it states its name and audience itself.

    It is signed later than `after` (unix seconds), than what it replaces, and than what deleted the name.
    TreeChanged when the name holds anything else than `expect`: that sha256, or None for nothing.
    UsageError when it is one that nobody could read that out of: too large, too deep, another context.
    """
    _own_name(check_post_name(name))
    data = _encode(bind_document(document, account.fingerprint, name, audience))
    if not read_statement(account.fingerprint, {}, data).bound:
        raise UsageError(
            f"a document has at most {MAX_DOCUMENT >> 20} MiB, {MAX_DEPTH} levels deep; share it as a file"
        )
    return _publish(account, keyring, data, name, audience, {}, after, expect)


def publish_file(
    account: Account,
    keyring: Keyring,
    source: BinaryIO,
    name: str,
    audience: Audience,
    filename: str | None = None,
    *,
    attached: str | None = None,
    after: int = 0,
    expect: str | Anything | None = ANY,
) -> Published:
    """Publish the bytes of `source` as they are; the signature's notations state name and audience.

    `filename` is what the file was called outside: it travels inside the signature, encrypted with it, and so
    does `attached`: as what it belongs to another post (spec/attachments.md AT3). `after` and `expect` as for
    the other.
    """
    _own_name(check_post_name(name))
    notations = notations_for(account.fingerprint, name, audience, filename, attached)
    return _publish(account, keyring, source, name, audience, notations, after, expect)


def publish_again(
    account: Account, keyring: Keyring, data: bytes, name: str, audience: Audience, *, after: int = 0
) -> Published:
    """Publish a document as it was written before, byte for byte; it must state this name and audience."""
    _own_name(check_post_name(name))
    if read_statement(account.fingerprint, {}, data) != Statement(name, audience):
        raise UsageError(f"that document does not state that it is {name!r}, for these people")
    return _publish(account, keyring, data, name, audience, {}, after)


def writable(keyring: Keyring, audience: Audience) -> Audience:
    """Those of an audience who can be written to now (M52), with the owner."""
    if isinstance(audience, Public):
        return audience
    me = keyring.me.fingerprint
    found = {me}
    for fingerprint in audience - {me}:
        with contextlib.suppress(KeyRefused):
            _recipient(keyring, fingerprint)
            found.add(fingerprint)
    return frozenset(found)


def choose_name(
    account: Account,
    audience: Audience,
    *,
    given: str | None = None,
    words: str = "",
    suffix: str = "",
    now: datetime | None = None,
) -> str:
    """The name for a new post: what was `given`, for the public the first `words`, else nothing that tells.

    `suffix` is what a program reads the kind by (``.json``). InvalidName when a given name cannot be, or
    differs from a held one by case or normal form only. Only a given name is ever one that is held already.
    """
    posts = account.posts()
    if given is not None:
        name = post_name(given)
        other = posts.clash(name)
        if other is not None:
            raise InvalidName(
                f"{name!r} differs from {other!r} by case or normal form only; give another name"
            )
        return _own_name(name)
    stem = slug(words) if audience is PUBLIC else ""
    if not stem:
        return post_name(random_name(now or datetime.now(UTC), suffix))
    taken = {*map(fold, PRIVATE_NAMES), *map(fold, posts.names())}
    number, name = 1, post_name(f"{stem}{suffix}")
    while fold(name) in taken:
        number += 1
        name = post_name(f"{stem}-{number}{suffix}")
    return name


def file_words(filename: str) -> tuple[str, str]:
    """The words and the suffix that a public file's name takes over: ``Holiday 1.JPG`` -> holiday-1, .jpg."""
    path = PurePath(filename)
    suffix = slug(path.suffix)
    if len(suffix) > _MAX_SUFFIX:
        return filename, ""
    return path.stem, f".{suffix}" if suffix else ""


def check_filename(filename: str) -> str | None:
    """A file's name as it can travel in a signature; None when it cannot (it is only a help to people)."""
    try:
        encoded = filename.encode()
    except UnicodeEncodeError:
        return None
    return filename if 0 < len(encoded) <= _MAX_FILENAME else None


# --- how -------------------------------------------------------------------------------------------------


def _publish(
    account: Account,
    keyring: Keyring,
    source: bytes | BinaryIO,
    name: str,
    audience: Audience,
    notations: Mapping[str, str],
    after: int,
    expect: str | Anything | None = ANY,
) -> Published:
    from mau.openpgp import write_message

    recipients = _recipients(account, keyring, audience)
    posts = account.posts()
    after = max(after, _deleted_at(account, keyring, posts, name))
    again = isinstance(source, bytes) or source.seekable()
    start = 0 if isinstance(source, bytes) or not again else source.tell()
    for attempt in range(_ATTEMPTS):
        held, created = _replacing(account, posts, name)
        if not isinstance(expect, Anything) and held != expect:
            raise TreeChanged(f"{name!r} is not what it was: another program or device changed it meanwhile")
        if after and (created or 0) <= after:
            created = max(int(time.time()), after + 1)
        with posts.stage() as staged:
            write_message(
                staged.file,
                source,
                key=account.key,
                recipients=recipients,
                notations=notations,
                created=created,
            )
            try:
                done = posts.commit(staged, name, expect=held)
            except TreeChanged:
                # Another program was quicker: what it wrote becomes a version, and we sign after it.
                if not again or attempt == _ATTEMPTS - 1:
                    raise
            else:
                return Published(done.name, done.sha256, done.replaced, audience)
        if not isinstance(source, bytes):
            source.seek(start)
    raise AssertionError("the loop ends by return or raise")


def _encode(document: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"not a document that JSON can hold: {error}") from None
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8, but an escape
        return json.dumps(document, separators=(",", ":")).encode()


def _own_name(name: str) -> str:
    if fold(name) in map(fold, PRIVATE_NAMES):
        raise InvalidName(f"{name!r} is the name of a file that Mau keeps for you alone; no post can have it")
    return name


def _recipients(account: Account, keyring: Keyring, audience: Audience) -> list[Certificate] | None:
    """The keys to encrypt to; None for the public. KeyRefused says who cannot be written to, and why."""
    if isinstance(audience, Public):
        return None
    found = []
    for fingerprint in sorted(audience_of(account.fingerprint, audience)):
        if fingerprint != account.fingerprint:
            found.append(_recipient(keyring, fingerprint))
    return found


def _recipient(keyring: Keyring, fingerprint: Fingerprint) -> Certificate:
    person = keyring.person(fingerprint)
    if person is None:
        raise KeyRefused(f"nothing can be encrypted for {fingerprint}: no key of that person is held here")
    if not person.confirmed:
        raise KeyRefused(f"the key file of {fingerprint} was not confirmed by you; see `mau friend confirm`")
    try:
        _check_usable(person.certificate, int(time.time()) // 60)
    except KeyRefused as error:
        raise type(error)(f"nothing can be encrypted for {person.label}: {error}") from None
    return person.certificate


@lru_cache(maxsize=1024)
def _check_usable(certificate: Certificate, _minute: int) -> None:
    # As dear as encrypting, so once a minute for each key is enough; a refusal is never remembered.
    certificate.check_usable()


def _deleted_at(account: Account, keyring: Keyring, posts: AuthorDir, name: str) -> int:
    """When this name was deleted last, in unix seconds; 0 when it was not, as far as is known.

    A DeleteAction holds for all that is not signed later, and a clock may have been set back since.
    """
    from mau.deletion.held import HeldDeletes

    with HeldDeletes(account, keyring) as held:
        # What was deleted left versions, as a rule: a new name is no reason to open every post.
        noted = held.noted(account.fingerprint, name, look=bool(posts.versions(name)))
    return noted.until(name)


def _replacing(account: Account, posts: AuthorDir, name: str) -> tuple[str | None, int | None]:
    """The sha256 that is held under the name, and when to sign what replaces it (None: now)."""
    entry = posts.entry(name)
    if entry is None:
        return None, None
    now = int(time.time())
    try:
        held = posts.sha256(name)
    except NoSuchPost:  # it went while we looked
        return None, None
    if entry.size > _OPENED_FOR_TIME:
        # Its signature was made before it was stored; opening it would cost as much as writing the new one.
        stored = entry.mtime_ns // 1_000_000_000
        # A time further ahead is somebody's mistake, not a signing time.
        return held, max(now, stored + 1) if stored <= now + MAX_AHEAD else now
    return held, max(now, _signed_at(account, posts, name) + 1)


def _signed_at(account: Account, posts: AuthorDir, name: str) -> int:
    """When the held content was signed, 0 when it does not hold: nothing need come after that."""
    from mau.openpgp import open_message

    try:
        with posts.open(name) as file:
            return open_message(file, key=account.key, author=account.certificate).signed_at
    except (PostError, NoSuchPost):
        return 0
