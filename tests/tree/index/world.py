"""What the tests of the index share: an examiner, plain scans to compare with, waiting for conditions."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from typing import BinaryIO

from mau.fingerprint import Fingerprint
from mau.tree.index import Examined, Index
from mau.tree.layout import Root
from mau.tree.names import is_post_name

ALICE = Fingerprint(b"\xa1" * 20)
BOB = Fingerprint(b"\xb0" * 20)
PUBLIC = b"public"
PATIENCE = 20.0


def examine(author: Fingerprint, name: str, handle: BinaryIO) -> Examined:
    """The first line of a file says who finds it, separated by spaces; "-" is for nobody."""
    line = handle.readline(1000).strip()
    if line == b"-" or not line:
        return Examined("other")
    return Examined("encrypted", tuple(line.split()), stated=name.encode())


def plain_scan(root: Root, author: Fingerprint) -> dict[str, tuple[bool, str, int]]:
    """(hidden, sha256, size) of every file, as anybody would find them out."""
    found: dict[str, tuple[bool, str, int]] = {}
    for hidden, directory in ((True, root.hidden_dir(author)), (False, root.author_dir(author))):
        for path in directory.iterdir() if directory.is_dir() else ():
            if is_post_name(path.name) and path.is_file() and not path.is_symlink():
                data = path.read_bytes()
                found[path.name] = (hidden, hashlib.sha256(data).hexdigest(), len(data))
    return found


def indexed(index: Index, author: Fingerprint) -> dict[str, tuple[bool, str, int]]:
    return {entry.name: (entry.hidden, entry.sha256, entry.size) for entry in index.entries(author)}


def paged(
    index: Index, author: Fingerprint, readers: list[bytes], clock: int = 0, limit: int = 3
) -> list[str]:
    """The names that a client gets who asks page by page from there on."""
    names: list[str] = []
    while True:
        page = index.after(author, readers, clock, limit)
        names += [entry.name for entry in page.entries]
        if not page.more:
            return names
        clock = page.entries[-1].clock


class Told:
    """A subscriber that can be waited for."""

    def __init__(self) -> None:
        self.heard: list[tuple[Fingerprint, bool, str | None]] = []
        self._condition = threading.Condition()

    def __call__(self, author: Fingerprint, hidden: bool, name: str | None) -> None:
        with self._condition:
            self.heard.append((author, hidden, name))
            self._condition.notify_all()

    def until(self, condition: Callable[[], bool], patience: float = PATIENCE) -> float:
        """Wait until it holds; looked at after each change. How long it took, in seconds."""
        began = time.monotonic()
        while True:
            count = len(self.heard)
            if condition():
                return time.monotonic() - began
            left = began + patience - time.monotonic()
            assert left > 0, f"not in {patience} s; heard {self.heard[-10:]}"
            with self._condition:
                self._condition.wait_for(lambda count=count: len(self.heard) > count, min(left, 0.5))  # type: ignore[misc]
