"""A domain in place of a fingerprint, asked of a DNS server with real packets (spec/finding.md N60-N64)."""

from __future__ import annotations

import asyncio
import random
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import AddressMalformed, PeerNotFound, PeerUnreachable
from mau.finder.dns import MAX_TARGETS, DomainAnswer, Target, lookup_domain, named, where
from mau.fingerprint import Fingerprint
from mau.hostport import Address

BOB = Fingerprint(b"b" * 20)
EVE = Fingerprint(b"e" * 20)
NAME = "_mau._tcp.bob.example.org."


@dataclass
class Zone:
    """What the server answers; ``tcp``: the whole of it only there; ``silent``, ``broken``: nothing."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    tcp: bool = False
    silent: bool = False
    broken: bool = False
    asked: list[str] = field(default_factory=list)

    def put(self, kind: str, *values: str, name: str = NAME) -> None:
        self.records[name, kind] = list(values)

    def answer(self, wire: bytes, *, over_tcp: bool) -> bytes:
        query = dns.message.from_wire(wire)
        (question,) = query.question
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {kind}")
        response = dns.message.make_response(query)
        if self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif self.tcp and not over_tcp:
            response.flags |= dns.flags.TC
        elif (name, kind) in self.records:
            response.answer.append(dns.rrset.from_text_list(name, 60, "IN", kind, self.records[name, kind]))
        elif not any(held == name for held, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire(max_size=65535)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self.zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self.zone.silent:
            transport = cast(asyncio.DatagramTransport, self.transport)
            transport.sendto(self.zone.answer(data, over_tcp=False), addr)


@asynccontextmanager
async def serving(zone: Zone) -> AsyncIterator[list[Address]]:
    """The server on one port of loopback, over UDP and TCP."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        reply = zone.answer(await reader.readexactly(length), over_tcp=True)
        writer.write(struct.pack("!H", len(reply)) + reply)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    stream = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = stream.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(zone), local_addr=("127.0.0.1", port))
    try:
        async with stream:
            yield [("127.0.0.1", port)]
    finally:
        transport.close()


async def ask(zone: Zone, name: str = "bob.example.org", seconds: float = 5.0) -> DomainAnswer:
    async with serving(zone) as servers:
        return await lookup_domain(name, servers=servers, seconds=seconds)


@pytest.fixture
def zone() -> Zone:
    zone = Zone()
    zone.put("TXT", '"v=spf1 -all"', f'"mau={BOB.hex}"')
    zone.put("SRV", "20 0 8880 late.example.net.", "10 0 443 One.Example.net.", "10 0 0 zero.example.net.")
    return zone


async def test_a_domain_names_a_person_and_where_they_are(zone: Zone) -> None:
    found = await ask(zone, "Bob.Example.ORG.")
    assert found == DomainAnswer(
        "bob.example.org", BOB, (("one.example.net", 443), ("late.example.net", 8880))
    )
    assert sorted(zone.asked) == [f"{NAME} SRV", f"{NAME} TXT"]


async def test_without_srv_it_still_says_who_it_is(zone: Zone) -> None:
    del zone.records[NAME, "SRV"]
    assert await ask(zone) == DomainAnswer("bob.example.org", BOB, ())
    zone.put("SRV", "0 0 8880 .")
    assert (await ask(zone)).addresses == ()


async def test_an_answer_that_does_not_fit_into_a_datagram_comes_over_tcp(zone: Zone) -> None:
    zone.tcp = True
    zone.put("SRV", *(f"{number} 0 8880 host{number}.example.net." for number in range(500)))
    found = await ask(zone)
    assert found.addresses == tuple((f"host{number}.example.net", 8880) for number in range(MAX_TARGETS))


@pytest.mark.parametrize(
    "texts",
    [
        [f'"openpgp4fpr:{BOB.hex.upper()}"'],
        [f'" MAU = 0x{BOB.hex} "'],
        [f'"mau={BOB.hex[:20]}" "{BOB.hex[20:]}"'],
        [f'"mau={BOB.hex}"', f'"openpgp4fpr:{BOB.hex}"', '"mau=nobody"', '"\\255\\254"'],
    ],
)
async def test_the_fingerprint_is_read_in_its_spellings(zone: Zone, texts: list[str]) -> None:
    zone.put("TXT", *texts)
    assert (await ask(zone)).fingerprint == BOB


async def test_who_names_two_people_names_nobody(zone: Zone) -> None:
    zone.put("TXT", f'"mau={BOB.hex}"', f'"mau={EVE.hex}"')
    with pytest.raises(PeerNotFound, match="2 people"):
        await ask(zone)


@pytest.mark.parametrize("texts", [[], [f'"{BOB.hex}"'], ['"mau="'], [f'"mau={BOB.hex[:39]}"']])
async def test_a_domain_without_a_fingerprint_names_nobody(zone: Zone, texts: list[str]) -> None:
    del zone.records[NAME, "TXT"]
    if texts:
        zone.put("TXT", *texts)
    with pytest.raises(PeerNotFound, match="names nobody"):
        await ask(zone)


async def test_a_domain_that_is_not_there_names_nobody() -> None:
    with pytest.raises(PeerNotFound, match="names nobody"):
        await ask(Zone())


async def test_a_server_that_fails_or_says_nothing_is_no_answer(zone: Zone) -> None:
    zone.broken = True
    with pytest.raises(PeerUnreachable, match="DNS does not say"):
        await ask(zone)
    zone.broken, zone.silent = False, True
    with pytest.raises(PeerUnreachable, match="DNS does not say"):
        await ask(zone, seconds=0.3)


@pytest.mark.parametrize("name", ["bob", "192.0.2.1", "a b.org", "evil.example/../x", ""])
async def test_what_is_no_domain_is_never_asked(zone: Zone, name: str) -> None:
    with pytest.raises(AddressMalformed):
        await ask(zone, name)
    assert zone.asked == []


# --- order -------------------------------------------------------------------------------------------------

targets = st.builds(
    Target,
    st.integers(0, 3),
    st.integers(0, 65535),
    st.sampled_from(["a.example.", "b.example.", ".", "192.0.2.1.", "-bad-.", "x" * 300 + ".", "a b."]),
    st.integers(0, 65535),
)


@given(st.lists(targets, max_size=30), st.randoms(use_true_random=False))
def test_targets_come_by_priority_and_none_twice(given_: list[Target], chance: random.Random) -> None:
    found = where(given_, chance)
    assert len(found) <= MAX_TARGETS
    assert len(set(found)) == len(found)
    best = {
        address: min(one.priority for one in given_ if (one.host.rstrip("."), one.port) == address)
        for address in found
    }
    assert [best[address] for address in found] == sorted(best[address] for address in found)
    assert all(host in ("a.example", "b.example", "192.0.2.1") and port for host, port in found)


@pytest.mark.parametrize(
    "host", ["127.0.0.1.", "192.168.1.1.", "127.1.", "0x7f.1.", "localhost.", "a.localhost.", "."]
)
def test_a_domain_leads_to_no_digits_and_not_to_this_machine(host: str) -> None:
    there = Target(2, 1, "host.example.", 1)
    assert where([Target(1, 1, host, 1), there], random.Random(1)) == (("host.example", 1),)


def test_within_a_priority_the_weights_decide_by_chance() -> None:
    drawn = [Target(1, 90, "a.example.", 1), Target(1, 10, "b.example.", 1), Target(1, 0, "c.example.", 1)]
    chance = random.Random(7)
    first = Counter(where(drawn, chance)[0][0] for _ in range(2000))
    assert first["a.example"] > 1600
    assert first["b.example"] > 100
    assert 0 < first["c.example"] < 100


@given(st.lists(st.text(max_size=80), max_size=10))
def test_any_texts_name_some_people_or_nobody(texts: list[str]) -> None:
    assert len(named([*texts, f"mau={BOB.hex}"])) >= 1
    assert named(["x" * 600 + f"mau={BOB.hex}"]) == set()
