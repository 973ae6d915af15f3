"""What may reach zeroconf: datagrams from this very network, and not more than somebody honest sends.

A socket for mDNS hears more than its network: on Linux every group that any program joined on any interface,
and whatever is sent to port 5353 from afar. RFC 6762 section 11 has both dropped; zeroconf answers them.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from typing import Any, Final

from mau.finder.mdns.budget import Budget, Budgets
from mau.finder.mdns.network import IP, Network

_log = logging.getLogger(__name__)

EVERYBODY: Final = (1_000.0, 250.0)
"""Datagrams at once and a second, of all together."""
ONE: Final = (200.0, 20.0)
"""The same, of one address."""
_SENDERS: Final = 1_024


class Guard:
    """Judges the datagrams of one network. Times in seconds."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._all = Budget(*EVERYBODY)
        self._each = Budgets(*ONE, _SENDERS)

    def admits(self, sender: tuple[Any, ...], now: float) -> bool:
        """Whether a datagram from there is listened to; ``sender`` as the socket names it."""
        try:
            ip = _ip(str(sender[0]))
        except ValueError:
            return False
        if ip.version == 6 and ip.is_link_local and len(sender) == 4 and sender[3] != self._network.index:
            return False
        if not self._network.holds(ip):
            return False
        return self._each.take(ip, now) and self._all.take(now)


class GuardedProtocol(asyncio.DatagramProtocol):
    """Stands before a protocol of zeroconf, on the same transport."""

    def __init__(self, inner: asyncio.DatagramProtocol, guard: Guard) -> None:
        self._inner = inner
        self._guard = guard
        self._loop = asyncio.get_running_loop()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if self._guard.admits(addr, self._loop.time()):
            self._inner.datagram_received(data, addr)

    def error_received(self, exc: Exception) -> None:
        """The network is gone, or a firewall refuses. The networks are looked at anyway."""
        _log.debug("mDNS: %s", exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)


def _ip(text: str) -> IP:
    """The address that a socket names; IPv4 also as a socket for both names it."""
    ip = ipaddress.ip_address(text.partition("%")[0])
    mapped = ip.ipv4_mapped if ip.version == 6 else None
    return mapped or ip
