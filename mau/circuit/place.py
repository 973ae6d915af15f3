"""Where circuits end on this machine: a socket in the tree that the server listens on (spec/circuit.md R16).

The finder keeps the circuits and the server answers in them; they meet here, as they meet in the address
book. A connection that comes in here comes from no address: nothing that is decided by addresses applies.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Final

from mau.tree.layout import Root

_NAME: Final = "circuit"
_BACKLOG: Final = 64


class CircuitEnd:
    """The socket of one tree; only who owns the tree can connect to it."""

    def __init__(self, root: Root) -> None:
        self._directory = root.state_dir("server")
        self._bound: tuple[int, int] | None = None

    def listen(self) -> socket.socket | None:
        """A listening socket; None where there can be none. The one before it, of whoever, is gone."""
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _reachable(self._directory) as place:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(place)  # noqa: PTH108 - a name below an open directory
                # (The umask is every thread's. Where this has no effect, the directory keeps others out.)
                with contextlib.suppress(OSError):
                    os.fchmod(found.fileno(), 0o600)
                found.bind(place)
                self._bound = _identity(place)
            found.listen(_BACKLOG)
            found.setblocking(False)
        except OSError:
            found.close()
            return None
        return found

    def leave(self) -> None:
        """Take away the name of what `listen` gave, before that is closed; one that another has put in its
        place stays."""
        bound, self._bound = self._bound, None
        if bound is None:
            return
        with contextlib.suppress(OSError), _reachable(self._directory) as place:
            if _identity(place) == bound:
                os.unlink(place)  # noqa: PTH108 - a name below an open directory

    def connect(self) -> socket.socket:
        """A connection to the server; OSError when none listens."""
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            found.setblocking(False)  # a server that is behind is no reason to wait
            with _reachable(self._directory) as place:
                found.connect(place)
        except OSError:
            found.close()
            raise
        return found


def _identity(place: str) -> tuple[int, int]:
    found = os.lstat(place)
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def _reachable(directory: os.PathLike[str]) -> Iterator[str]:
    """A name for the socket that is short enough: the system takes no more than 107 bytes of one."""
    place = os.path.join(directory, _NAME)  # noqa: PTH118
    if len(os.fsencode(place)) < 100:
        yield place
        return
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{opened}/{_NAME}"
    finally:
        os.close(opened)
