"""A file of marks on disk: read with its last versions, changed under a lock (spec/marks.md MK5-MK9).

What does not hold is passed over with a warning: no mark is worth an error where posts are read.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from mau.content.binding import Statement, document_statement, states_by_notation
from mau.content.jsonld import parse
from mau.errors import InvalidName, MauError, NoSuchPost, ProofError, TreeChanged, TreeError
from mau.marks.document import basis_words, read_basis
from mau.marks.names import is_marks
from mau.tree import lock, safe

if TYPE_CHECKING:
    from typing import Self

    from mau.account import Account
    from mau.fingerprint import Fingerprint

KEPT_VERSIONS: Final = 2
"""Older contents that stay; each of them stands in what came after it."""
MAX_FILE: Final = 1 << 20
"""Bytes of a file, and of what is in it."""
_READ_VERSIONS: Final = 8
_ATTEMPTS: Final = 20
_USE_NOTATION: Final = "use@mau.invalid"
_USE: Final = "marks"
_log = logging.getLogger("mau.marks")


class Mergeable(Protocol):
    """What two files say can be put together."""

    def merged(self, other: Self, /) -> Self:
        """The same in either order, and however often."""


T = TypeVar("T", bound=Mergeable)


class NotMarks(ProofError):
    """A file under the name that holds, and is something else."""


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One of the files: its name, nothing at all, and how it is written and read."""

    name: str
    nothing: T
    dump: Callable[[T, Fingerprint], dict[str, Any]]
    load: Callable[[dict[str, Any], Fingerprint], T]
    less: Callable[[T], T] = lambda value: value
    """Makes it smaller when it is too large to be written."""


@dataclass(frozen=True, slots=True)
class Held(Generic[T]):
    """What was found. `versions`: older contents that stand in `value`; `warnings`: what was passed over."""

    value: T
    sha256: str | None
    versions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    in_the_way: bool = False
    """Another post of the owner has the name."""


class MarksFile(Generic[T]):
    """One file of marks of one account."""

    def __init__(self, account: Account, kind: Kind[T], *, copy: Path | None = None) -> None:
        """``copy``: a place outside the tree that has the same, so that no hand takes it back unseen."""
        self._account = account
        self._posts = account.posts()
        self._own = account.fingerprint
        self._kind = kind
        self._copy = copy

    def read(self) -> Held[T]:
        """What the file says, together with its last versions and the copy. Never an error: a warning."""
        kind = self._kind
        value, warnings, merged, in_the_way = kind.nothing, [], [], False
        sha256: str | None = None
        known: frozenset[str] = frozenset()
        data = b""
        try:
            with self._posts.open(kind.name) as file:
                data = file.read(MAX_FILE + 1)
            large = len(data) > MAX_FILE
            sha256 = self._posts.sha256(kind.name) if large else hashlib.sha256(data).hexdigest()
            found, known = self._open(data)
            value = value.merged(found)
        except NoSuchPost:
            pass
        except (MauError, OSError) as error:
            in_the_way = isinstance(error, NotMarks)
            warnings.append(f"{kind.name} is passed over: {error}")
        try:
            versions = self._posts.versions(kind.name)[-_READ_VERSIONS:]
        except (MauError, OSError):
            versions = []
        for version in versions:
            with suppress(MauError, OSError):
                if version.sha256 not in known:  # else it was put together with the others before
                    with self._posts.open_version(kind.name, version.sha256) as file:
                        value = value.merged(self._open(file.read(MAX_FILE + 1))[0])
                merged.append(version.sha256)
        if self._copy is not None:
            with suppress(MauError, OSError):
                if (copy := safe.read_bytes(self._copy, MAX_FILE)) != data:
                    value = value.merged(self._open(copy)[0])
        return Held(value, sha256, tuple(merged), tuple(warnings), in_the_way)

    def stamp(self) -> object:
        """Changes whenever the file or its copy does."""
        copy = None
        if self._copy is not None:
            with suppress(OSError):
                found = self._copy.lstat()
                copy = found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
        try:
            return self._posts.entry(self._kind.name), copy
        except (MauError, OSError) as error:  # something else is in the way
            return str(error), copy

    def change(self, change: Callable[[T], T]) -> T:
        """Write what ``change`` makes of what is there; it may be asked again when another was quicker.

        InvalidName when another post of one's own has the name.
        """
        root = self._account.root
        root.ensure()
        with safe.closing(root.open()) as top, lock.locked(top):
            for _ in range(_ATTEMPTS):
                held = self.read()
                if held.in_the_way:
                    raise InvalidName(
                        f"{self._kind.name!r} is where your marks are kept, and yours of that name is "
                        "another post; give it another name"
                    )
                value = change(held.value)
                if value == held.value and held.sha256 is not None and not held.warnings:
                    return value
                with suppress(TreeChanged):  # a hand or a restored backup was quicker
                    self._write(value, held)
                    return value
        raise TreeChanged(f"{self._kind.name!r} changes all the time; try again")

    def _open(self, data: bytes) -> tuple[T, frozenset[str]]:
        """What a file says, and the sums of those contents before it that stand in it."""
        from mau.openpgp import open_message

        if len(data) > MAX_FILE:
            raise ProofError(f"it has more than {MAX_FILE} bytes")
        key = self._account.key
        opened = open_message(data, key=key, author=key.anchor, limit=MAX_FILE)
        if opened.notations.get(_USE_NOTATION) != (_USE,) or not opened.encrypted or opened.data is None:
            raise NotMarks("it is signed, but not as a file of marks")
        document = parse(opened.data)
        if states_by_notation(opened.notations):
            raise ProofError("it was written as a file of somebody's")
        stated = document_statement(self._own, document)
        if document is None or stated != Statement(self._kind.name, frozenset({self._own})):
            raise ProofError("it was written for another place or audience")
        if not is_marks(self._kind.name, document):
            raise ProofError("it holds no marks")
        return self._kind.load(document, self._own), read_basis(document)

    def _write(self, value: T, held: Held[T]) -> None:
        from mau.openpgp import write_message

        key, name = self._account.key, self._kind.name
        basis = [*held.versions, *([held.sha256] if held.sha256 and not held.warnings else [])]
        data = self._encode(value, basis)
        while len(data) > MAX_FILE // 2 and (smaller := self._kind.less(value)) != value:
            value, data = smaller, self._encode(smaller, basis)
        with self._posts.stage() as staged:
            write_message(
                staged.file,
                data,
                key=key,
                recipients=[key.anchor],
                for_owner=True,
                notations={_USE_NOTATION: _USE},
                # Not after what it replaces, as a post is: which word is newer stands in the words.
                created=int(time.time()),
            )
            done = self._posts.commit(staged, name, expect=held.sha256)
        if self._copy is not None:
            self._write_copy()
        self._thin(held, done.replaced if not held.warnings else None)

    def _encode(self, value: T, basis: list[str]) -> bytes:
        document = self._kind.dump(value, self._own) | basis_words(basis[-_READ_VERSIONS:])
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    def _write_copy(self) -> None:
        assert self._copy is not None  # noqa: S101 - asked before
        try:
            self._copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._posts.open(self._kind.name) as file:
                safe.write_bytes(self._copy, file.read())
        except (MauError, OSError) as error:  # a read-only home keeps nobody from blocking
            _log.warning("%s cannot be written: %s", self._copy, error)

    def _thin(self, held: Held[T], replaced: str | None) -> None:
        """Let go of older contents that stand in what was written now; another time, if not possible."""
        merged = [*held.versions, *([replaced] if replaced else [])]
        gone = list(dict.fromkeys(merged))[:-KEPT_VERSIONS]
        with suppress(TreeError, OSError):
            if gone:
                self._posts.drop_versions(self._kind.name, gone)
