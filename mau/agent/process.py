"""The agent itself: holds keys in memory, gives them to processes of the same user, and forgets them in time.

One thread, one connection at a time, no library but the standard one: little that could leave a copy behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mau.agent.memory import Secret, close_to_others
from mau.agent.place import LOCK, SOCKET
from mau.agent.talk import Head, Limited, Line, TalkError, is_same_user, receive_head, receive_key, send_head

MAX_HELD: Final = 64
MAX_SECONDS: Final = 31 * 24 * 3600
_PATIENCE: Final = 2.0  # seconds for one piece of what a client says; the others wait meanwhile
_WHOLE: Final = 5.0  # ... and for all of it: whoever drips must not keep a key beyond its time
_CHECK: Final = 5.0  # seconds between two looks at whether the socket is still there
_SOON: Final = 0.1


@dataclass(slots=True)
class Held:
    """An account that is open: the tree it lies in, and the sha256 of the account file that it was."""

    tree: str
    account: str
    fingerprint: str
    until: float
    secret: Secret


def now() -> float:
    """Seconds of a clock that nobody can set, and that goes on while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()  # pragma: no cover - not on Linux


class Agent:
    """Answers on a listening socket until it holds nothing any more, or its socket is gone."""

    def __init__(self, listener: socket.socket, directory: Path, clock: Callable[[], float] = now) -> None:
        self._listener = listener
        self._directory = directory
        self._clock = clock
        self._held: dict[tuple[str, str], Held] = {}
        self._inode = (directory / SOCKET).stat().st_ino

    def serve(self) -> None:
        """Until there is nothing more to do. Whatever ends it, the keys are overwritten."""
        try:
            while True:
                self._expire()
                if not self._is_in_place():
                    return
                if not self._held and self._leave():
                    return
                if select.select([self._listener], [], [], self._patience())[0]:
                    self._meet()
        finally:
            for held in list(self._held.values()):
                self._forget(held)
            self._listener.close()

    def _patience(self) -> float:
        if not self._held:
            return _SOON  # somebody is just coming
        soonest = min(held.until for held in self._held.values()) - self._clock()
        return max(min(soonest, _CHECK), 0.0)

    def _expire(self) -> None:
        for held in [one for one in self._held.values() if one.until <= self._clock()]:
            self._forget(held)

    def _forget(self, held: Held) -> None:
        self._held.pop((held.tree, held.account), None)
        held.secret.wipe()

    def _forget_others(self, tree: str, account: str | None = None) -> None:
        """Forget what is held of a tree, but for one account file."""
        for held in [one for one in self._held.values() if one.tree == tree and one.account != account]:
            self._forget(held)

    # --- the place -----------------------------------------------------------------------------------------

    def _is_in_place(self) -> bool:
        """Whether the socket can still be found; the directory goes when the user logs out."""
        try:
            return (self._directory / SOCKET).lstat().st_ino == self._inode
        except OSError:
            return False

    def _leave(self) -> bool:
        """Remove the socket, unless somebody who holds the lock is just about to bring a key (A5)."""
        try:
            lock = os.open(
                self._directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
        except OSError:
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._is_in_place():
                (self._directory / SOCKET).unlink(missing_ok=True)
        except BlockingIOError:
            return False
        finally:
            os.close(lock)
        return True

    # --- one question --------------------------------------------------------------------------------------

    def _meet(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError, TalkError):
            if is_same_user(connection, os.geteuid()):
                line = Limited(connection, _PATIENCE, _WHOLE)
                self._answer(line, receive_head(line))

    def _answer(self, connection: Line, question: Head) -> None:
        self._expire()
        match question:
            case {"do": "give", "tree": str(tree), "account": str(account)}:
                # Who asks for another account file has it before him: of what it took the place is no use.
                self._forget_others(tree, account)
                self._give(connection, self._held.get((tree, account)))
            case {
                "do": "hold",
                "tree": str(tree),
                "account": str(account),
                "fingerprint": str(fingerprint),
                "seconds": int(seconds),
                "size": size,
            } if 0 < seconds <= MAX_SECONDS:
                self._hold(connection, tree, account, fingerprint, seconds, size)
            case {"do": "drop", "tree": None | str() as tree}:
                dropped = [one for one in self._held.values() if tree in (None, one.tree)]
                for held in dropped:
                    self._forget(held)
                send_head(connection, {"dropped": len(dropped)})
            case {"do": "list"}:
                send_head(connection, {"held": [self._facts(held) for held in self._held.values()]})
            case _:
                send_head(connection, {"error": "the agent does not understand"})

    def _give(self, connection: Line, held: Held | None) -> None:
        if held is None:
            send_head(connection, {"size": 0})
            return
        send_head(connection, {"size": len(held.secret.view)})
        connection.sendall(held.secret.view)

    def _hold(
        self, connection: Line, tree: str, account: str, fingerprint: str, seconds: int, size: object
    ) -> None:
        if len(self._held) >= MAX_HELD:
            send_head(connection, {"error": "the agent holds too many accounts"})
            return
        secret = receive_key(connection, size)
        # Of one tree there is one account, and it is the last that was brought.
        self._forget_others(tree)
        self._held[tree, account] = Held(tree, account, fingerprint, self._clock() + seconds, secret)
        send_head(connection, {"locked": secret.locked})

    def _facts(self, held: Held) -> dict[str, Any]:
        return {
            "tree": held.tree,
            "account": held.account,
            "fingerprint": held.fingerprint,
            "seconds": max(int(held.until - self._clock()), 0),
            "locked": held.secret.locked,
        }


def main(arguments: list[str]) -> None:
    """``FD DIRECTORY``: a listening socket that was inherited, and the directory in which it lies."""
    descriptor, directory = arguments
    close_to_others()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    Agent(socket.socket(fileno=int(descriptor)), Path(directory)).serve()
