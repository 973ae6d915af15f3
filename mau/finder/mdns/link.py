"""mDNS in one network: zeroconf on one interface, with our own questions and our own memory.

One instance of zeroconf for each network, so that what is announced in one holds the addresses of that
network only, and what is asked in one is not answered in another. Of zeroconf we use the sockets, the
responder and the reading of packets. Not its browser, which keeps asking for every name it was told, without
a bound, and not its resolver, which knows one target of a name: what somebody else flushes or says goodbye to
would be gone (spec/finding.md N28-N34).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from zeroconf import (  # type: ignore[attr-defined]  # its package gives them out, but does not list them
    DNSAddress,
    DNSOutgoing,
    DNSPointer,
    DNSQuestion,
    DNSService,
    IPVersion,
    NotRunningException,
    RecordUpdate,
    RecordUpdateListener,
    ServiceInfo,
    Zeroconf,
)
from zeroconf.asyncio import AsyncZeroconf

from mau.finder.mdns.guard import Guard, GuardedProtocol
from mau.finder.mdns.hints import LONGEST, Change, Hints
from mau.finder.mdns.names import SERVICE, instance
from mau.finder.mdns.network import IP, Network
from mau.fingerprint import Fingerprint

if TYPE_CHECKING:
    from zeroconf import DNSRecord  # type: ignore[attr-defined]

_log = logging.getLogger(__name__)
# What it says is about interfaces that come and go, which we notice ourselves.
logging.getLogger("zeroconf").setLevel(logging.CRITICAL)

# RFC 1035 3.2 and 4.1.1, RFC 3596, RFC 2782
_QUERY, _IN = 0, 1
_A, _PTR, _AAAA, _SRV = 1, 12, 28, 33

FIRST_ASKED: Final = (0.02, 0.12)
"""Seconds before the first question, so that those who start together do not ask together (RFC 6762 5.2)."""
SELDOM: Final = 900.0
"""Seconds between two questions in the long run."""
_HURRY: Final = 4.0  # seconds between two questions that goodbyes make us ask
_TICK: Final = 10.0
_PACE: Final = 0.5  # seconds between two looks at what is missing and what is over
_AT_ONCE: Final = 16  # names that are asked for in one packet
_OF_HOST: Final = 32  # records of one host that were heard before it was of interest
_KNOWN: Final = 20  # answers that a question says to be known: what fits into one packet


class _Ear(RecordUpdateListener):
    """Hands what zeroconf reads to the link."""

    def __init__(self, hear: Callable[[Zeroconf, float, list[RecordUpdate]], None]) -> None:
        self._hear = hear

    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        self._hear(zc, now, records)


class Link:
    """Announces and browses in one network, while `run` runs.

    ``announced``: the addresses and the port to announce; None only browses. ``host``: what the machine is
    called there, a label. ``heard`` is called with each change, one after the other.
    """

    def __init__(
        self,
        own: Fingerprint,
        network: Network,
        announced: tuple[tuple[IP, ...], int] | None,
        *,
        host: str,
        wanted: Callable[[Fingerprint], bool],
        heard: Callable[[Change], None],
    ) -> None:
        self.network = network
        self.quiet = False
        """Whether it ends without a goodbye, because another takes its place."""
        self._own = own
        self._announced = announced
        self._host = f"{host}.local."
        self._heard = heard
        self._hints = Hints(own, network, wanted)
        self._changes: list[Change] = []
        self._woken = asyncio.Event()
        self._hurried = False
        self._counted = 0  # names there were when it was looked for whom to ask about
        self._loop = asyncio.get_running_loop()

    async def run(self, opened: Callable[[], None]) -> None:
        """Until it is cancelled; ``opened`` is called when it listens. OSError when it cannot."""
        try:
            zeroconf = AsyncZeroconf(interfaces=self._interfaces(), ip_version=self._version())
        except RuntimeError as error:  # the interface went away meanwhile
            raise OSError(str(error)) from error
        ear = _Ear(self._hear)
        try:
            await self._started(zeroconf.zeroconf)
            self._confine(zeroconf.zeroconf)
            zeroconf.zeroconf.async_add_listener(ear, None)
            if self._announced is not None:
                announcing = await zeroconf.async_register_service(
                    self._info(*self._announced), cooperating_responders=True
                )
            else:
                announcing = asyncio.sleep(0)
            opened()
            async with asyncio.TaskGroup() as group:
                group.create_task(_finish(announcing))
                group.create_task(self._work(zeroconf.zeroconf))
        finally:
            if self.quiet:
                zeroconf.zeroconf.registry.async_remove(zeroconf.zeroconf.registry.async_get_service_infos())
            zeroconf.zeroconf.record_manager.listeners.discard(ear)
            await zeroconf.async_close()

    def told(self) -> list[Change]:
        """What was told and not taken back, after the end."""
        waiting = set(self._changes)
        gone = [change for change in self._changes if not change.present]
        return [change for change in self._hints.present() if change not in waiting] + gone

    # --- sockets -------------------------------------------------------------------------------------------

    def _interfaces(self) -> list[str | int]:
        """As zeroconf takes them: an address of IPv4, and the index of the interface for IPv6."""
        chosen: list[str | int] = []
        chosen += [str(ip) for ip in self.network.hosts if ip.version == 4][:1]
        chosen += [self.network.index for ip in self.network.hosts if ip.version == 6][:1]
        return chosen

    def _version(self) -> IPVersion:
        versions = {ip.version for ip in self.network.hosts}
        if versions == {4, 6}:
            return IPVersion.All
        return IPVersion.V6Only if versions == {6} else IPVersion.V4Only

    @staticmethod
    async def _started(zeroconf: Zeroconf) -> None:
        try:
            await zeroconf.async_wait_for_start()
        except NotRunningException as error:
            raise OSError("it did not start") from error

    def _confine(self, zeroconf: Zeroconf) -> None:
        """Bind every socket to the interface, and put the guard before it; OSError when there is none."""
        if not zeroconf.engine.senders:
            raise OSError(f"no address of {self.network.interface} can be used")
        guard = Guard(self.network)
        for reader, protocol in zip(zeroconf.engine.readers, zeroconf.engine.protocols, strict=True):
            transport = reader.transport
            bound = getattr(socket, "SO_BINDTODEVICE", None)
            if bound is not None:
                # Before Linux 5.7 it takes a privilege. The guard stands there anyway.
                with contextlib.suppress(OSError):
                    sock = transport.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, bound, self.network.interface.encode() + b"\0")
            transport.set_protocol(GuardedProtocol(cast("asyncio.DatagramProtocol", protocol), guard))

    def _info(self, addresses: tuple[IP, ...], port: int) -> ServiceInfo:
        return ServiceInfo(
            SERVICE,
            instance(self._own),
            port,
            properties={"v": "1"},
            server=self._host,
            parsed_addresses=[str(ip) for ip in addresses],
        )

    # --- hearing -------------------------------------------------------------------------------------------

    def _hear(self, zeroconf: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        """Note what came in one packet. ``now`` is zeroconf's time, in milliseconds."""
        time = self._loop.time()
        hosts: set[str] = set()
        news: list[DNSRecord] = [update.new for update in records]
        # Expired with a TTL is what zeroconf's cache dropped by itself; without one it is a goodbye.
        news = [record for record in news if record.ttl == 0 or not record.is_expired(now)]
        for record in news:
            if isinstance(record, DNSPointer) and record.name.lower() == SERVICE:
                self._hints.pointer(record.alias, record.ttl, time)
                self._hurried |= record.ttl == 0
            elif isinstance(record, DNSService) and self._hints.service(
                record.name, record.server, record.port, record.ttl, time
            ):
                hosts.add(record.server.lower())
        known = [one for host in hosts for one in zeroconf.cache.async_entries_with_name(host)[:_OF_HOST]]
        # What this packet says comes last and so counts, and counts once, however often it says it.
        for record in {one: one for one in [*known, *news]}.values():
            if isinstance(record, DNSAddress) and (record.ttl == 0 or not record.is_expired(now)):
                self._changes += self._hints.address(record.name, record.address, record.ttl, time)
        if self._changes or self._hurried or len(self._hints) != self._counted:
            self._woken.set()

    # --- asking --------------------------------------------------------------------------------------------

    async def _work(self, zeroconf: Zeroconf) -> None:
        """Ask, tell what was heard, and forget what is no longer believed."""
        await asyncio.sleep(random.uniform(*FIRST_ASKED))  # noqa: S311 - no secret
        pause, asked, due, cleaned = 1.0, 0.0, 0.0, 0.0
        while True:
            now = self._loop.time()
            if self._hurried and now - asked >= _HURRY:
                due = now
            if now >= due:
                # The first answers come to us alone and at once; later ones tell everybody (RFC 6762 5.4).
                self._ask(zeroconf, now, alone=not asked)
                self._hurried = False
                asked, due = now, now + pause
                pause = min(pause * 3, SELDOM)
            if now >= cleaned + _PACE:
                self._resolve(zeroconf)
                self._changes += self._hints.expire(now)
                cleaned = now
            soon = self._hurried or asked > now - _TICK or len(self._hints) != self._counted
            await self._wait(min(max(due - now, 0.0), _PACE if soon else _TICK))
            self._tell()

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()

    def _tell(self) -> None:
        changes, self._changes = self._changes, []
        for change in changes:
            self._heard(change)

    def _ask(self, zeroconf: Zeroconf, now: float, *, alone: bool) -> None:
        """Ask who is there."""
        out = DNSOutgoing(_QUERY)
        out.add_question(_question(SERVICE, _PTR, alone=alone))
        for fingerprint, left in self._hints.believed(now, _KNOWN):
            pointer = DNSPointer(SERVICE, _PTR, _IN, int(min(left, LONGEST)), instance(fingerprint), 0.0)
            out.add_answer_at_time(pointer, 0.0)
        zeroconf.async_send(out)

    def _resolve(self, zeroconf: Zeroconf) -> None:
        """Ask where those are whose addresses did not come along."""
        self._counted = len(self._hints)
        people = self._hints.unresolved(_AT_ONCE)
        if not people:
            return
        out = DNSOutgoing(_QUERY)
        for fingerprint in people:
            hosts = self._hints.hosts_of(fingerprint)
            if not hosts:
                out.add_question(_question(instance(fingerprint), _SRV, alone=False))
            for host in hosts:
                out.add_question(_question(host, _A, alone=False))
                out.add_question(_question(host, _AAAA, alone=False))
        zeroconf.async_send(out)


def _question(name: str, kind: int, *, alone: bool) -> DNSQuestion:
    question = DNSQuestion(name, kind, _IN)
    question.unicast = alone
    return question


async def _finish(announcing: object) -> None:
    await announcing  # type: ignore[misc]
