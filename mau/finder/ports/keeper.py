"""Keeps one port of ours open at the routers before us, for as long as it runs (spec/finding.md N40-N49).

For each router and own address there is a way. A way without a mapping tries the methods: PCP, with NAT-PMP
asked beside it whether it is there, then UPnP. A way with one looks after it: renews it at half time, maps
again when the router forgot it or has another address. The network may change at any moment: the routes are
looked at every few seconds, and what is gone is given up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from mau.finder.ports import natpmp
from mau.finder.ports.asking import NatPmpSession, PcpSession
from mau.finder.ports.mapping import FOREVER, METHODS, Failure, Gateway, Mapping, Method, PortState, Trial
from mau.finder.ports.pace import Pace
from mau.finder.ports.surroundings import Surroundings, look
from mau.finder.ports.upnp import UpnpSession
from mau.hostport import format_address

Session = PcpSession | NatPmpSession | UpnpSession
Changed = Callable[[tuple[Mapping, ...]], None]
LEASE: Final = 3600
"""Seconds that are asked for."""
FAREWELL: Final = 8.0
"""Seconds at most to remove what was mapped, at the end."""
_log = logging.getLogger("mau.finder")


def _untold(_mappings: tuple[Mapping, ...]) -> None:
    """Where nobody wants to know."""


class PortKeeper:
    """Asks for one TCP port, never for another. `run` is its life; the rest may be asked at any time."""

    def __init__(
        self,
        port: int,
        *,
        methods: Sequence[Method] = METHODS,
        lease: int = LEASE,
        on_change: Changed = _untold,
        pace: Pace | None = None,
        surroundings: Callable[[], Surroundings] = look,
        control: int = natpmp.PORT,
    ) -> None:
        """``on_change`` is called in the event loop with all mappings: when one comes or goes, and when all
        routers were asked for the first time.

        ``lease`` in seconds. ``surroundings`` and ``control`` say where routers are and at which port they
        listen, for networks that are not this machine's own.
        """
        self._port = port
        self._methods = tuple(methods)
        self._lease = lease
        self._on_change = on_change
        self._pace = pace or Pace()
        self._look = surroundings
        self._control = control
        self._around = Surroundings()
        self._looked = False
        self._ways: dict[Gateway, _Way] = {}
        self._told: object = (False, frozenset())

    @property
    def mappings(self) -> tuple[Mapping, ...]:
        """Where others may come in: what routers map, then own addresses that no router had to map."""
        mapped = [way.mapping for way in self._ways.values() if way.mapping is not None]
        taken = {mapping.external for mapping in mapped}
        own = [(host, self._port) for host in self._around.own]
        direct = [Mapping("direct", one, one, FOREVER) for one in own if one not in taken]
        return (*mapped, *direct)

    @property
    def state(self) -> PortState:
        """All that is known, for `explain`."""
        ways = self._ways.values()
        return PortState(
            self._port,
            self._looked and all(way.tried for way in ways),
            tuple(self._ways),
            self.mappings,
            tuple(trial for way in ways for trial in way.trials),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the port open until ``stop``; then remove what was mapped."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._follow(self._look())
                now = time.monotonic()
                for way in self._ways.values():
                    way.start_if_due(now)
                busy = [way.step for way in self._ways.values() if way.step is not None]
                await asyncio.wait(
                    [stopping, *busy], timeout=self._wait(), return_when=asyncio.FIRST_COMPLETED
                )
                for way in self._ways.values():
                    way.finish_step()
                self._tell()
        finally:
            stopping.cancel()
            await self._farewell()

    def _wait(self) -> float:
        """Seconds until something is due."""
        now = time.monotonic()
        due = [way.due - now for way in self._ways.values() if way.step is None]
        return max(min([self._pace.look, *due]), 0.01)

    def _follow(self, around: Surroundings) -> None:
        """Begin ways that are new and give up those that are gone."""
        self._around = around
        self._looked = True
        for gateway in [one for one in self._ways if one not in around.gateways]:
            _log.info("the way by the router %s is gone", gateway.address)
            self._ways.pop(gateway).give_up()
        for gateway in around.gateways:
            if gateway not in self._ways and any(not gateway.v6 or one == "pcp" for one in self._methods):
                self._ways[gateway] = _Way(
                    gateway, self._port, self._methods, self._lease, self._pace, self._control
                )
        self._tell()

    def _tell(self) -> None:
        mappings = self.mappings
        now = (self.state.looked, frozenset(mapping.same for mapping in mappings))
        if now != self._told:
            self._told = now
            self._on_change(mappings)

    async def _farewell(self) -> None:
        ways, self._ways, self._around = list(self._ways.values()), {}, Surroundings()
        self._looked = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await asyncio.gather(*(way.end() for way in ways))
        for way in ways:
            way.give_up()
        self._tell()


class _Way:
    """One router, one own address: what is mapped there, and when it is asked next."""

    def __init__(
        self,
        gateway: Gateway,
        port: int,
        methods: tuple[Method, ...],
        lease: int,
        pace: Pace,
        control: int,
    ) -> None:
        self._gateway = gateway
        self._lease = lease
        self._pace = pace
        # PCP has words for IPv6; the others know IPv4 alone.
        able = [one for one in methods if one == "pcp" or not gateway.v6]
        self._pcp = PcpSession(gateway, port, control=control) if "pcp" in able else None
        self._natpmp = NatPmpSession(gateway, port, control=control) if "natpmp" in able else None
        self._upnp = UpnpSession(gateway, port) if "upnp" in able else None
        self._session: Session | None = None
        self._granted = 0.0
        self._ends = FOREVER
        self._failures = 0
        self.mapping: Mapping | None = None
        self.trials: list[Trial] = []
        self.tried = False
        self.due = 0.0
        self.step: asyncio.Task[None] | None = None

    def start_if_due(self, now: float) -> None:
        if self.step is None and now >= self.due:
            self.step = asyncio.create_task(self._look_after() if self.mapping else self._try())

    def finish_step(self) -> None:
        if self.step is not None and self.step.done():
            step, self.step = self.step, None
            step.result()

    def give_up(self) -> None:
        """Forget it; the router does when the lease ends."""
        if self.step is not None:
            self.step.cancel()
        self.mapping = None

    async def end(self) -> None:
        """Wait for what is being asked, and remove what was mapped."""
        if self.step is not None:
            await self.step
        if self.mapping is not None and self._session is not None:
            await self._session.unmap(self.mapping)

    async def _try(self) -> None:
        """Ask by one method after the other until one maps."""
        found, session, trials = await self._first()
        self.trials = trials
        self.tried = True
        if found is None:
            self._failures += 1
            self.due = time.monotonic() + self._pace.after_failures(self._failures)
        else:
            self._session = session
            self._take(found)

    async def _first(self) -> tuple[Mapping | None, Session | None, list[Trial]]:
        trials: list[Trial] = []

        def note(method: Method, answer: object) -> None:
            failure = answer if isinstance(answer, Failure) else None
            trials.append(Trial(self._gateway.address, method, failure))

        # Both listen at one port, and a router that has neither keeps us waiting for both: at the same time.
        by_pcp, by_natpmp = await asyncio.gather(
            self._pcp.map(self._lease) if self._pcp else _nothing(),
            self._natpmp.address() if self._natpmp else _nothing(),
        )
        if self._pcp is not None:
            note("pcp", by_pcp)
            if isinstance(by_pcp, Mapping):
                return by_pcp, self._pcp, trials
        if self._natpmp is not None:
            answer = by_natpmp if isinstance(by_natpmp, Failure) else await self._natpmp.map(self._lease)
            note("natpmp", answer)
            if isinstance(answer, Mapping):
                return answer, self._natpmp, trials
        if self._upnp is not None:
            answer = await self._upnp.map(self._lease)
            note("upnp", answer)
            if isinstance(answer, Mapping):
                return answer, self._upnp, trials
        return None, None, trials

    async def _look_after(self) -> None:
        """See whether the mapping holds, and renew it at half time."""
        if self.mapping is None or self._session is None:
            return
        left = self._ends - time.monotonic()
        renew = self._pace.is_due(left, self._granted)
        answer = await self._session.keep(self.mapping, self._lease, renew=renew)
        if isinstance(answer, Mapping):
            self._take(answer)
            return
        left = self._ends - time.monotonic()
        _log.info("the router %s does not renew: %s", self._gateway.address, answer.words)
        if left <= 0 or answer.answered:
            # What it refuses now, another method may give: from the beginning, and soon.
            self.mapping, self._session = None, None
            self.due = time.monotonic() + self._pace.shortest
        else:
            self.due = time.monotonic() + self._pace.unanswered(left)

    def _take(self, found: Mapping) -> None:
        now = time.monotonic()
        if self.mapping is None or found.until != self.mapping.until:
            self._granted = found.until - time.time()
            self._ends = now + self._granted
        if self.mapping is None or found.same != self.mapping.same:
            _log.info("%s maps %s to us by %s", found.gateway, format_address(found.external), found.method)
        self.mapping = found
        self._failures = 0
        self.due = now + self._pace.while_mapped(self._ends - now)


async def _nothing() -> None:
    """Where a method is not asked."""
