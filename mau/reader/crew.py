"""Processes that open posts beside this one: OpenPGP holds the interpreter, threads would not help (RU5).

Each child is a program of its own (``python -m mau.reader.worker``), no fork: this one may have threads. It
is given the key and the certificates through a pipe, and ends with that pipe.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, Final

from mau.reader.looking import Found

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring
    from mau.tree.index import Entry

MOST: Final = 8
_AT_ONCE: Final = 64
_LENGTH: Final = 8


@dataclass(frozen=True, slots=True)
class Briefing:
    """What a child has to know: the tree, the key, who is to be verified with which certificate, and whose
    each key id is."""

    root: str
    secret: bytes
    certificates: dict[bytes, bytes]
    owners: dict[bytes, bytes]
    whole: bool
    """Whether the posts themselves are wanted, or only what they are."""


def size() -> int:
    """How many processes are worth their start on this machine; 0: none."""
    cores = os.cpu_count() or 1
    return min(cores, MOST) if cores > 1 else 0


def brief(account: Account, keyring: Keyring, *, whole: bool) -> Briefing:
    """What the children of this account are told."""
    people = [keyring.me, *keyring.people()]  # the owner's key is brought up to date by that
    certificates = {person.fingerprint.raw: bytes(person.certificate) for person in people}
    owners: dict[bytes, bytes] = {}
    for person in people:
        for keyid in person.certificate.encryption_keyids:
            owner = keyring.owner_of(keyid)
            if owner is not None:
                owners[keyid] = owner.raw
    return Briefing(
        str(account.root.path),
        account.key.transferable,
        certificates,
        owners,
        whole,
    )


def open_all(
    briefing: Briefing, entries: Sequence[Entry], count: int
) -> Generator[tuple[Entry, Found], None, None]:
    """What became of each file, about in the order of `entries`. OSError when a child is lost.

    Whoever stops early ends the children.
    """
    children: SimpleQueue[_Child] = SimpleQueue()
    everyone: list[_Child] = []

    def work(some: Sequence[Entry]) -> list[tuple[Entry, Found]]:
        child = children.get()
        try:
            return list(zip(some, child.ask(some), strict=True))
        finally:
            children.put(child)

    batches = (entries[at : at + _AT_ONCE] for at in range(0, len(entries), _AT_ONCE))
    threads = ThreadPoolExecutor(count, "mau-reader")
    try:
        for _ in range(count):
            everyone.append(_Child(briefing))
            children.put(everyone[-1])
        # No more is under way than keeps everybody busy: results of 100,000 posts would fill the memory.
        waiting = [threads.submit(work, some) for some in islice(batches, 2 * count)]
        while waiting:
            done = waiting.pop(0).result()
            waiting += [threads.submit(work, some) for some in islice(batches, 1)]
            yield from done
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for child in everyone:
            child.end()
        threads.shutdown(wait=True)


class _Child:
    """One process, for one thread at a time."""

    def __init__(self, briefing: Briefing) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mau.reader.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if not name.startswith("MAU_")},
            start_new_session=True,  # Ctrl-C is for the parent, who ends it
        )
        try:
            send(self._into, briefing)
        except BaseException:
            self.end()
            raise

    @property
    def _into(self) -> IO[bytes]:
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        return self._process.stdin

    @property
    def _out(self) -> IO[bytes]:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        return self._process.stdout

    def ask(self, entries: Sequence[Entry]) -> list[Found]:
        send(self._into, [(one.author.raw, one.name, one.hidden, one.sha256) for one in entries])
        answer = receive(self._out)
        if answer is None:
            raise OSError("a process that opens posts has ended")
        found: list[Found] = answer
        return found

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what could not be written any more
                    continue


def send(pipe: IO[bytes], value: Any) -> None:
    """Write one value."""
    data = pickle.dumps(value)
    pipe.write(len(data).to_bytes(_LENGTH, "big") + data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Read one value; None at the end. Both ends are this program."""
    head = pipe.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    data = pipe.read(int.from_bytes(head, "big"))
    return pickle.loads(data) if len(data) == int.from_bytes(head, "big") else None  # noqa: S301
