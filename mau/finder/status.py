"""What the finder says of itself: a file in ``.finder/``, written by the worker and read by `mau status`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from mau.errors import TreeError
from mau.tree import safe
from mau.tree.layout import Root

_FILE: Final = "status.json"
_MOST: Final = 1 << 20
_STALE: Final = 600.0
"""Seconds after which a worker that writes every minute is gone, and its number perhaps another's."""


@dataclass(frozen=True, slots=True)
class Place:
    """One of our own addresses. ``how``: stated, router, direct or seen; ``by``: who reached us there."""

    address: str
    how: str
    confirmed: float | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class FinderStatus:
    """How the finder is. Times in Unix seconds."""

    pid: int
    at: float
    port: int | None = None
    """Where the server listens; None when nothing is served."""
    places: tuple[Place, ...] = ()
    """Where the internet may reach us, and what is known of that."""
    asked: int = 0
    """How many peers looked, at the last time."""
    router: str = ""
    """How the router stands, in words; "" when it is not asked."""
    relays: tuple[str, ...] = ()
    """Fingerprints of circuit relays where we are registered."""
    networks: tuple[str, ...] = ()
    """Local networks in which we are announced."""
    silent: tuple[str, ...] = ()
    """Those where we are not, as the user wants."""
    nodes: int | None = None
    """Nodes in our table; None when we take no part."""
    missing: tuple[str, ...] = ()
    """Fingerprints of those who are looked for, and not found so far."""
    problems: Mapping[str, str] | None = None
    """What went wrong last, by part."""

    @property
    def reached(self) -> tuple[str, ...]:
        """Addresses at which somebody reached us, or that the user knows."""
        return tuple(one.address for one in self.places if one.confirmed is not None or one.how == "stated")

    def words(self) -> list[str]:
        """For people: how we are reached, and what they can do when we are not."""
        if self.port is None:
            return ["Nothing is served, so nobody can reach you."]
        lines = []
        for one in self.places:
            if one.how == "stated":
                lines.append(f"Reached at {one.address}, as you say (reach.addresses).")
            elif one.confirmed is not None:
                ago = max(0, round((time.time() - one.confirmed) / 60))
                when = f"{ago} minutes ago" if ago else "just now"
                lines.append(f"Reached at {one.address}: a peer dialled it {when}.")
        if not lines and self.relays:
            lines.append("Not reached from the internet, but through friends who pass connections on.")
        elif not lines and self.asked:
            lines.append(
                f"Not reached from the internet: {self.asked} tries by peers did not come through. Forward "
                f"TCP port {self.port} in your router, set reach.router, or have a friend set circuit.relay."
            )
        elif not lines:
            lines.append("Whether the internet reaches you is not known: no peer on it could be asked yet.")
        if self.router:
            lines += self.router.splitlines()
        if self.relays:
            lines.append(f"Registered at {len(self.relays)} circuit relays.")
        if self.networks:
            lines.append(f"Announced in {', '.join(self.networks)}.")
        if self.silent:
            lines.append(f"Not announced in {', '.join(self.silent)}.")
        if self.nodes is not None:
            lines.append(f"{self.nodes} nodes of the lookup network are known.")
        if self.missing:
            lines.append(f"{len(self.missing)} people are looked for and not found.")
        return lines


def write_status(root: Root, status: FinderStatus) -> None:
    """Put it down."""
    safe.write_bytes(root.state_dir("finder") / _FILE, json.dumps(asdict(status), indent=2).encode() + b"\n")


def read_status(root: Root) -> FinderStatus | None:
    """As it was put down by a process that still runs; None when there is none."""
    try:
        facts: dict[str, Any] = json.loads(safe.read_bytes(root.path / ".finder" / _FILE, _MOST))
        facts["places"] = tuple(Place(**one) for one in facts["places"])
        for name in ("relays", "networks", "silent", "missing"):
            facts[name] = tuple(facts[name])
        status = FinderStatus(**facts)
        os.kill(status.pid, 0)
        fresh = abs(time.time() - status.at) < _STALE
    except (TreeError, OSError, ValueError, TypeError, KeyError):
        return None
    return status if fresh else None
