"""The index at rest: an image and a log of what came since, both sealed (spec/search.md SI7-SI12).

``.reader/search.image`` and ``.reader/search.log``. Each piece is encrypted and authenticated (AES-256-GCM)
under a key that is derived from the account's, with the image's random name and the piece's number: nothing
can be made up, exchanged between images, or put in another order. What is cut off or not ours is passed over.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag

from mau.errors import NoSuchPost, NotAFile, TooLarge, TreeError
from mau.sealed import cipher_of
from mau.search.words import Words
from mau.tree import safe

if TYPE_CHECKING:
    from pathlib import Path

    from mau.account import Account

_MAGIC: Final = b"mau search 3\n"
_NAME: Final = 16
_NONCE: Final = 12
_PIECE: Final = 16 << 20
_MOST: Final = 1 << 30
"""Bytes of an image or a log: SQLite deserialises no more."""


@dataclass(frozen=True, slots=True)
class State:
    """Which image is meant, how many records its log has, and how many bytes of the log those are."""

    name: bytes
    records: int
    size: int


class Vault:
    """The two files of one account. Hold the `lock` around `load`, and what is written after it."""

    def __init__(self, account: Account) -> None:
        self._place = account.root.state_dir("reader")
        self._cipher = cipher_of(account, "reader", "search")

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """One process at a time: what the other finds out, this one need not."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        held = os.open(self._place / "search.lock", flags, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield
        finally:
            os.close(held)

    def state(self, held: State | None) -> State | None:
        """`held` as long as the files are as they were then; None when they are not, or there are none."""
        if held is None or self._first(self._image, len(_MAGIC) + _NAME) != _MAGIC + held.name:
            return None
        try:
            size = self._log.lstat().st_size
        except OSError:
            size = 0
        return held if size == held.size else None

    def load(self) -> tuple[bytearray | None, list[list[Words]], State] | None:
        """The image (None: an empty index), what was added since, and the state; None when nothing holds."""
        held = self._read(self._image)
        start = len(_MAGIC) + _NAME
        if held is None or not held.startswith(_MAGIC) or len(held) < start:
            return None
        name = held[len(_MAGIC) : start]
        whole, piece = bytearray(), b"none"
        for piece in self._opened(memoryview(held)[start:], b"image", name):
            whole += piece
        # The last piece is empty: so an image that was cut off between pieces is none.
        if piece:
            return None
        del held  # it is as large as what it holds
        log = self._read(self._log) or b""
        batches: list[list[Words]] = []
        size = len(_MAGIC) + _NAME
        if log[:size] != _MAGIC + name:
            return whole or None, [], State(name, 0, self._begin_log(name))
        for record in self._opened(log[size:], b"log", name):
            batches.append(_unpacked(record))
            size += 4 + _NONCE + 16 + len(record)
        if size != len(log):  # the rest is of a write that was cut off
            self._truncate(size)
        return whole or None, batches, State(name, len(batches), size)

    def keep(self, image: bytes) -> State:
        """Write an image in the place of what is there; b"" is an empty index. Its log is empty."""
        name = os.urandom(_NAME)
        sealed = bytearray(_MAGIC + name)
        # One step beyond the end: the last piece is empty.
        for number, at in enumerate(range(0, len(image) + _PIECE, _PIECE)):
            sealed += self._sealed(image[at : at + _PIECE], b"image", name, number)
        safe.write_bytes(self._image, sealed)
        return State(name, 0, self._begin_log(name))

    def append(self, state: State, batch: Sequence[Words]) -> State:
        """Add what came to the log."""
        record = self._sealed(_packed(batch), b"log", state.name, state.records)
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(self._log, flags)
        try:
            safe.write_all(handle, record)
        finally:
            os.close(handle)
        return State(state.name, state.records + 1, state.size + len(record))

    @property
    def _image(self) -> Path:
        return self._place / "search.image"

    @property
    def _log(self) -> Path:
        return self._place / "search.log"

    def _begin_log(self, name: bytes) -> int:
        safe.write_bytes(self._log, _MAGIC + name)
        return len(_MAGIC) + len(name)

    def _truncate(self, size: int) -> None:
        handle = os.open(self._log, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.ftruncate(handle, size)
        finally:
            os.close(handle)

    def _read(self, path: Path) -> bytes | None:
        with contextlib.suppress(NoSuchPost, NotAFile, TooLarge, TreeError):
            return safe.read_bytes(path, _MOST + (1 << 20))
        return None

    def _first(self, path: Path, size: int) -> bytes:
        with contextlib.suppress(OSError, TreeError):
            handle, _ = safe.open_regular(path)
            try:
                return os.read(handle, size)
            finally:
                os.close(handle)
        return b""

    def _sealed(self, data: bytes, kind: bytes, name: bytes, number: int) -> bytes:
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, data, _bound_to(kind, name, number))
        return len(sealed).to_bytes(4, "big") + nonce + sealed

    def _opened(self, data: bytes | memoryview, kind: bytes, name: bytes) -> Iterator[bytes]:
        """The pieces in their order, up to the first that is not whole or not ours."""
        at, number = 0, 0
        view = memoryview(data)
        while at + 4 + _NONCE <= len(data):
            size = int.from_bytes(view[at : at + 4], "big")
            start = at + 4 + _NONCE
            if start + size > len(data):
                return
            nonce, sealed = bytes(view[at + 4 : start]), bytes(view[start : start + size])
            try:
                yield self._cipher.decrypt(nonce, sealed, _bound_to(kind, name, number))
            except (InvalidTag, ValueError):
                return
            at, number = start + size, number + 1


def _bound_to(kind: bytes, name: bytes, number: int) -> bytes:
    return kind + b"\0" + name + number.to_bytes(8, "big")


def _packed(batch: Sequence[Words]) -> bytes:
    return zlib.compress(json.dumps(batch, separators=(",", ":")).encode(), 1)


def _unpacked(record: bytes) -> list[Words]:
    return [Words(*row) for row in json.loads(zlib.decompress(record))]
