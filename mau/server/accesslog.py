"""The access log: one line of JSON for each request (spec/http.yaml H58). Written behind the event loop."""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.wire.paths import loggable

_WAITING: Final = 10_000
"""Lines that wait for a slow disk or pipe; what is beyond is counted and not written."""
_LONGEST: Final = 1024
_log = logging.getLogger("mau.server")


@dataclass(frozen=True, slots=True)
class Access:
    """One request and its answer. ``time`` in unix seconds, ``size`` in bytes of body."""

    time: float
    proven: Fingerprint | None
    address: str
    method: str
    path: str
    status: int
    size: int
    seconds: float


def line(access: Access) -> str:
    """The line, without its end. What came from outside is cut to length, and is ASCII without controls.

    Of the path nothing is kept that may be for one visitor alone: what follows ``?``, the token of an invite.
    """
    words = {
        "time": datetime.fromtimestamp(access.time, UTC).isoformat(timespec="milliseconds"),
        "fingerprint": access.proven.hex if access.proven else "-",
        "address": access.address,
        "method": access.method[:32],
        "path": loggable(access.path)[:_LONGEST],
        "status": access.status,
        "bytes": access.size,
        "seconds": round(access.seconds, 6),
    }
    return json.dumps(words).replace("\x7f", "\\u007f")


class AccessLog:
    """Appends lines to a file, or to standard output for "-". Never makes the server wait or fail."""

    def __init__(self, place: str) -> None:
        """MauError when the file cannot be opened; it is made for its owner alone."""
        self._lines: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._dropped = 0
        self._complained = False
        self._out = os.dup(sys.stdout.fileno()) if place == "-" else _opened(Path(place))
        self._thread = threading.Thread(target=self._write, name="mau-access-log", daemon=True)
        self._thread.start()

    def note(self, access: Access) -> None:
        """Write it soon."""
        try:
            self._lines.put_nowait(line(access))
        except queue.Full:
            self._dropped += 1

    def close(self) -> None:
        """Write what waits, for two seconds at most."""
        try:
            self._lines.put(None, timeout=1)
        except queue.Full:
            return
        self._thread.join(1)

    def _write(self) -> None:
        while (text := self._lines.get()) is not None:
            dropped, self._dropped = self._dropped, 0
            if dropped:
                text += "\n" + json.dumps({"dropped": dropped})
            try:
                rest = memoryview(f"{text}\n".encode())
                while rest:
                    rest = rest[os.write(self._out, rest) :]
            except OSError as error:
                if not self._complained:
                    _log.warning("the access log cannot be written: %s", error.strerror)
                self._complained = True
        os.close(self._out)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise MauError(f"cannot write the access log {str(path)!r}: {error.strerror}") from error
