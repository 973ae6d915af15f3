"""How much is too much: token buckets for requests and bytes (spec/http.yaml H55, H56). Pure.

A bucket holds up to ``burst`` tokens and gains ``per_second``. Friends have one each, by what they proved.
Fingerprints cost nothing to make, so whoever is no friend also pays from the bucket of his address, and from
one that all of them share: they can never use up what is there for friends.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from mau.fingerprint import Fingerprint

MAX_BUCKETS: Final = 4096
"""Of one kind; the one that was not used for the longest time makes room. Less than 1 MB in all."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Tokens that come back in a second, and the most that can be there."""

    per_second: float
    burst: float


class Level(NamedTuple):
    """What is in a bucket at a moment (seconds of a monotonic clock); below zero is a debt."""

    tokens: float
    at: float


def refilled(level: Level | None, rate: Rate, now: float) -> Level:
    """The bucket as it is ``now``; None is one that nobody used. A clock that goes back gives nothing."""
    if level is None:
        return Level(rate.burst, now)
    if now <= level.at:
        return level
    tokens = level.tokens + (now - level.at) * rate.per_second
    return Level(tokens if tokens < rate.burst else rate.burst, now)


class Buckets:
    """Buckets of one rate by key, at most ``most`` of them."""

    def __init__(self, rate: Rate, most: int = MAX_BUCKETS) -> None:
        self._rate = rate
        self._most = most
        self._levels: OrderedDict[Hashable, Level] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def wait(self, key: Hashable, now: float, cost: float = 1.0) -> float:
        """Seconds until ``cost`` can be taken; 0 is at once. Nothing is taken."""
        level = refilled(self._levels.get(key), self._rate, now)
        if level.tokens >= cost:
            return 0.0
        missing = min(cost, self._rate.burst) - level.tokens
        return max(0.0, missing / self._rate.per_second)

    def take(self, key: Hashable, now: float, cost: float = 1.0) -> None:
        """Take ``cost``, into debt when there is not enough; less than nothing gives back."""
        level = refilled(self._levels.get(key), self._rate, now)
        self._levels[key] = Level(min(self._rate.burst, level.tokens - cost), level.at)
        self._levels.move_to_end(key)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of one server. The defaults leave the first sync of 10,000 files by a friend alone."""

    friend: Rate = Rate(500, 50_000)
    """Requests of one friend."""
    everyone: Rate = Rate(2_000, 100_000)
    """Requests of all together."""
    stranger: Rate = Rate(50, 1_000)
    """Requests of one fingerprint that is no friend's."""
    stranger_address: Rate = Rate(100, 2_000)
    """Requests from one address, of those who prove a fingerprint that is no friend's."""
    anonymous_address: Rate = Rate(20, 500)
    """Requests from one address, of those who prove nothing."""
    strangers: Rate = Rate(300, 6_000)
    """Requests of all who are no friends."""
    handshakes: Rate = Rate(50, 1_000)
    """Connections from one address; one that proves to be a friend's is given back."""
    bytes_per_second: float = 0
    """What one peer gets (a friend by fingerprint, anyone else by address); 0 is no limit."""
    connections: int = 512
    connections_per_address: int = 64
    stranger_connections: int = 256
    """Of those who are through the handshake and no friends; the rest is for friends and newcomers."""


def _scaled(rate: Rate, to: float, of: Rate) -> Rate:
    """Another rate that keeps its proportion to ``of``, when that becomes ``to`` a second."""
    return Rate(rate.per_second * to / of.per_second, rate.burst * to / of.per_second)


def limits_of(
    *,
    friend: float,
    stranger: float,
    anonymous: float,
    connections: int,
    connections_per_address: int,
    bytes_per_second: float,
) -> Limits:
    """The limits for so many requests a second of one friend, stranger, anonymous address.

    Each bucket keeps its shape. What several share never holds back one of them who is alone.
    """
    usual = Limits()
    friends = _scaled(usual.friend, friend, usual.friend)
    strangers = _scaled(usual.stranger_address, stranger, usual.stranger)
    nobodies = _scaled(usual.anonymous_address, anonymous, usual.anonymous_address)
    shared = _most(usual.strangers, strangers, nobodies)
    return Limits(
        friend=friends,
        everyone=_most(usual.everyone, friends, shared),
        stranger=_scaled(usual.stranger, stranger, usual.stranger),
        stranger_address=strangers,
        anonymous_address=nobodies,
        strangers=shared,
        bytes_per_second=bytes_per_second,
        connections=connections,
        connections_per_address=connections_per_address,
        stranger_connections=connections * usual.stranger_connections // usual.connections,
    )


def _most(*rates: Rate) -> Rate:
    return Rate(max(rate.per_second for rate in rates), max(rate.burst for rate in rates))


@lru_cache(1024)
def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the first 64 bits, which one household has."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found, 64), strict=False))


class Allowance:
    """What everybody may still ask for."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._friend = Buckets(limits.friend)
        self._stranger = Buckets(limits.stranger)
        self._stranger_address = Buckets(limits.stranger_address)
        self._anonymous_address = Buckets(limits.anonymous_address)
        self._handshakes = Buckets(limits.handshakes)
        self._shared = {"everyone": Buckets(limits.everyone), "strangers": Buckets(limits.strangers)}
        rate = limits.bytes_per_second
        self._bytes = Buckets(Rate(rate, rate)) if rate > 0 else None

    def request(self, proven: Fingerprint | None, friend: bool, network: str, now: float) -> float:
        """Take one request, and return 0; or take nothing, and return the seconds to wait."""
        pays: list[tuple[Buckets, Hashable]] = [(self._shared["everyone"], None)]
        if friend:
            pays.append((self._friend, proven))
        elif proven is None:
            pays += [(self._anonymous_address, network), (self._shared["strangers"], None)]
        else:
            pays += [(self._stranger, proven), (self._stranger_address, network)]
            pays.append((self._shared["strangers"], None))
        wait = max([buckets.wait(key, now) for buckets, key in pays])
        if not wait:
            for buckets, key in pays:
                buckets.take(key, now)
        return wait

    def handshake(self, network: str, now: float) -> bool:
        """Whether one more connection from there may begin; it is counted if so."""
        if self._handshakes.wait(network, now):
            return False
        self._handshakes.take(network, now)
        return True

    def handshake_of_friend(self, network: str, now: float) -> None:
        """One that was counted proved to be a friend's: it does not count."""
        self._handshakes.take(network, now, -1)

    def sent(self, peer: Hashable, count: int, now: float) -> float:
        """Note bytes that go to a peer, and return the seconds until it may have more; 0 without a limit."""
        if self._bytes is None:
            return 0.0
        self._bytes.take(peer, now, count)
        return self._bytes.wait(peer, now, 0)


def retry_after(wait: float) -> int:
    """The value of Retry-After: whole seconds, at least one."""
    return max(1, math.ceil(wait))
