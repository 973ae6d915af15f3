"""A content that is held, signed once more: later than everything that was said of its name (M80)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mau.content.binding import PUBLIC, Audience, Public, states_by_notation
from mau.deletion.document import is_delete
from mau.errors import NoSuchPost, NotReadable, PostError
from mau.fingerprint import Fingerprint
from mau.openpgp import Kind, read_head
from mau.publish import Published, publish_again, publish_document, publish_file, writable
from mau.reader.open import OpenedPost, open_post, open_source
from mau.tree.scratch import scratch_file

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring
    from mau.tree.posts import AuthorDir

_IN_MEMORY = 1 << 20  # bytes of a stored file; larger ones are opened into a file


@dataclass(frozen=True, slots=True)
class Content:
    """An own content that was given out: for whom, and when it was signed (0: that cannot be told)."""

    audience: Audience
    signed_at: int
    is_delete: bool


@dataclass(frozen=True, slots=True)
class Resigned:
    """``published``: what was stored; ``left_out``: who could read the content before and cannot now."""

    published: Published
    left_out: frozenset[Fingerprint]


def resign(
    account: Account, keyring: Keyring, name: str, version: str | None = None, *, after: int = 0
) -> Resigned:
    """Sign the own post `name`, or one version of it, anew, under the same name and for the same people.

    Who cannot be written to any more is left out. Signed later than `after`. NoSuchPost; PostError when the
    content does not hold.
    """
    with opened_own(account, keyring, name, version) as (post, path):
        before = audience_of_own(account, keyring, post, version)
        audience = writable(keyring, before)
        published = _publish(account, keyring, post, path, audience, after)
    gone = frozenset() if isinstance(before, Public) or isinstance(audience, Public) else before - audience
    return Resigned(published, gone)


def _publish(
    account: Account, keyring: Keyring, post: OpenedPost, path: Path | None, audience: Audience, after: int
) -> Published:
    name, data = post.name, post.opened.data
    by_document = post.statement.bound and not states_by_notation(post.opened.notations)
    if by_document and data is not None and post.statement.audience == audience:
        return publish_again(account, keyring, data, name, audience, after=after)
    if by_document and post.document is not None:
        return publish_document(account, keyring, post.document, name, audience, after=after)
    with scratch_file(account.root, "reader") as scratch:
        if data is not None:
            scratch.write_bytes(data)
        with (scratch if path is None else path).open("rb") as source:
            filename, attached = post.filename, post.attached
            return publish_file(
                account, keyring, source, name, audience, filename, attached=attached, after=after
            )


@contextlib.contextmanager
def opened_own(
    account: Account, keyring: Keyring, name: str, version: str | None
) -> Iterator[tuple[OpenedPost, Path | None]]:
    """An own post, with the file that has its content when that is large. PostError, NoSuchPost."""
    if _size(account.posts(), name, version) <= _IN_MEMORY:
        yield open_post(account, keyring, account.fingerprint, name, version), None
        return
    with scratch_file(account.root, "reader") as path:
        yield open_post(account, keyring, account.fingerprint, name, version, sink=path), path


def content_of(
    account: Account, keyring: Keyring, name: str, version: str | None, data: bytes | None = None
) -> Content | None:
    """What an own content was; `data`: its bytes, when it lies nowhere any more.

    None when it was given out to nobody: it does not hold. NoSuchPost.
    """
    try:
        if data is None:
            with opened_own(account, keyring, name, version) as (post, _):
                audience = audience_of_own(account, keyring, post, version)
        else:
            post = open_source(account, keyring, account.fingerprint, name, data)
            audience = post.audience or frozenset({account.fingerprint})
    except NotReadable:  # encrypted for others and not for me, who serves it to them all the same
        readers = None if data is not None else readers_of_own(account, keyring, name, version)
        return None if readers is None else Content(readers, 0, False)
    except PostError:
        return None
    return Content(audience, post.signed_at, is_delete(post.document))


def audience_of_own(account: Account, keyring: Keyring, post: OpenedPost, version: str | None) -> Audience:
    """For whom an own post was: what it states; where it states nothing, who can read it."""
    if post.audience is not None:
        return post.audience
    return readers_of_own(account, keyring, post.name, version) or frozenset({account.fingerprint})


def readers_of_own(account: Account, keyring: Keyring, name: str, version: str | None) -> Audience | None:
    """Who can read an own file, by its head; None when it is no message."""
    posts = account.posts()
    with posts.open(name) if version is None else posts.open_version(name, version) as file:
        head = read_head(file)
    if head.kind is Kind.SIGNED:
        return PUBLIC
    if head.kind is not Kind.ENCRYPTED:
        return None
    owners = {keyring.owner_of(keyid) for keyid in head.recipients}
    return frozenset(owner for owner in owners if owner is not None) | {account.fingerprint}


def _size(posts: AuthorDir, name: str, version: str | None) -> int:
    if version is None:
        entry = posts.entry(name)
        if entry is None:
            raise NoSuchPost(f"there is no {name!r}")
        return entry.size
    return max((one.size for one in posts.versions(name) if one.sha256 == version), default=0)
