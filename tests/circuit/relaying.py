"""Being registered at circuit relays, as `mau up` is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing

from mau.account import Account
from mau.addressbook import AddressBook
from mau.circuit.place import CircuitEnd
from mau.finder.circuits import Registrar
from mau.fingerprint import Fingerprint
from mau.hostport import Address

PATIENCE = 20.0


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that nobody tells of."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@asynccontextmanager
async def registered(
    account: Account,
    *relays: tuple[Fingerprint, Address],
    end: CircuitEnd | None = None,
    cares: Callable[[Fingerprint], bool] = lambda _: True,
) -> AsyncIterator[Registrar]:
    """Registered at all these relays; what comes in goes to the server of the account, or to ``end``."""
    with closing(AddressBook(account.root)) as book:
        for relay, address in relays:
            book.proven(relay, *address)
        wanted = [relay for relay, _ in relays]
        registrar = Registrar(
            account.identity(), book, end or CircuitEnd(account.root), lambda: wanted, cares=cares
        )
        stop = asyncio.Event()
        task = asyncio.create_task(registrar.run(stop))
        try:
            await until(lambda: set(registrar.relays) == set(wanted))
            yield registrar
        finally:
            stop.set()
            await task
