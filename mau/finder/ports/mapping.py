"""What is asked of routers and what they give: values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from mau.finder.ports.routes import is_public
from mau.hostport import Address

Method = Literal["pcp", "natpmp", "upnp", "direct"]
METHODS: Final[tuple[Method, ...]] = ("pcp", "natpmp", "upnp")
FOREVER: Final = float("inf")
MAX_LEASE: Final = 24 * 3600
"""Seconds that a lease counts at most, whatever the router promises (RFC 6887 section 15)."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A router: its address, the interface that leads there, and this machine's address towards it."""

    address: str
    interface: str
    internal: str

    @property
    def v6(self) -> bool:
        return ":" in self.internal


@dataclass(frozen=True, slots=True)
class Mapping:
    """A port that somebody outside may come in by.

    ``until`` in unix seconds, FOREVER where nothing ends it. ``direct`` is an address of this machine's own
    that the internet knows: nobody mapped it, and a firewall may still be before it.
    """

    method: Method
    external: Address
    internal: Address
    until: float
    gateway: str = ""

    @property
    def public(self) -> bool:
        """False where the outside of the router is another private network (double NAT, RFC 6598)."""
        return is_public(self.external[0])

    @property
    def same(self) -> tuple[Method, Address, Address]:
        """What is not changed by a renewed lease."""
        return self.method, self.external, self.internal


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a method gave no mapping; ``answered``: whether there was anything at all that spoke it."""

    words: str
    answered: bool = False


SILENT: Final = Failure("no answer")


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of asking a router by a method; ``failure`` None when it mapped."""

    gateway: str
    method: Method
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class PortState:
    """All that a keeper knows; ``looked`` is False until the first try has ended."""

    port: int
    looked: bool = False
    gateways: tuple[Gateway, ...] = ()
    mappings: tuple[Mapping, ...] = ()
    trials: tuple[Trial, ...] = ()
