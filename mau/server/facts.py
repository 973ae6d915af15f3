"""What is known of each file: its head, its SHA-256, what its signature states. Found out once, in memory.

Everything is kept by the file's stamp (device, inode, size, both times), so whatever changes a file by hand
is noticed. A file that was changed a moment ago is looked at anew each time: its next change could fall into
the same tick of the file system's clock and leave the same stamp. Of all this only what signatures state is
stored on the disk, sealed to the account (`mau.stated`): what decides who may read must not come from a file
that another program can write.

Threads: a record is filled by whoever needs it; two threads at worst find out the same thing twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from mau.content.binding import Audience, document_statement, read_statement, states_by_notation
from mau.content.jsonld import parse
from mau.errors import FromTheFuture, MauError, NotReadable
from mau.fingerprint import Fingerprint
from mau.openpgp import Certificate, Kind, Opened, SecretKey, open_message, read_head
from mau.server.visibility import NO_PROOF, Outline, Proof
from mau.stated import Stated, Statements, stated_by
from mau.tree.index import is_settled, stamp_of

IN_MEMORY = 8 * 1024 * 1024
"""Files up to this size are read whole to be judged; larger ones in pieces."""
MAX_FILES = 250_000
"""Records of current files of one author: some 100 MB. The one kept longest gives way."""
MAX_VERSIONS = 4096
"""Records of older contents that are kept; they are asked for one by one."""
_CHUNK = 1024 * 1024
_OWN_INFLATION = 32
_SCRATCH_LASTS = 24 * 3600
_NO_PROOF = Stated(False)
_UNSTATED = Stated(True)
_CTIME = 8
"""Bytes at the end of a stamp: the time of the last change of anything, the file's names included."""


class Changed(Exception):
    """The file was changed while it was being looked at."""


@dataclass(slots=True)
class Record:
    """What is known of one content; ``sha256`` and ``proof`` are None until somebody needed them."""

    stamp: bytes
    size: int
    modified: int
    """Unix seconds, as the file says."""
    settled: bool
    """Whether another change would surely leave another stamp."""
    outline: Outline
    sha256: str | None = None
    proof: Proof | None = None
    until: float | None = None
    """When ``proof`` may be another one, in unix seconds: it was signed ahead of this clock."""

    def is_of(self, handle: BinaryIO) -> bool:
        """Whether the open file still holds what this was found out about.

        The last of the stamp does not matter: it changes too when another file takes the name of this one.
        """
        return stamp_of(os.fstat(handle.fileno()))[:-_CTIME] == self.stamp[:-_CTIME]


class FactsCache:
    """Records by author and name, as long as their stamps hold."""

    def __init__(self) -> None:
        self._files: dict[Fingerprint, dict[str, Record]] = {}
        self._versions: dict[tuple[Fingerprint, str, str], Record] = {}
        self._outlines: dict[Outline, Outline] = {}
        self._ahead: dict[Fingerprint, dict[str, float]] = {}
        self.generation = 0
        """Counts how often proofs were forgotten."""

    def of(self, author: Fingerprint, name: str) -> Record | None:
        """The record of a current file."""
        return self._files.get(author, {}).get(name)

    def keep(self, author: Fingerprint, name: str, record: Record) -> None:
        """Remember what was found out about a current file."""
        if record.settled:
            record.outline = _shared(self._outlines, record.outline)
            records = self._files.setdefault(author, {})
            records[name] = record
            if len(records) > MAX_FILES:  # names that are gone leave theirs behind
                records.pop(next(iter(records)), None)

    def version(self, author: Fingerprint, name: str, sha256: str) -> Record | None:
        """The record of an older content."""
        return self._versions.get((author, name, sha256))

    def keep_version(self, author: Fingerprint, name: str, sha256: str, record: Record) -> None:
        """Remember what was found out about an older content; the one kept longest gives way."""
        if record.settled:
            while len(self._versions) >= MAX_VERSIONS:
                self._versions.pop(next(iter(self._versions)), None)
            self._versions[author, name, sha256] = record

    def signed_ahead(self, author: Fingerprint, name: str, until: float) -> None:
        """Note that a file is not believed until then, in unix seconds."""
        ahead = self._ahead.setdefault(author, {})
        if len(ahead) < MAX_VERSIONS:
            ahead[name] = until

    def come_of_age(self, author: Fingerprint, now: float) -> list[str]:
        """Names of files that were signed ahead of the clock and may be believed by now: judged once more."""
        ahead = self._ahead.get(author, {})
        names = [name for name, until in list(ahead.items()) if until <= now]
        for name in names:
            ahead.pop(name, None)
            self._files.get(author, {}).pop(name, None)
        for key in [key for key in list(self._versions) if key[0] == author and key[1] in names]:
            self._versions.pop(key, None)
        return names

    def forget_proofs(self, authors: Container[Fingerprint]) -> None:
        """Their keys changed: what signatures prove has to be found out again."""
        self.generation += 1
        for author, records in list(self._files.items()):
            if author in authors:
                for record in list(records.values()):
                    record.proof = None
        for (author, _, _), record in list(self._versions.items()):
            if author in authors:
                record.proof = None


_T = TypeVar("_T")


def _shared(known: dict[_T, _T], value: _T) -> _T:
    """The equal one that many records have already: people write to the same few again and again."""
    if len(known) > MAX_VERSIONS:
        known.clear()
    return known.setdefault(value, value)


def look(found: os.stat_result, now_ns: int, source: BinaryIO) -> Record:
    """Read the head of a file that was found so; ``source`` is at its beginning."""
    head = read_head(source)
    return Record(
        stamp_of(found),
        found.st_size,
        found.st_mtime_ns // 1_000_000_000,
        is_settled(found, now_ns),
        Outline(head.kind, frozenset(head.recipients)),
    )


class Judge:
    """Opens files to learn what their signatures state. Holds the key of the account."""

    def __init__(self, key: SecretKey, scratch: Path, statements: Statements) -> None:
        self._key = key
        self._scratch = scratch
        self._statements = statements
        self._audiences: dict[Audience | None, Audience | None] = {}
        # What a server that was killed left behind; one that runs beside this one needs its own for seconds.
        for left in scratch.glob(f"{tempfile.gettempprefix()}*"):
            with contextlib.suppress(OSError):
                if time.time() - left.lstat().st_mtime > _SCRATCH_LASTS:
                    shutil.rmtree(left)

    def complete(
        self,
        record: Record,
        handle: BinaryIO,
        content: bytes | None,
        author: Fingerprint,
        certificate: Certificate | None,
        *,
        proof: bool,
    ) -> None:
        """Fill in the SHA-256 and, when ``proof`` is wanted, the proof. Raises Changed.

        ``content`` is all of the file, if it was read already.
        """
        handle.seek(0)
        whole = content
        if whole is None and record.size <= IN_MEMORY:
            whole = handle.read(record.size + 1)
        if record.sha256 is None:
            digest = hashlib.sha256(whole if whole is not None else b"")
            while whole is None and (chunk := handle.read(_CHUNK)):
                digest.update(chunk)
            sha256 = digest.hexdigest()
        else:
            sha256 = record.sha256
        found = None
        if proof and record.proof is None:
            found = self._proof(sha256, record, whole, handle, author, certificate)
        if stamp_of(os.fstat(handle.fileno())) != record.stamp:
            raise Changed
        record.sha256 = sha256
        if found is not None:
            record.proof = found

    def _proof(
        self,
        sha256: str,
        record: Record,
        whole: bytes | None,
        handle: BinaryIO,
        author: Fingerprint,
        certificate: Certificate | None,
    ) -> Proof:
        """What was found out before about this content, or is now."""
        if certificate is None:
            return NO_PROOF
        known = self._statements.get(author, sha256, certificate)
        if known is None:
            try:
                known = self._judge(record, whole, handle, author, certificate)
            except FromTheFuture as error:
                record.until = error.until
                return NO_PROOF
            self._statements.put(author, sha256, certificate, known)
        return Proof(known.holds, known.name, _shared(self._audiences, known.audience))

    def _judge(
        self,
        record: Record,
        whole: bytes | None,
        handle: BinaryIO,
        author: Fingerprint,
        certificate: Certificate,
    ) -> Stated:
        if whole is not None:
            return self._open(whole, author, certificate, None)
        if record.outline.kind is Kind.ENCRYPTED:
            return (
                _UNSTATED  # a large file of my own: reading it again only to learn its name is not worth it
            )
        with tempfile.TemporaryDirectory(dir=self._scratch) as directory:
            handle.seek(0)
            return self._open(handle, author, certificate, Path(directory) / "content")

    def _open(
        self, source: bytes | BinaryIO, author: Fingerprint, certificate: Certificate, sink: Path | None
    ) -> Stated:
        try:
            if sink is None or isinstance(source, bytes):
                opened = open_message(source, key=self._key, author=certificate)
            else:
                # We never compress large files, so they hold less than themselves. The owner may have used
                # another program; what others compressed is not worth the room that it might take.
                size = os.fstat(source.fileno()).st_size
                limit = size * (_OWN_INFLATION if author == self._key.fingerprint else 1)
                opened = open_message(source, key=None, author=certificate, sink=sink, limit=limit)
            return _NO_PROOF if opened.signer != author else _stated(author, opened)
        except FromTheFuture:
            raise  # it says something about two clocks
        except NotReadable:
            return _UNSTATED  # encrypted for others and not for the owner: they can judge it, he cannot
        except MauError:
            return _NO_PROOF


def _stated(author: Fingerprint, opened: Opened) -> Stated:
    """As `read_statement`, and what else is noted of a content; it is parsed once."""
    document = None if opened.data is None else parse(opened.data)
    if states_by_notation(opened.notations):
        return stated_by(opened, read_statement(author, opened.notations, None), document)
    return stated_by(opened, document_statement(author, document), document)
