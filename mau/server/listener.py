"""One listener: sockets, handshakes, limits on connections, an orderly end. Others decide on answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from mau.circuit.place import CircuitEnd
from mau.errors import MauError
from mau.server.connection import Answering, Connection, Connections
from mau.server.guard import Gate, Guard
from mau.server.limits import network_of
from mau.wire.tls import TLSContext

HANDSHAKE_SECONDS: Final = 10.0
_GOODBYE_SECONDS: Final = 30.0
"""For what is still in our buffers when a connection is closed, and for the other end's goodbye."""
_ACCEPT_PAUSE: Final = 0.1
_BACKLOG: Final = 128


@dataclass(eq=False, slots=True)
class _Guest:
    """One connection, from the first byte to the last."""

    network: str
    protocol: Connection
    socket: socket.socket
    friend: bool = False

    @property
    def idle(self) -> bool:
        """Whether it may be cut to make room: no friend's, and nothing of an answer is on its way."""
        return not self.friend and not self.protocol.busy

    def cut(self) -> None:
        """End it, whatever is still to be sent."""
        if self.protocol.met:
            self.protocol.abort()
            return
        # To cancel a handshake that has just begun would leave its socket open: it sees the end instead.
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


class Listener:
    """Takes connections on one port and lets ``app`` answer; one start for each."""

    def __init__(self, app: Answering, context: TLSContext | None, gate: Gate | None = None) -> None:
        """``context`` None: without TLS. ``gate``: what is allowed; without one, nobody is a friend."""
        self._gate = gate or Gate()
        self._app = Guard(app, self._gate)
        self._context = context
        self._http: Connections | None = None
        self._sockets: list[socket.socket] = []
        self._also: CircuitEnd | None = None
        self._accepting = False
        self._handshakes: set[asyncio.Task[Any]] = set()
        self._open: Counter[str] = Counter()
        self._guests: dict[_Guest, None] = {}
        self._met: set[Connection] = set()
        self._left = asyncio.Event()

    async def start(self, host: str, port: int, also: CircuitEnd | None = None) -> None:
        """Listen on every address of ``host``; "" is any, port 0 any free one. MauError when that fails.

        ``also``: for who is on this machine, and comes from no address.
        """
        self._sockets = await _listen(host, port)
        if also is not None and (local := also.listen()) is not None:
            self._sockets.append(local)
            self._also = also
        self._http = Connections(self._app)
        self._accepting = True
        for listener in self._sockets:
            self._watch(listener, self._http)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the first listening socket."""
        host, port = self._sockets[0].getsockname()[:2]
        return host, port

    @property
    def connections(self) -> int:
        """How many are open, those included that are shaking hands."""
        return len(self._guests)

    async def stop(self, grace: float = 5) -> None:
        """Accept nothing more, let what is being sent arrive within ``grace`` seconds, then cut."""
        if self._accepting:
            for listener in self._sockets:
                asyncio.get_running_loop().remove_reader(listener)
        self._accepting = False
        for guest in [guest for guest in self._guests if not guest.protocol.met]:
            guest.cut()
        await asyncio.gather(*self._handshakes, return_exceptions=True)
        if self._also is not None:
            self._also.leave()  # while it is open no other file has its number
        for listener in self._sockets:
            listener.close()
        if self._http is not None:
            ends = asyncio.get_running_loop().time() + grace
            self._http.pre_shutdown()
            await self._http.shutdown(grace)
            # An answer that was handed over may still be on its way through our own buffers.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(ends):
                    while self._met:
                        self._left.clear()
                        await self._left.wait()
            for connection in list(self._met):
                connection.abort()

    # --- connections ---------------------------------------------------------------------------------------

    def _watch(self, listener: socket.socket, http: Connections) -> None:
        """Accept whoever comes. (A task that is cancelled while it accepts would lose a socket.)"""
        if self._accepting:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener, http)

    def _accept(self, listener: socket.socket, http: Connections) -> None:
        try:
            connection, peer = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # the caller was gone before we looked
        except OSError:  # out of descriptors
            loop = asyncio.get_running_loop()
            loop.remove_reader(listener)
            loop.call_later(_ACCEPT_PAUSE, self._watch, listener, http)
            return
        connection.setblocking(False)
        # Through a circuit nobody comes from any address (spec/circuit.md R15).
        network = network_of(str(peer[0])) if isinstance(peer, tuple) else ""
        if self._has_room(network):
            self._shake_hands(connection, network, http)
        else:
            connection.close()

    def _has_room(self, network: str) -> bool:
        """Whether one more is taken. Who does nothing makes room for who comes: it may be a friend."""
        limits, refused = self._gate.limits, self._gate.counters.refused
        # All circuits are one network; whoever keeps them limits each relay (spec/circuit.md R14).
        most = limits.connections_per_address if network else limits.connections // 2
        if not self._gate.allowance.handshake(network, asyncio.get_running_loop().time()):
            refused["too often"] += 1
        elif self._open[network] >= most and not self._make_room(network):
            refused["address"] += 1
        elif len(self._guests) >= limits.connections and not self._make_room():
            refused["all"] += 1
        else:
            return True
        return False

    def _make_room(self, network: str | None = None, met: bool = False) -> bool:
        """Cut who has been idle and no friend for the longest; of one network, or of those it ``met``."""
        for guest in self._guests:
            if guest.idle and network in (None, guest.network) and guest.protocol.met >= met:
                self._gate.counters.refused["made room"] += 1
                self._forget(guest)
                guest.cut()
                return True
        return False

    def _forget(self, guest: _Guest) -> None:
        """Count it no longer."""
        if guest in self._guests:
            del self._guests[guest]
            self._open[guest.network] -= 1
            if self._open[guest.network] <= 0:
                del self._open[guest.network]

    def _enter(self, guest: _Guest) -> None:
        """The handshake succeeded."""
        gate, protocol = self._gate, guest.protocol
        gate.counters.handshakes["done"] += 1
        self._met.add(protocol)
        guest.friend = gate.is_friend(protocol.proven)
        if guest.friend:
            gate.allowance.handshake_of_friend(guest.network, asyncio.get_running_loop().time())
            return
        strangers = sum(one.protocol.met and not one.friend for one in self._guests)
        if strangers > gate.limits.stranger_connections:
            self._make_room(met=True)

    def _shake_hands(self, connection: socket.socket, network: str, http: Connections) -> None:
        """Begin the handshake; from then on the connection belongs to its protocol."""
        protocol, loop = http(), asyncio.get_running_loop()
        guest = _Guest(network, protocol, connection)
        taken = False

        def take() -> Connection:
            nonlocal taken
            taken = True
            return protocol

        def leave() -> None:
            self._forget(guest)
            self._met.discard(protocol)
            self._left.set()

        def broken(request: web.BaseRequest, status: int) -> None:
            gate, proven = self._gate, protocol.proven
            gate.note(request, proven, gate.visitor(proven), status, 0, loop.time())

        def shaken(task: asyncio.Task[Any]) -> None:
            self._handshakes.discard(task)
            if not taken:
                connection.close()
            if not protocol.met:
                self._gate.counters.handshakes["failed"] += 1
                leave()
            if not task.cancelled():
                task.exception()  # whoever cannot shake hands is not worth a line in a log

        self._open[network] += 1
        self._guests[guest] = None
        protocol.enter = lambda: self._enter(guest)
        protocol.leave = leave
        protocol.broken = broken
        task = asyncio.create_task(
            loop.connect_accepted_socket(
                take,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if self._context else None,
                ssl_shutdown_timeout=_GOODBYE_SECONDS if self._context else None,
            ),
            name="mau-handshake",
        )
        self._handshakes.add(task)
        task.add_done_callback(shaken)


async def _listen(host: str, port: int) -> list[socket.socket]:
    """Listening sockets for every address of ``host`` ("" is any), all on one port."""
    loop = asyncio.get_running_loop()
    sockets: list[socket.socket] = []
    try:
        found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        places = dict.fromkeys(found)
        for family, kind, protocol, _, address in places:
            if family == socket.AF_INET6 and not _has_ipv6():
                continue
            listener = socket.socket(family, kind, protocol)
            sockets.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:  # next to an IPv4 one of the same port it must keep to itself
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, len(places) > 1)
            chosen = sockets[0].getsockname()[1] if len(sockets) > 1 else port
            listener.bind((address[0], chosen, *address[2:]))
            listener.listen(_BACKLOG)
            listener.setblocking(False)
    except (OSError, OverflowError) as error:
        for listener in sockets:
            listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise MauError(f"cannot listen on {host or '*'}:{port}: {reason}") from error
    return sockets


def _has_ipv6() -> bool:
    """Whether this machine speaks IPv6 at all: a container without it still resolves ``::``."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
