"""Telling the service manager how things stand: the datagrams of sd_notify(3).

A program that systemd started with ``Type=notify`` finds the socket's address in NOTIFY_SOCKET and says there
that it is ready, what it does, and that it is alive. Where nobody asked for it, nothing is said.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from typing import Final

ADDRESS: Final = "NOTIFY_SOCKET"
WATCHDOG: Final = "WATCHDOG_USEC"
WATCHDOG_PROCESS: Final = "WATCHDOG_PID"
_LONGEST: Final = 1000  # characters of a status
_log = logging.getLogger("mau.notify")


class Notifier:
    """The way to the service manager, if there is one."""

    def __init__(self, address: str | None = None, watchdog: float | None = None) -> None:
        """``address``: a path, or ``@NAME`` for an abstract socket. ``watchdog``: seconds, see below."""
        self._address = address
        self.watchdog = watchdog
        """The manager ends who is silent for so many seconds; None when it does not watch."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Notifier:
        """As the manager says in the environment; what is not understood there is passed over."""
        environ = os.environ if environ is None else environ
        address = environ.get(ADDRESS, "")
        if not address.startswith(("/", "@")):  # others (vsock) are for virtual machines
            return cls()
        meant = environ.get(WATCHDOG_PROCESS, str(os.getpid())) == str(os.getpid())
        length = environ.get(WATCHDOG, "")
        wanted = meant and length.isascii() and length.isdecimal() and int(length) > 0
        return cls(address, int(length) / 1_000_000 if wanted else None)

    def ready(self, status: str) -> bool:
        """Starting is over."""
        return self._send("READY=1", _status(status))

    def status(self, words: str) -> bool:
        """One line for `systemctl status`."""
        return self._send(_status(words))

    def stopping(self) -> bool:
        """The end has begun."""
        return self._send("STOPPING=1")

    def alive(self) -> bool:
        """For the watchdog."""
        return self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> bool:
        """Say it; False when nobody listens. A manager that does not listen is no reason to stop."""
        if self._address is None:
            return False
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode("utf-8", "replace"), address)
        except OSError as error:
            _log.debug("the service manager does not listen at %r: %s", self._address, error)
            return False
        return True


def _status(words: str) -> str:
    """A field is a line."""
    return f"STATUS={' '.join(words.split())[:_LONGEST]}"
