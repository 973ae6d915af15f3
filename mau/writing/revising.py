"""Another content for a post of one's own (spec/writing.md P70-P79).

A document is edited as a page or raw, any other text as it is; who can read it stays, as far as those people
can still be written to. Blocking, as everything that opens posts.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from mau.contact.document import is_contact
from mau.content.binding import Audience, Public, states_by_notation
from mau.content.jsonld import SCHEMA_ORG, known_context
from mau.content.posting import slug
from mau.conversation.audience import Derived, derived_audience
from mau.deletion.document import is_delete
from mau.deletion.resigning import audience_of_own
from mau.errors import NotSigned, TooLarge, TreeChanged, UsageError
from mau.marks import blocked
from mau.publish import Published, publish_document, publish_file
from mau.reader.open import OpenedPost, open_post
from mau.tree.commit import ANY, Anything
from mau.tree.names import PRIVATE_NAMES, fold

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring

MAX_TEXT: Final = 16 << 20
"""Bytes of a text that an editor is given."""
_SUFFIX: Final = ".txt"


@dataclass(frozen=True, slots=True)
class Original:
    """A post as it is held. `document` is None for one that is edited as the text that it is, in `data`.

    `plain`: the document is in the words of schema.org, and states its name and audience itself or not at
    all; any other one is edited raw and published as a file.
    """

    name: str
    sha256: str
    audience: Audience
    data: bytes
    document: dict[str, Any] | None
    plain: bool
    filename: str | None
    attached: str | None

    @property
    def suffix(self) -> str:
        """What tells an editor what a text is."""
        ending = slug(PurePath(self.filename or self.name.removesuffix(".pgp")).suffix)
        return f".{ending}" if 0 < len(ending) <= 8 else _SUFFIX


def original(account: Account, keyring: Keyring, name: str, version: str | None = None) -> Original:
    """An own post to edit, or one version of it. UsageError when it is no text, or written by programs.

    NoSuchPost, PostError.
    """
    if fold(name) in map(fold, PRIVATE_NAMES):
        raise UsageError(f"{name} is written by commands of its own, not with an editor")
    posts = account.posts()
    for _ in range(5):
        sha256 = version or posts.sha256(name)
        post = _opened(account, keyring, name, version)
        audience = audience_of_own(account, keyring, post, version)
        if version is not None or posts.sha256(name) == sha256:
            break
    else:
        raise TreeChanged(f"{name} is being changed all the time")
    data = post.opened.data or b""
    by_notation = states_by_notation(post.opened.notations)
    document = None if by_notation and not _was_document(post.filename, post.document) else post.document
    if document is not None and (is_delete(document) or is_contact(name, document)):
        raise UsageError(f"{name} is written by commands of its own, not with an editor")
    if document is None and not is_text(data):
        raise UsageError(
            f"{name} is no text that an editor could show; `mau share FILE --name {name}` puts a file there"
        )
    plain = document is not None and not by_notation and known_context({"@context": SCHEMA_ORG, **document})
    return Original(name, sha256, audience, data, document, plain, post.filename, post.attached)


def _opened(account: Account, keyring: Keyring, name: str, version: str | None) -> OpenedPost:
    """Open it in memory: what is edited never lies decrypted on the disk, however large it is."""
    large = UsageError(f"{name} has more than {MAX_TEXT >> 20} MiB, too much for an editor")
    try:
        post = open_post(account, keyring, account.fingerprint, name, version)
    except TooLarge:
        raise large from None
    except NotSigned:
        raise NotSigned(f"nobody signed {name}; when you wrote what it says, `mau sign` does") from None
    if post.opened.size > MAX_TEXT:
        raise large
    return post


def _was_document(filename: str | None, document: dict[str, Any] | None) -> bool:
    """Whether a file with notations was written as a document and not shared as a file of somebody's."""
    return document is not None and filename is None and "@context" in document


def is_text(data: bytes) -> bool:
    """Whether that is UTF-8 without what no editor shows."""
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False


def derived(account: Account, keyring: Keyring, before: Original) -> Derived:
    """For whom the edited post is when nothing else is said, and who cannot be written to any more."""
    if isinstance(before.audience, Public):
        return Derived(before.audience)
    refused = blocked(account)
    return derived_audience(keyring, account.fingerprint, before.audience, refused=refused)


def publish_revision(
    account: Account,
    keyring: Keyring,
    before: Original,
    content: Mapping[str, Any] | bytes,
    audience: Audience,
    *,
    expect: str | None = None,
) -> Published:
    """Publish `content` in the place of an original; TreeChanged when that was replaced meanwhile.

    `expect`: the sha256 of what it replaces, when that is not the original.
    """
    expect = expect or before.sha256
    if isinstance(content, bytes):
        return publish_file(
            account,
            keyring,
            io.BytesIO(content),
            before.name,
            audience,
            before.filename,
            attached=before.attached,
            expect=expect,
        )
    return publish_any(account, keyring, content, before.name, audience, expect=expect)


def publish_any(
    account: Account,
    keyring: Keyring,
    document: Mapping[str, Any],
    name: str,
    audience: Audience,
    *,
    expect: str | Anything | None = ANY,
) -> Published:
    """Publish a document: in the words of schema.org it states name and audience, else its signature does."""
    if known_context({"@context": SCHEMA_ORG, **document}) and not _has_keywords(document):
        return publish_document(account, keyring, document, name, audience, expect=expect)
    try:
        data = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        raise UsageError(f"not a document that JSON can hold: {error}") from None
    return publish_file(account, keyring, io.BytesIO(data), name, audience, expect=expect)


def _has_keywords(document: Mapping[str, Any]) -> bool:
    return any(key[:1] == "@" and key not in {"@context", "@id", "@type"} for key in document)
