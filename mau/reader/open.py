"""Opening a post: the message, what it states, and whether that fits its place (spec/messages.md M30-M39)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from mau.acceptance import HIDDEN, NamedBy, Piece, check_piece
from mau.content.binding import (
    ATTACHMENT_NOTATION,
    FILENAME_NOTATION,
    UNBOUND,
    Audience,
    Statement,
    document_statement,
    read_statement,
    states_by_notation,
)
from mau.content.jsonld import MAX_DOCUMENT, parse
from mau.errors import NoSuchPost, PostError, SignerRevoked
from mau.fingerprint import Fingerprint
from mau.tree.posts import AuthorDir

if TYPE_CHECKING:
    from mau.account import Account
    from mau.openpgp import Certificate, Opened

_READ_AT_ONCE = 1 << 18  # bytes
_REVOKED = "its author has revoked the key that signed it: somebody else may have written this"


class Keys(Protocol):
    """Who can be verified, and whose key an id is: `Keyring`, or what stands for one that is not there."""

    def certificate(self, fingerprint: Fingerprint) -> Certificate | None:
        """The key to verify somebody with."""

    def owner_of(self, keyid: bytes) -> Fingerprint | None:
        """The one person who holds that key id."""


@dataclass(frozen=True, slots=True)
class OpenedPost:
    """A post that holds; or, opened anyway, one with a `problem`.

    `statement` is what counts for it, `document` its JSON object when it is one, `notes` what a reader should
    know although nothing is wrong.
    """

    author: Fingerprint
    name: str
    opened: Opened
    statement: Statement
    document: dict[str, Any] | None
    problem: PostError | None
    notes: tuple[str, ...]

    @property
    def signed_at(self) -> int:
        """When it was signed, in unix seconds."""
        return self.opened.signed_at

    @property
    def audience(self) -> Audience | None:
        """For whom its author wrote it; None when it does not say."""
        return self.statement.audience

    @property
    def filename(self) -> str | None:
        """What the file was called outside. Others chose it: show it cleaned, write to no such path."""
        values = self.opened.notations.get(FILENAME_NOTATION, ())
        return values[0] if len(values) == 1 else None

    @property
    def attached(self) -> str | None:
        """As what it belongs to another post (``media``, ``thumbnail``); None for a post of its own."""
        values = self.opened.notations.get(ATTACHMENT_NOTATION, ())
        return values[0] if len(values) == 1 else None

    def piece(self, sha256: str, size: int) -> Piece:
        """The facts that acceptance judges."""
        return _piece(self.author, self.name, self.opened, self.statement, sha256, size)


def open_post(
    account: Account,
    keyring: Keys,
    author: Fingerprint,
    name: str,
    version: str | None = None,
    *,
    sink: Path | None = None,
    anyway: bool = False,
) -> OpenedPost:
    """Open a post (or one version of it, by its sha256) that lies in the tree, hidden or not.

    NoSuchPost, NotAFile, InvalidName; one PostError when anything about it does not hold, unless `anyway`.
    With `sink` the content goes there, in bounded memory, and is removed when something does not hold.
    """
    with _find(account, author, name, version) as file:
        size = os.fstat(file.fileno()).st_size
        # Reading a small file at once costs a third of what its many small pieces would.
        source = file.read(size + 1) if size <= _READ_AT_ONCE else file
        return open_source(account, keyring, author, name, source, sink=sink, anyway=anyway, held=True)


def directories_of(account: Account, author: Fingerprint) -> list[AuthorDir]:
    """Where posts of somebody can lie: the own directory; else the followed one and the hidden one."""
    if author == account.fingerprint:
        return [account.posts()]
    return [AuthorDir(account.root, author), AuthorDir(account.root, author, hidden=True)]


def _find(account: Account, author: Fingerprint, name: str, version: str | None) -> BinaryIO:
    missing: NoSuchPost | None = None
    for directory in directories_of(account, author):
        try:
            return directory.open(name) if version is None else directory.open_version(name, version)
        except NoSuchPost as error:
            missing = missing or error
    raise missing or NoSuchPost(f"there is no {name!r}")


def open_source(
    account: Account,
    keyring: Keys,
    author: Fingerprint,
    name: str,
    source: bytes | BinaryIO,
    *,
    sink: Path | None = None,
    anyway: bool = False,
    from_author: bool = True,
    sha256: str = "",
    named_by: NamedBy | None = None,
    now: int | None = None,
    limit: int | None = None,
    held: bool = False,
) -> OpenedPost:
    """As `open_post`, for bytes that need not lie in the tree yet.

    `from_author` is False for what a relay brought; `sha256` is that of the source, for `named_by`; `limit`
    is the most content in bytes (TooLarge). `held`: it was taken in before, so that its author revoked his
    key since is a note on it and no reason to hide it (M64).
    """
    from mau.openpgp import open_message

    def check(piece: Piece) -> Piece:
        return check_piece(
            piece,
            me=account.fingerprint,
            owner_of=keyring.owner_of,
            from_author=from_author,
            now=int(time.time()) if now is None else now,
            named_by=named_by,
        )

    certificate = keyring.certificate(author)
    opened = open_message(
        source, key=account.key, author=certificate, sink=sink, limit=limit, anyway=anyway or held
    )
    revoked = held and isinstance(opened.problem, SignerRevoked)
    if revoked:
        opened = replace(opened, signer=author, problem=None)
    try:
        if opened.problem is not None and not anyway:
            raise opened.problem
        document = _document(opened, sink)
        problem, statement = opened.problem, UNBOUND
        try:
            statement = _statement(author, opened, document)
            statement = check(_piece(author, name, opened, statement, sha256, opened.size)).statement
        except PostError as error:
            if not anyway:
                raise
            problem = problem or error
    except BaseException:
        if sink is not None:
            sink.unlink(missing_ok=True)
        raise
    notes = ((_REVOKED,) if revoked else ()) + _notes(opened, statement)
    return OpenedPost(author, name, opened, statement, document, problem, notes)


def _document(opened: Opened, sink: Path | None) -> dict[str, Any] | None:
    data = opened.data
    if data is None and sink is not None and opened.size <= MAX_DOCUMENT:
        data = sink.read_bytes()
    return None if data is None else parse(data)


def _statement(author: Fingerprint, opened: Opened, document: dict[str, Any] | None) -> Statement:
    """As `read_statement`, which would parse the content once more."""
    if states_by_notation(opened.notations):
        return read_statement(author, opened.notations, None)
    return document_statement(author, document)


def _piece(
    author: Fingerprint, name: str, opened: Opened, statement: Statement, sha256: str, size: int
) -> Piece:
    return Piece(author, name, sha256, size, opened.signed_at, opened.encrypted, opened.recipients, statement)


def _notes(opened: Opened, statement: Statement) -> tuple[str, ...]:
    notes = []
    if not statement.bound:
        words = (("name", statement.name), ("audience", statement.audience))
        missing = " and no ".join(word for word, stated in words if stated is None)
        notes.append(f"unbound: the signature covers the content, but no {missing}")
    if statement.elsewhere is not None:
        notes.append(f"it gives its address as {statement.elsewhere!r:.200}")
    if HIDDEN in opened.recipients:
        notes.append("somebody who is not named may be able to read it, too")
    return tuple(notes)
