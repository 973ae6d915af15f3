"""Asks a router by PCP and by NAT-PMP: a datagram, an answer from the address that was asked, or silence.

The socket is connected, so the kernel drops what anybody else sends (RFC 6886 section 3.1, RFC 6887 section
8.3). Questions are repeated after 1/4, 1/2, 1 second, as NAT-PMP has it, and given up 2 seconds later: a
router on the same network answers at once or not at all, and the keeper comes back.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from mau.finder.ports import natpmp, pcp
from mau.finder.ports.mapping import MAX_LEASE, SILENT, Failure, Gateway, Mapping, Method
from mau.hostport import Address

PATIENCE: Final = (0.25, 0.5, 1.0, 2.0)
"""Seconds that are waited after each sending of a question."""
HASTE: Final = (0.25, 0.5, 1.0)
"""The same at the end, when somebody waits for us."""
T = TypeVar("T")


class _Answers(asyncio.DatagramProtocol, Generic[T]):
    """Keeps the first datagram that is an answer."""

    def __init__(self, read: Callable[[bytes], T | None], answer: asyncio.Future[T]) -> None:
        self._read = read
        self._answer = answer

    def datagram_received(self, data: bytes, _addr: object) -> None:
        if not self._answer.done() and (found := self._read(data)) is not None:
            self._answer.set_result(found)

    def error_received(self, exc: Exception) -> None:
        if not self._answer.done():
            self._answer.set_exception(exc)  # nobody listens there


async def ask(
    gateway: Gateway,
    port: int,
    question: bytes,
    read: Callable[[bytes], T | None],
    patience: tuple[float, ...],
) -> T | None:
    """Send a question until ``read`` finds an answer in what comes back; None when the patience ends."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()
    try:
        connected = _connected(gateway, port)
    except OSError:
        return None
    transport, _ = await loop.create_datagram_endpoint(lambda: _Answers(read, answer), sock=connected)
    try:
        for wait in patience:
            transport.sendto(question)
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(asyncio.shield(answer), wait)
        return None
    except OSError:
        return None
    finally:
        transport.close()
        if not answer.cancel():
            answer.exception()  # looked at: nobody has to be told


def _connected(gateway: Gateway, port: int) -> socket.socket:
    """A socket from our address on that network to the router, and to nobody else."""
    family = socket.AF_INET6 if gateway.v6 else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        if gateway.v6:
            made.bind((gateway.internal, 0))
            made.connect((gateway.address, port, 0, socket.if_nametoindex(gateway.interface)))
        else:
            made.bind((gateway.internal, 0))
            made.connect((gateway.address, port))
    except OSError:
        made.close()
        raise
    return made


class PcpSession:
    """A port of ours at one router, by PCP."""

    method: Method = "pcp"

    def __init__(self, gateway: Gateway, port: int, *, control: int = natpmp.PORT) -> None:
        self._gateway = gateway
        self._port = port
        self._control = control
        self._nonce = os.urandom(pcp.NONCE_SIZE)

    async def map(self, lease: int, external: Address | None = None) -> Mapping | Failure:
        """Ask for ``lease`` seconds; ``external`` is what it was until now."""
        answer = await self._ask(lease, external, PATIENCE)
        if answer is None:
            return SILENT
        if isinstance(answer, pcp.Refused):
            return Failure(answer.words, answered=answer.code != 1)
        if not answer.lifetime:
            return Failure("gives no time", answered=True)
        return Mapping(
            "pcp",
            (answer.external_address, answer.external_port),
            (self._gateway.internal, self._port),
            time.time() + min(answer.lifetime, MAX_LEASE),
            self._gateway.address,
        )

    async def keep(self, mapping: Mapping, lease: int, *, renew: bool) -> Mapping | Failure:
        """See whether it still holds. Asking again is how PCP does that, and mends it when it does not."""
        return await self.map(lease, mapping.external)

    async def unmap(self, mapping: Mapping) -> None:
        """Remove it; a router that is silent forgets it when the lease ends."""
        await self._ask(0, mapping.external, HASTE)

    async def _ask(
        self, lease: int, external: Address | None, patience: tuple[float, ...]
    ) -> pcp.Mapped | pcp.Refused | None:
        question = pcp.ask_map(self._gateway.internal, self._nonce, self._port, external, lease)

        def read(packet: bytes) -> pcp.Mapped | pcp.Refused | None:
            return pcp.read_map(packet, self._nonce, self._port, v6=self._gateway.v6)

        return await ask(self._gateway, self._control, question, read, patience)


class NatPmpSession:
    """A port of ours at one router, by NAT-PMP."""

    method: Method = "natpmp"

    def __init__(self, gateway: Gateway, port: int, *, control: int = natpmp.PORT) -> None:
        self._gateway = gateway
        self._port = port
        self._control = control
        self._made: natpmp.Epoch | None = None
        self._last: natpmp.Epoch | None = None

    async def address(self) -> str | Failure:
        """The router's address on the other side; maps nothing."""
        answer: natpmp.ExternalAddress | natpmp.Refused | None = await ask(
            self._gateway, self._control, natpmp.ask_address(), natpmp.read_address, PATIENCE
        )
        if answer is None:
            return SILENT
        if isinstance(answer, natpmp.Refused):
            return Failure(answer.words, answered=answer.code != 1)
        self._last = natpmp.Epoch(answer.epoch, time.monotonic())
        if ipaddress.IPv4Address(answer.address).is_unspecified:  # section 3.2: it is not connected
            return Failure("has no address outside", answered=True)
        return answer.address

    async def map(self, lease: int, external: Address | None = None) -> Mapping | Failure:
        """Ask for ``lease`` seconds; ``external`` is what it was until now."""
        address = await self.address()
        return address if isinstance(address, Failure) else await self._map(address, lease, external)

    async def keep(self, mapping: Mapping, lease: int, *, renew: bool) -> Mapping | Failure:
        """See whether the router still has the address that it had and did not forget; else map again."""
        known = (self._last, self._made)
        address = await self.address()
        if isinstance(address, Failure):
            return address
        now = self._last
        # Against the last answer, and against the mapping's: a slow clock hides a short life from either.
        forgot = now is not None and any(one is not None and one.forgot(now) for one in known)
        if not renew and not forgot and address == mapping.external[0]:
            return mapping
        return await self._map(address, lease, mapping.external)

    async def unmap(self, mapping: Mapping) -> None:
        """Remove it; a router that is silent forgets it when the lease ends."""
        await self._ask(natpmp.ask_map(self._port, 0, 0), HASTE)

    async def _map(self, address: str, lease: int, external: Address | None) -> Mapping | Failure:
        wanted = self._port if external is None else external[1]
        answer = await self._ask(natpmp.ask_map(self._port, wanted, lease), PATIENCE)
        if answer is None:
            return SILENT
        if isinstance(answer, natpmp.Refused):
            return Failure(answer.words, answered=True)
        if not answer.lifetime:
            return Failure("gives no time", answered=True)
        self._made = natpmp.Epoch(answer.epoch, time.monotonic())
        return Mapping(
            "natpmp",
            (address, answer.external_port),
            (self._gateway.internal, self._port),
            time.time() + min(answer.lifetime, MAX_LEASE),
            self._gateway.address,
        )

    async def _ask(
        self, question: bytes, patience: tuple[float, ...]
    ) -> natpmp.Mapped | natpmp.Refused | None:
        def read(packet: bytes) -> natpmp.Mapped | natpmp.Refused | None:
            return natpmp.read_map(packet, self._port)

        return await ask(self._gateway, self._control, question, read, patience)
