"""Reaching a peer: address after address, until he proves to be there and answers (spec/sync.md S1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from typing import Protocol, TypeVar

from mau.addressbook import AddressBook
from mau.errors import IdentityError, PeerError, PeerMisbehaved, PeerNotFound
from mau.fingerprint import Fingerprint
from mau.hostport import Address, format_address
from mau.wire.client import PeerClient, Timeouts
from mau.wire.identity import Identity

T = TypeVar("T")


class Caller(Protocol):
    """Who asks: with which identity (None: as a stranger), how patiently, and the book where it is noted."""

    @property
    def identity(self) -> Identity | None: ...
    @property
    def book(self) -> AddressBook: ...
    @property
    def timeouts(self) -> Timeouts | None: ...


async def reach(
    caller: Caller,
    peer: Fingerprint,
    where: Iterable[Address],
    stack: AsyncExitStack,
    ask: Callable[[PeerClient], Awaitable[T]],
) -> tuple[PeerClient, Address, T]:
    """The first address where ``ask`` gets its answer; the client lives as long as ``stack``.

    Otherwise the error that tells most: somebody else's proof before silence. PeerNotFound without addresses.
    """
    problem: PeerError | IdentityError | None = None
    for host, port in where:
        async with AsyncExitStack() as trial:
            client = PeerClient(caller.identity, peer, host, port, timeouts=caller.timeouts)
            try:
                await trial.enter_async_context(client)
                answer = await ask(client)
            except (PeerError, IdentityError) as error:
                if not isinstance(error, PeerMisbehaved):
                    caller.book.failed(peer, host, port, there=error.there)
                if not isinstance(problem, IdentityError):
                    problem = type(error)(f"{format_address((host, port))}: {error}")
                continue
            caller.book.proven(peer, host, port)
            await stack.enter_async_context(trial.pop_all())
            return client, (host, port), answer
    raise problem or PeerNotFound("no address is known; say --at HOST:PORT once, it will be remembered")
