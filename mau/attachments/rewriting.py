"""Another audience for a post: its files first, then the post with new sums (attachments.md AT30-AT34)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mau.attachments.media import URL, Part, exchange, part_of
from mau.attachments.owned import referred_to
from mau.attachments.storing import free_name
from mau.content.address import post_iri, resolve_iri
from mau.content.binding import Audience
from mau.deletion.resigning import audience_of_own, opened_own
from mau.errors import AddressMalformed, NoSuchPost
from mau.publish import Published, publish_file

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring
    from mau.reader.open import OpenedPost


def rewrite_for(
    account: Account, keyring: Keyring, document: Mapping[str, Any], audience: Audience
) -> dict[str, Any]:
    """Store the own files that `document` refers to anew for `audience`; the document with their new sums.

    Files that are for this audience already are left alone, and so are those of others and those that are not
    held. A file that another own post refers to as well, or that was shared by itself, stays as it is, and
    the document gets a copy. What was stored before becomes a version. Call it before the document is
    published; which of the own posts the document is, its ``@id`` says.
    """
    work = _Rewriting(account, keyring, audience, _own_name(account, document))

    def change(value: dict[str, Any]) -> dict[str, Any]:
        part = part_of(account.fingerprint, value)
        if part is None or part.author != account.fingerprint:
            return value
        made = work.rewritten(part)
        if made is None:
            return value
        return {**value, URL: post_iri(account.fingerprint, made[0]), "sha256": made[1]}

    rewritten: dict[str, Any] = exchange(dict(document), change)
    return rewritten


@dataclass
class _Rewriting:
    """The files of one document; each is stored once, however often it stands there."""

    account: Account
    keyring: Keyring
    audience: Audience
    post: str
    """The document's own name; "" for one that was not published yet."""
    done: dict[tuple[str, str], tuple[str, str] | None] = field(default_factory=dict)
    others: set[str] | None = None
    """What other own posts refer to, once somebody asked."""

    def rewritten(self, part: Part) -> tuple[str, str] | None:
        """The name and sha256 of a file that is for the new audience; None when nothing has to change."""
        key = part.name, part.sha256
        if key not in self.done:
            self.done[key] = self._rewrite(part)
        return self.done[key]

    def _rewrite(self, part: Part) -> tuple[str, str] | None:
        posts = self.account.posts()
        try:
            current = posts.sha256(part.name)
        except NoSuchPost:
            current = ""
        version = None if part.sha256 in {"", current} else part.sha256
        try:
            with opened_own(self.account, self.keyring, part.name, version) as (post, path):
                if version is None and self._fits(post):
                    return None
                done = self._store(post, path)
        except NoSuchPost:
            return None
        return done.name, done.sha256

    def _fits(self, post: OpenedPost) -> bool:
        return audience_of_own(self.account, self.keyring, post, None) == self.audience

    def _store(self, post: OpenedPost, path: Path | None) -> Published:
        name = post.name
        if post.attached is None or name in self._others():
            name = free_name(self.account, post.filename or "", self.audience)
        with _content(post, path) as source:
            return publish_file(
                self.account,
                self.keyring,
                source,
                name,
                self.audience,
                post.filename,
                attached=post.attached or "media",
            )

    def _others(self) -> set[str]:
        if self.others is None:
            self.others = referred_to(self.account, self.keyring, {self.post})
        return self.others


def _content(post: OpenedPost, path: Path | None) -> BinaryIO:
    """What was opened: from memory, or from the file that has it when it is large."""
    if path is not None:
        return path.open("rb")
    return io.BytesIO(post.opened.data or b"")


def _own_name(account: Account, document: Mapping[str, Any]) -> str:
    iri = document.get("@id")
    try:
        address = resolve_iri(iri, account.fingerprint) if isinstance(iri, str) else None
    except AddressMalformed:
        return ""
    if address is None or address.author != account.fingerprint:
        return ""
    return address.name or ""
