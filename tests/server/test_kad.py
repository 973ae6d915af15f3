"""/kad: who asks becomes known only once he was reached, and told is only who was (http.yaml H80-H86)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from mau.addressbook import AddressBook, KnownAddress
from mau.errors import NotOffered, PeerUnreachable
from mau.fingerprint import Fingerprint
from mau.hostport import Address
from mau.server.kad import FRESH
from mau.wire.client import PeerClient, Timeouts
from mau.wire.kad import Node
from mau.wire.paths import dial_back_path, peers_path, ping_path
from tests.server.world import PATIENCE, Host, Someone, serving

NEARBY = Fingerprint(bytes(19) + b"\1")


def client(host: Host, who: Someone | None, announced: Address | None = None) -> PeerClient:
    identity = who.account.identity() if who else None
    patience = Timeouts(busy=0)
    return PeerClient(
        identity, host.owner.fingerprint, host.host, host.port, timeouts=patience, announced=announced
    )


@asynccontextmanager
async def book(of: Someone) -> AsyncIterator[AddressBook]:
    found = AddressBook(of.account.root)
    try:
        yield found
    finally:
        found.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - the condition is on the disk
            await asyncio.sleep(0.02)


async def told(host: Host, who: Someone | None, wanted: Fingerprint = NEARBY) -> list[Node]:
    async with client(host, who) as peer:
        return await peer.find_peer(wanted)


# --- taking part -------------------------------------------------------------------------------------------


async def test_who_takes_no_part_says_nothing_of_others(alice: Someone, bob: Someone) -> None:
    async with serving(alice) as host:
        assert (await host.ask(bob, ping_path())).status == 404
        assert (await host.ask(bob, peers_path(NEARBY))).status == 404
        async with client(host, bob) as peer:
            with pytest.raises(NotOffered):
                await peer.ping()


async def test_who_takes_part_answers_strangers_and_knows_nobody_at_first(alice: Someone) -> None:
    async with serving(alice, kademlia=True) as host:
        ping = await host.ask(None, ping_path())
        assert (ping.status, ping.body) == (200, b"")
        reply = await host.ask(None, peers_path(NEARBY))
        assert (reply.status, reply.json, reply.headers["Content-Type"]) == (200, [], "application/json")


@pytest.mark.parametrize("path", ["/kad", "/kad/", "/kad/ping/", "/kad/find_peer", "/kad/store/1"])
async def test_there_is_nothing_else_under_kad(alice: Someone, path: str) -> None:
    async with serving(alice, kademlia=True) as host:
        assert (await host.ask(None, path)).status == 404


@pytest.mark.parametrize("path", ["/kad/find_peer/xyz", "/kad/dial_back/0", "/kad/dial_back/65536"])
async def test_what_cannot_be_is_a_bad_request(alice: Someone, bob: Someone, path: str) -> None:
    async with serving(alice, kademlia=True) as host:
        assert (await host.ask(bob, path)).status == 400


# --- who asks ----------------------------------------------------------------------------------------------


async def test_who_asks_and_is_reached_where_he_says_is_told_to_others(
    alice: Someone, bob: Someone, carol: Someone
) -> None:
    async with serving(alice, kademlia=True) as host, serving(bob, kademlia=True) as reachable:
        assert await told(host, carol) == []
        async with client(host, bob, announced=(reachable.host, reachable.port)) as peer:
            await peer.ping()
        async with book(alice) as alices:
            await until(lambda: bool(alices.kad_nodes(0)))
        expected = [(bob.fingerprint, (reachable.host, reachable.port))]
        async with asyncio.timeout(PATIENCE):
            while await told(host, carol) != expected:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
        assert await told(host, None) == expected
        assert host.server.gate.counters.requests["friend", 500] == 0


async def test_a_claim_of_another_place_or_of_nothing_leads_nowhere(
    alice: Someone, bob: Someone, carol: Someone, mallory: Someone
) -> None:
    async with (
        serving(alice, kademlia=True) as host,
        serving(bob, kademlia=True) as other,
        serving(carol) as no_node,
    ):
        # Somebody else lives there; nobody does; one who takes no part does; and one says nothing at all.
        claims: list[tuple[Someone, Address | None]] = [
            (mallory, (other.host, other.port)),
            (mallory, ("203.0.113.1", 9)),
            (carol, (no_node.host, no_node.port)),
            (bob, None),
        ]
        for who, announced in claims:
            async with client(host, who, announced=announced) as peer:
                await peer.ping()
        async with client(host, bob, announced=(other.host, other.port)) as peer:
            await peer.ping()
        async with book(alice) as alices:
            await until(lambda: bool(alices.kad_nodes(0)))
            assert {one.fingerprint for one in alices.kad_nodes(0)} == {bob.fingerprint}
            assert not alices.known(mallory.fingerprint)
            assert not any(one.host == "203.0.113.1" for one in alices.known())


async def test_who_asks_again_and_again_is_not_dialled_each_time(alice: Someone, bob: Someone) -> None:
    async with serving(alice, kademlia=True) as host, serving(bob, kademlia=True) as reachable:
        for _ in range(30):
            async with client(host, bob, announced=(reachable.host, reachable.port)) as peer:
                await peer.ping()
        async with book(alice) as alices:
            await until(lambda: bool(alices.kad_nodes(0)))
        assert reachable.server.gate.counters.requests.total() <= 4


# --- who is told -------------------------------------------------------------------------------------------


async def test_told_are_nodes_proven_lately_and_never_what_friends_said(alice: Someone) -> None:
    def somebody(number: int) -> Fingerprint:
        return Fingerprint(number.to_bytes(20))

    async with book(alice) as alices:
        for number in range(1, 31):
            alices.proven(somebody(number), "127.0.0.1", 1000 + number, source="kademlia", kad=True)
        alices.told(somebody(31), "127.0.0.1", 1031, source="contact")
        alices.proven(somebody(32), "127.0.0.1", 1032, source="contact")
        alices.proven(alice.fingerprint, "127.0.0.1", 1033, source="kademlia", kad=True)
        assert not alices.kad_nodes(int(time.time()) + FRESH)
    async with serving(alice, kademlia=True) as host:
        nodes = await told(host, None, somebody(3))
        # XOR with 3: 3, 2, 1, then 7, 6, 5, 4 and so on.
        assert [int.from_bytes(one.raw) for one, _ in nodes[:7]] == [3, 2, 1, 7, 6, 5, 4]
        assert len(nodes) == 20
        everybody = await told(host, None, somebody(32))
        assert not {somebody(31), somebody(32), alice.fingerprint} & {one for one, _ in everybody}


async def test_who_left_the_lookup_network_is_told_no_more_however_often_he_is_met(
    alice: Someone, bob: Someone, carol: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.time
    async with book(alice) as alices:
        monkeypatch.setattr(time, "time", lambda: clock() - FRESH - 60)
        alices.proven(bob.fingerprint, "127.0.0.1", 1, source="asked", kad=True)
        monkeypatch.undo()
        alices.proven(bob.fingerprint, "127.0.0.1", 1)  # as a sync does
        alices.proven(carol.fingerprint, "127.0.0.1", 2, source="asked", kad=True)
    async with serving(alice, kademlia=True) as host:
        assert await told(host, None, bob.fingerprint) == [(carol.fingerprint, ("127.0.0.1", 2))]


async def test_who_failed_since_is_not_told(alice: Someone, bob: Someone) -> None:
    async with book(alice) as alices:
        alices.proven(bob.fingerprint, "127.0.0.1", 1, source="asked", kad=True)
        alices.failed(bob.fingerprint, "127.0.0.1", 1)
    async with serving(alice, kademlia=True) as host:
        assert await told(host, None, bob.fingerprint) == []


async def test_what_was_written_ahead_of_the_clock_is_not_told(
    alice: Someone, bob: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.time
    async with book(alice) as alices:
        monkeypatch.setattr(time, "time", lambda: clock() + 86_400)
        alices.proven(bob.fingerprint, "127.0.0.1", 1, source="asked", kad=True)
        monkeypatch.undo()
    async with serving(alice, kademlia=True) as host:
        assert await told(host, None, bob.fingerprint) == []


async def test_where_only_friends_were_told_to_look_strangers_are_not_told(
    alice: Someone, bob: Someone
) -> None:
    async with book(alice) as alices:
        alices.told(bob.fingerprint, "127.0.0.1", 1, source="contact")
        # A lookup that begins at friends asks him there, and he answers.
        alices.proven(bob.fingerprint, "127.0.0.1", 1, source="kademlia", kad=True)
    async with serving(alice, kademlia=True) as host:
        assert await told(host, None, bob.fingerprint) == []
        async with serving(bob, kademlia=True) as reachable:
            async with book(alice) as alices:
                alices.told(bob.fingerprint, reachable.host, reachable.port, source="contact")
            async with client(host, bob, announced=(reachable.host, reachable.port)) as peer:
                await peer.ping()
            expected = [(bob.fingerprint, (reachable.host, reachable.port))]
            async with asyncio.timeout(PATIENCE):
                while await told(host, None, bob.fingerprint) != expected:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)


async def test_a_crowd_that_asks_at_once_has_the_book_read_once(
    alice: Someone, bob: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    nodes = AddressBook.kad_nodes

    def counted(self: AddressBook, since: int) -> list[KnownAddress]:
        read.append(since)
        time.sleep(0.2)
        return nodes(self, since)

    monkeypatch.setattr(AddressBook, "kad_nodes", counted)
    async with serving(alice, kademlia=True) as host:
        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(told(host, None))
        assert len(read) == 1


async def test_nobody_is_told_of_networks_that_he_cannot_reach(alice: Someone) -> None:
    from mau.hostport import believable

    assert believable("127.0.0.1", "127.0.0.1")
    assert believable("192.168.1.2", "10.0.0.1")
    assert believable("198.51.100.1", "203.0.113.9")
    assert not believable("192.168.1.2", "198.51.100.1")
    assert not believable("127.0.0.1", "192.168.1.2")
    assert not believable("fe80::1", "192.168.1.2")
    assert not believable("0.0.0.0", "127.0.0.1")  # noqa: S104 - nothing listens here
    assert not believable("224.0.0.251", "127.0.0.1")


# --- dialling back -----------------------------------------------------------------------------------------


async def test_dialling_back_says_whether_and_where_one_is_reached(alice: Someone, bob: Someone) -> None:
    async with serving(alice) as host, serving(bob) as reachable, client(host, bob) as peer:
        answer = await peer.dial_back(reachable.port)
        assert (answer.reached, answer.address) == (True, ("127.0.0.1", reachable.port))
        async with book(alice) as alices:
            assert alices.addresses(bob.fingerprint) == [("127.0.0.1", reachable.port)]
            assert not alices.kad_nodes(0)  # he did not say that he takes part


async def test_somebody_else_at_that_port_is_not_the_one_who_asked(
    alice: Someone, bob: Someone, carol: Someone
) -> None:
    async with serving(alice) as host, serving(carol) as other, client(host, bob) as peer:
        assert not (await peer.dial_back(other.port)).reached
        async with book(alice) as alices:
            assert not alices.known(bob.fingerprint)


async def test_a_stranger_is_not_dialled_and_nobody_is_dialled_often(alice: Someone, bob: Someone) -> None:
    async with serving(alice) as host:
        assert (await host.ask(None, dial_back_path(1))).status == 403
        replies = [await host.ask(bob, dial_back_path(1)) for _ in range(8)]
        assert [reply.status for reply in replies] == [200] * 4 + [429] * 4
        assert int(replies[-1].headers["Retry-After"]) > 0
        async with client(host, bob) as peer:
            with pytest.raises(PeerUnreachable, match="busy"):
                await peer.dial_back(1)
