"""How the workers of `mau up` are: values, the file where they stand, and who holds the tree's daemon.

``.daemon/lock`` is held by the process that runs; ``.daemon/status.json`` says how its workers are. Both are
derived (spec/tree.md L6): a status without a holder is what was left by one that ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from mau.errors import AlreadyRunning, TreeError
from mau.tree import safe
from mau.tree.layout import Root

Doing = Literal["starting", "running", "waiting", "stopped"]

_STATUS: Final = "status.json"
_LOCK: Final = "lock"
_MOST: Final = 1 << 20  # bytes of the file
_ATTEMPTS: Final = 10
_PAUSE: Final = 0.05  # seconds; who asks for the status holds the lock for less


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """How one worker is."""

    name: str
    state: Doing = "starting"
    since: float = 0.0
    """When that began, in unix seconds."""
    failures: int = 0
    """How often it failed in a row."""
    error: str = ""
    """What went wrong last, in words; it stays after the worker runs again."""
    failed_at: float | None = None
    """When that was, in unix seconds."""
    next_try: float | None = None
    """While it waits: when it is started again, in unix seconds."""

    def words(self, now: float) -> str:
        """For people, in one line."""
        if self.state == "waiting" and self.next_try is not None:
            return f"{self.name}: {self.error}; again in {max(self.next_try - now, 0):.0f} s"
        return f"{self.name} {self.state}"


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """What `mau up` says of itself. `pid` is None when it does not run."""

    pid: int | None
    started: float
    workers: tuple[WorkerStatus, ...]


@contextlib.contextmanager
def only_one(root: Root) -> Iterator[Path]:
    """Be the one that runs the workers of this tree; AlreadyRunning. Gives the directory of the status."""
    directory = root.state_dir("daemon")
    with _lock_file(directory) as lock:
        for attempt in range(_ATTEMPTS):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == _ATTEMPTS - 1:
                    raise AlreadyRunning(
                        f"`mau up` runs on {str(root.path)!r} already; `mau status` shows how it is"
                    ) from None
                time.sleep(_PAUSE)
        yield directory


def write_status(directory: Path, started: float, workers: Sequence[WorkerStatus]) -> None:
    """Put down how the workers are."""
    facts = {"pid": os.getpid(), "started": started, "workers": [asdict(worker) for worker in workers]}
    safe.write_bytes(directory / _STATUS, json.dumps(facts, indent=2).encode() + b"\n")


def read_status(root: Root) -> DaemonStatus | None:
    """How the workers are, or were when it ended; None when nothing is known."""
    directory = root.path / ".daemon"
    try:
        facts = json.loads(safe.read_bytes(directory / _STATUS, _MOST))
        status = _status(facts)
    except (TreeError, OSError, ValueError, TypeError, KeyError):
        return None
    return status if _is_held(directory) else DaemonStatus(None, status.started, status.workers)


def _status(facts: dict[str, Any]) -> DaemonStatus:
    workers = tuple(WorkerStatus(**worker) for worker in facts["workers"])
    return DaemonStatus(int(facts["pid"]), float(facts["started"]), workers)


def _is_held(directory: Path) -> bool:
    with contextlib.suppress(FileNotFoundError), _lock_file(directory) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.contextmanager
def _lock_file(directory: Path) -> Iterator[int]:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with safe.closing(os.open(directory / _LOCK, flags, 0o600)) as lock:
        yield lock
