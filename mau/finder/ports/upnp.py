"""Asks a router by UPnP, with miniupnpc: what a home's router most likely speaks.

Searching and choosing is our own (`ssdp`): miniupnpc would fetch whatever URL anybody on the network names.
It gets one URL, on the gateway, and speaks only when the description sends it nowhere else. It blocks, so all
of this runs in a thread; one that a router holds fast is left behind and no second is started.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from mau.finder.ports import ssdp
from mau.finder.ports.mapping import FOREVER, SILENT, Failure, Gateway, Mapping, Method
from mau.hostport import Address

T = TypeVar("T")
_log = logging.getLogger("mau.finder")
DESCRIPTION: Final = "mau"
SEARCH_SECONDS: Final = 2.5
CALL_SECONDS: Final = 20.0
"""Seconds for a router to answer all that one step asks."""
_MAX_LOCATIONS: Final = 4
_OTHER_PORTS: Final = 5
_DYNAMIC: Final = (49152, 16384)
"""First and number of the ports that nobody registers (RFC 6335): where another external port is tried."""
# The names that miniupnpc gives to error codes 718 and 725 of WANIPConnection.
_CONFLICT: Final = "ConflictInMappingEntry"
_PERMANENT_ONLY: Final = "OnlyPermanentLeasesSupported"


class _NoRouter(Exception):
    """Nobody who may be believed answers, or what answers is no router."""


class UpnpSession:
    """A port of ours at one router, by UPnP."""

    method: Method = "upnp"

    def __init__(self, gateway: Gateway, port: int, *, group: Address = ssdp.GROUP) -> None:
        self._gateway = gateway
        self._port = port
        self._group = group
        self._igd: Any = None
        self._busy = False

    async def map(self, lease: int, external: Address | None = None) -> Mapping | Failure:
        """Search the router and ask for ``lease`` seconds; ``external`` is what it was until now."""
        return await self._in_thread(
            lambda: self._map(lease, self._port if external is None else external[1])
        )

    async def keep(self, mapping: Mapping, lease: int, *, renew: bool) -> Mapping | Failure:
        """See whether the entry and the address are still there; else, or to `renew` it, map again."""
        return await self._in_thread(lambda: self._keep(mapping, lease, renew))

    async def unmap(self, mapping: Mapping) -> None:
        """Remove the entry, if it is still ours."""
        await self._in_thread(lambda: self._unmap(mapping))

    async def _in_thread(self, call: Callable[[], T]) -> T | Failure:
        """Run a call in a thread that nobody has to wait for at the end of the program."""
        if self._busy:
            return Failure("does not finish its answer", answered=True)
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[T | Failure] = loop.create_future()

        def tell(result: T | Failure) -> None:
            if not ended.done():
                ended.set_result(result)

        def work() -> None:
            result: T | Failure
            try:
                result = call()
            except _NoRouter:
                result = SILENT
            except Exception as error:  # miniupnpc raises nothing more exact
                self._igd = None
                result = Failure(str(error)[:80] or "does not answer as a router", answered=True)
            self._busy = False
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(tell, result)

        self._busy = True
        threading.Thread(target=work, name="upnp", daemon=True).start()
        try:
            return await asyncio.wait_for(ended, CALL_SECONDS)
        except TimeoutError:
            self._igd = None
            return Failure("does not finish its answer", answered=True)

    # In the thread

    def _map(self, lease: int, wanted: int) -> Mapping:
        igd = self._router()
        address = str(igd.externalipaddress())
        if not _is_address(address):
            raise ValueError("has no address outside")
        ports = [wanted, *(_DYNAMIC[0] + secrets.randbelow(_DYNAMIC[1]) for _ in range(_OTHER_PORTS))]
        for port in ports:
            if not self._is_free(igd, port):
                continue
            try:
                until = self._add(igd, port, lease)
            except Exception as error:
                if str(error) != _CONFLICT:
                    raise
                continue
            outside, inside = (address, port), (self._gateway.internal, self._port)
            return Mapping("upnp", outside, inside, until, self._gateway.address)
        raise ValueError("gives the port to others")

    def _keep(self, mapping: Mapping, lease: int, renew: bool) -> Mapping:
        if self._igd is not None and not renew:
            with contextlib.suppress(Exception):  # asked for another time, from the search on
                same = str(self._igd.externalipaddress()) == mapping.external[0]
                if same and self._is_ours(self._igd, mapping.external[1]):
                    return mapping
        if self._igd is not None:
            with contextlib.suppress(Exception):
                return self._map(lease, mapping.external[1])
            self._igd = None
        return self._map(lease, mapping.external[1])

    def _unmap(self, mapping: Mapping) -> None:
        igd = self._router()
        if self._is_ours(igd, mapping.external[1]):
            igd.deleteportmapping(mapping.external[1], "TCP")

    def _add(self, igd: Any, port: int, lease: int) -> float:
        """Make or renew the entry; return until when it lasts, in unix seconds."""
        entry = (port, "TCP", self._gateway.internal, self._port, DESCRIPTION, "")
        try:
            igd.addportmapping(*entry, lease)
        except Exception as error:
            if str(error) != _PERMANENT_ONLY:
                raise
            igd.addportmapping(*entry, 0)
            return FOREVER
        return time.time() + lease

    def _is_free(self, igd: Any, port: int) -> bool:
        """Whether the port is nobody's or ours: some routers let one machine take another's."""
        return igd.getspecificportmapping(port, "TCP") is None or self._is_ours(igd, port)

    def _is_ours(self, igd: Any, port: int) -> bool:
        entry = igd.getspecificportmapping(port, "TCP")
        return entry is not None and tuple(entry[:2]) == (self._gateway.internal, self._port)

    def _router(self) -> Any:
        if self._igd is None:
            self._igd = self._find()
        return self._igd

    def _find(self) -> Any:
        import miniupnpc

        for location in self._search():
            igd = miniupnpc.UPnP()
            try:
                control = igd.selectigd(location)
            except Exception as error:  # no description there; another one may be
                _log.debug("no router's description at %s: %s", location, error)
                continue
            if ssdp.is_on(str(control), self._gateway.address):
                return igd
        raise _NoRouter

    def _search(self) -> list[str]:
        """Where the gateway says that its descriptions are."""
        found: list[str] = []
        until = time.monotonic() + SEARCH_SECONDS
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            with contextlib.suppress(OSError):
                own = socket.inet_aton(self._gateway.internal)
                asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
                asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
                asking.bind((self._gateway.internal, 0))
                for target in ssdp.TARGETS:
                    asking.sendto(ssdp.search(target), self._group)
            while len(found) < _MAX_LOCATIONS and (left := until - time.monotonic()) > 0:
                asking.settimeout(left)
                try:
                    packet, sender = asking.recvfrom(ssdp.MAX_PACKET + 1)
                except OSError:
                    break
                location = ssdp.read_location(packet, str(sender[0]), self._gateway.address)
                if location is not None and location not in found:
                    found.append(location)
                    until = min(
                        until, time.monotonic() + 0.5
                    )  # its other descriptions come at once, if at all
        return found


def _is_address(text: str) -> bool:
    """Whether a router's word for its address outside is one."""
    try:
        return not ipaddress.IPv4Address(text).is_unspecified
    except ValueError:
        return False
