"""Announcing and browsing in every network that the user allows, as networks come and go."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from mau.finder.mdns.hints import Change
from mau.finder.mdns.interfaces import call_router, changes, current_networks
from mau.finder.mdns.link import Link
from mau.finder.mdns.network import IP, Network, Networks
from mau.fingerprint import Fingerprint
from mau.hostport import Address

_log = logging.getLogger(__name__)

LOOKED: Final = 5.0
"""Seconds after which the networks are looked at without being told of a change."""
MAX_LINKS: Final = 16

Heard = Callable[[Fingerprint, Address, bool], None]


class Mdns:
    """Finds people in the local networks, and lets them find us; use it as an async context manager.

    ``port``: where our server listens, None to announce nothing; ``listens``: the host it listens on, "" for
    all addresses of this machine. ``networks``: where this may be done; it may be set anew at any time.
    ``heard`` is called with (fingerprint, address, True) for each hint, and with False when nothing is heard
    of it any more: a hint that goes says nothing about an address that was proven. ``wanted``: whose hints
    count however many strangers shout. What ``heard`` raises ends the whole, and the context raises it.
    """

    def __init__(
        self,
        own: Fingerprint,
        port: int | None,
        *,
        networks: Networks,
        heard: Heard,
        wanted: Callable[[Fingerprint], bool] = lambda _: False,
        listens: str = "",
    ) -> None:
        self._own = own
        self._port = port
        self._networks = networks
        self._heard = heard
        self._wanted = wanted
        self._listens = listens
        self._links: dict[Network, tuple[Link, asyncio.Task[None]]] = {}
        self._open: set[Network] = set()
        self._seen: tuple[Network, ...] = ()
        self._hosts: dict[str, str] = {}
        self._said: Counter[tuple[Fingerprint, Address]] = Counter()
        self._looked = asyncio.Event()
        self._rescan = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def networks(self) -> Networks:
        """Where we may announce and browse."""
        return self._networks

    @networks.setter
    def networks(self, networks: Networks) -> None:
        self._networks = networks
        self._rescan.set()

    @property
    def active(self) -> tuple[Network, ...]:
        """The networks in which we announce and browse now."""
        return tuple(network for network in self._seen if network in self._open)

    @property
    def silent(self) -> tuple[Network, ...]:
        """Those in which this machine is too, but the user did not allow it, or it does not work."""
        return tuple(network for network in self._seen if network not in self._open)

    async def __aenter__(self) -> Self:
        """Returns when it listens in the networks that there are."""
        self._task = asyncio.create_task(self._run(), name="mdns")
        looked = asyncio.create_task(self._looked.wait())
        try:
            await asyncio.wait({self._task, looked}, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            await _end(self._task)
            raise
        finally:
            looked.cancel()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._task is not None  # noqa: S101 - it was entered
        await _end(self._task)

    async def wait(self) -> None:
        """Until something ended it: what ``heard`` raised."""
        assert self._task is not None  # noqa: S101 - it was entered
        await asyncio.shield(self._task)

    async def _run(self) -> None:
        async with changes() as changed, asyncio.TaskGroup() as group:
            try:
                while True:
                    pause = await self._look(group)
                    self._looked.set()
                    waiting = asyncio.ensure_future(changed(pause))
                    setting = asyncio.ensure_future(self._rescan.wait())
                    try:
                        await asyncio.wait({waiting, setting}, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        waiting.cancel()
                        setting.cancel()
                    self._rescan.clear()
            finally:
                await self._close_all()

    async def _look(self, group: asyncio.TaskGroup) -> float:
        """Open and close links as the networks are now; the seconds until it should be done again."""
        try:
            self._seen = tuple(map(self._remembered, current_networks()))
        except OSError as error:
            _log.warning("the local networks cannot be looked at: %s", error)
            return LOOKED
        allowed = [network for network in self._seen if self._networks.allow(network)][:MAX_LINKS]
        ending = [one for one, (_, task) in self._links.items() if one not in allowed and not task.done()]
        replaced = {network.interface for network in allowed}
        ending += [network for network, (_, task) in self._links.items() if task.done()]  # it did not work
        links = [self._links[network][0] for network in ending]
        await asyncio.gather(
            *(self._close(network, quiet=network.interface in replaced) for network in ending)
        )
        for change in [change for link in links for change in link.told()]:
            self._note(Change(change.fingerprint, change.address, present=False))
        ready = [self._start(group, network) for network in allowed if network not in self._links]
        await asyncio.gather(*ready)
        unsure = [network for network in self._seen if self._networks.nearly(network)]
        for network in unsure:
            call_router(network)
        return 0.5 if unsure else LOOKED

    def _remembered(self, network: Network) -> Network:
        """With the router that it had a moment ago, where the system just forgot that one's address (N21)."""
        for before in self._seen:
            if network.router is None and before.router and replace(before, router=None) == network:
                call_router(network)
                return before
        return network

    def _start(self, group: asyncio.TaskGroup, network: Network) -> asyncio.Future[None]:
        """Begin in a network; what is returned is done when it listens there, or does not work."""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        host = self._hosts.setdefault(network.interface, f"mau-{secrets.token_hex(8)}")
        link = Link(
            self._own,
            network,
            self._announced(network),
            host=host,
            wanted=self._wanted,
            heard=self._note,
        )
        self._links[network] = (link, group.create_task(self._keep(link, ready)))
        return ready

    async def _keep(self, link: Link, ready: asyncio.Future[None]) -> None:
        def opened() -> None:
            self._open.add(link.network)
            if not ready.done():
                ready.set_result(None)

        try:
            await link.run(opened)
        except OSError as error:
            _log.debug("mDNS on %s: %s", link.network.interface, error)
        finally:
            self._open.discard(link.network)
            if not ready.done():
                ready.set_result(None)

    def _announced(self, network: Network) -> tuple[tuple[IP, ...], int] | None:
        """What to say of us there: only addresses that our server listens on."""
        if self._port is None:
            return None
        listens = self._listens.strip("[]")
        hosts = network.hosts
        if listens == "0.0.0.0":  # noqa: S104 - compared, not bound
            hosts = tuple(ip for ip in hosts if ip.version == 4)
        elif listens not in ("", "::"):
            hosts = tuple(ip for ip in hosts if str(ip) == listens.partition("%")[0])
        return (hosts, self._port) if hosts else None

    def _note(self, change: Change) -> None:
        """The same may be heard in two networks that are one: by cable and by air."""
        key = change.fingerprint, change.address
        before = self._said[key]
        self._said[key] += 1 if change.present else -1
        if self._said[key] <= 0:
            del self._said[key]
        if (before > 0) != (before + (1 if change.present else -1) > 0):
            self._heard(change.fingerprint, change.address, change.present)

    async def _close(self, network: Network, *, quiet: bool) -> None:
        link, task = self._links.pop(network)
        link.quiet = quiet
        task.cancel()
        await asyncio.wait({task})  # what it raised is the group's

    async def _close_all(self) -> None:
        await asyncio.gather(*(self._close(network, quiet=False) for network in list(self._links)))


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end; what it raised but for that is raised here."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()
