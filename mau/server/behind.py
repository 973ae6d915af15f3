"""Who is behind the circuit relay of this server, told to the address book (spec/circuit.md R19).

The owner's own programs reach them as everybody else does: through the relay, which is on this machine.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Callable
from concurrent.futures import Executor

from mau.account import Account
from mau.addressbook import AddressBook
from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.hostport import Address


class Behind:
    """Notes everybody once in the life of a server."""

    def __init__(self, account: Account, threads: Executor, where: Callable[[], Address]) -> None:
        """``where``: where the server listens."""
        self._account = account
        self._threads = threads
        self._where = where
        self._noted: set[Fingerprint] = set()

    def note(self, who: Fingerprint) -> None:
        """Somebody registered; noted soon, in a thread."""
        if who not in self._noted and who != self._account.fingerprint:
            self._noted.add(who)
            self._threads.submit(self._write, who, from_here(self._where()))

    def _write(self, who: Fingerprint, here: Address) -> None:
        own = self._account.fingerprint
        with contextlib.suppress(MauError, OSError):  # derived state: the next start notes it again
            book = AddressBook(self._account.root)
            try:
                book.told_all(own, [here], source="told")
                book.told_route(who, own, source="asked")
            finally:
                book.close()


def from_here(listens: Address) -> Address:
    """Where this machine reaches a server that listens there."""
    host, port = listens
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return listens
    if not found.is_unspecified:
        return listens
    return ("127.0.0.1" if found.version == 4 else "::1"), port
