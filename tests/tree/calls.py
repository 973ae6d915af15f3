"""Do something at the n-th file system call of a piece of code: die there, or let another program act.

The calls are counted by Python's own profiler hook: every function of `os` and `fcntl`, every write, flush
and close of a file, and the renames of the C library. Run as a script, it does one scenario of killed.py's
tests again and again, each time in a process of its own that is killed one call later.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from mau.fingerprint import Fingerprint
from mau.tree import rename
from mau.tree.layout import Root
from mau.tree.posts import ANY, AuthorDir, NewFile
from mau.tree.recovery import recover_root
from mau.tree.safe import write_bytes

NAME = "x.json.pgp"
FPR = Fingerprint(bytes(range(20)))
SIZES = {"small": 10, "medium": 100_000, "large": 3_000_000}
_PURE = frozenset({"fspath", "fsencode", "fsdecode", "urandom", "getpid"})


class At:
    """Calls `action` once, right before the n-th call (from 1); `count` is how many calls there were."""

    def __init__(self, number: int, action: Callable[[], object]) -> None:
        self.number = number
        self.action = action
        self.count = 0

    def __enter__(self) -> At:
        sys.setprofile(self._on)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def counts(self, frame: FrameType, event: str, called: Any) -> bool:
        """Whether it is one of those calls."""
        if event == "c_call":
            module = getattr(called, "__module__", None)
            return (module in ("posix", "fcntl") and called.__name__ not in _PURE) or (
                isinstance(getattr(called, "__self__", None), io.IOBase)
                and called.__name__ in ("write", "flush", "close")
            )
        return event == "call" and frame.f_code is rename._rename.__code__

    def _on(self, frame: FrameType, event: str, called: Any) -> None:
        if self.counts(frame, event, called):
            self.count += 1
            if self.count == self.number:
                sys.setprofile(None)
                self.action()
                sys.setprofile(self._on)


def content(what: str, size: str) -> bytes:
    """A content that cannot be mistaken for a part of another."""
    whole = (what + "-").encode() * (SIZES[size] // (len(what) + 1) + 1)
    return whole[: SIZES[size]] + what.encode()


def put(directory: AuthorDir, data: bytes, name: str = NAME) -> None:
    """Write in three pieces, as a download does, and commit."""
    third = len(data) // 3
    with directory.stage() as staged:
        for piece in (data[:third], data[third : 2 * third], data[2 * third :]):
            staged.file.write(piece)
            staged.file.flush()
        directory.commit(staged, name)


class Scenario:
    """What is there before, and what the process does that is killed."""

    def __init__(self, word: str, base: Path) -> None:
        self.kind, self.size, whose = word.split("-")
        self.root = Root(base)
        self.directory = AuthorDir(self.root, FPR, own=whose == "own")

    def prepare(self) -> None:
        self.root.ensure()
        self.root.follow(FPR)
        if self.kind == "again":
            put(self.directory, content("new", self.size))
        if self.kind != "first":
            put(self.directory, content("old", self.size))
        if self.kind == "edited":
            (self.directory.path / NAME).write_bytes(content("hand", self.size))
        if self.kind == "merge":
            self.root.unfollow(FPR)
            self.root.follow(FPR)
            put(self.directory, content("new", self.size))
            put(self.directory, b"shown", "shown.pgp")
            hidden = AuthorDir(self.root, FPR, hidden=True)
            put(hidden, content("hand", self.size))
            put(hidden, content("old", self.size))
            put(hidden, b"hidden", "hidden.pgp")
        if self.kind == "account":
            write_bytes(self.root.account_file, content("old", self.size))
        if self.kind == "recover":
            self.leave_much_behind()

    def leave_much_behind(self) -> None:
        """As several killed processes and a person with an editor do."""
        path = self.directory.path
        put(self.directory, content("new", self.size))
        current = self.directory.sha256(NAME)
        (path / f".mau-0123456789abcdef.{current}.new").write_bytes(content("swapped", self.size))
        (path / f".mau-0123456789abcdee.{current}.new").write_bytes(content("new", self.size))
        (path / ".mau-0123456789abcdef.tmp").write_bytes(b"half")
        (path / ".mau-0123456789abcdef.gone").mkdir()
        (path / ".mau-0123456789abcdef.gone" / "removed").write_bytes(b"removed")
        os.link(path / NAME, path / f"{NAME}.versions" / f"{current}.pgp")
        put(self.directory, content("first", self.size), "edited.pgp")
        (path / "edited.pgp").write_bytes(content("hand", self.size))
        (self.root.path / ".mau-0123456789abcdef.tmp").write_bytes(b"half a key")

    def act(self) -> None:
        if self.kind == "recover":
            recover_root(self.root)
            self.directory.recover()
        elif self.kind == "many":
            with contextlib.ExitStack() as stack:
                batch = []
                for name in (NAME, "a.pgp", "b.pgp"):
                    staged = stack.enter_context(self.directory.stage())
                    staged.file.write(content("new", self.size))
                    batch.append((staged, name, ANY))
                self.directory.commit_many(batch)
        elif self.kind == "place":
            data = content("new", self.size)
            names = ("a.pgp", "b.pgp", "c.pgp")
            self.directory.place_new(
                [NewFile(name, data, hashlib.sha256(data).hexdigest()) for name in names]
            )
        elif self.kind == "remove":
            self.directory.remove(NAME)
        elif self.kind == "merge":
            self.root.follow(FPR)
        elif self.kind == "account":
            write_bytes(self.root.account_file, content("new", self.size))
        else:
            put(self.directory, content("new", self.size))


def main(word: str, base: str, renames: str) -> None:
    """Leave a tree ``BASE/N`` for every point N at which the process was killed; the last one was not."""
    if renames == "plain":
        rename._NAMES = ("no_such_function", 0, 0)  # type: ignore[misc]
    number = 0
    while True:
        number += 1
        scenario = Scenario(word, Path(base, str(number)))
        scenario.prepare()
        if number == 1:
            Scenario(word, Path(base, "warm")).prepare()  # what is imported or cached once, is by now
        child = os.fork()
        if child == 0:
            with At(number, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                scenario.act()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            sys.exit(os.WEXITSTATUS(status))
        assert os.WTERMSIG(status) == signal.SIGKILL


if __name__ == "__main__":
    main(*sys.argv[1:])
