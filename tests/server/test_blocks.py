"""Whom the owner blocked gets nothing, and is told no more than a stranger is (spec/marks.md MK40-MK45)."""

from __future__ import annotations

import asyncio
from contextlib import closing

import pytest

from mau.circuit.terms import CircuitPolicy
from mau.content.binding import PUBLIC
from mau.errors import PeerUnreachable
from mau.hostport import circuit
from mau.invite.book import InviteBook
from mau.marks import Marks
from mau.marks import subject as subjects
from mau.server import people as server_people
from mau.wire.client import PeerClient, Timeouts
from mau.wire.paths import call_path, invite_path, key_path, list_path, register_path, version_path
from tests.server.pager import talking
from tests.server.world import PATIENCE, Host, Reply, Someone, audience, read_reply, serving


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server looks at the marks at every request, not once a second."""
    monkeypatch.setattr(server_people, "_CHECK_EVERY", 0.0)


def block(owner: Someone, who: Someone, *, on: bool = True) -> None:
    Marks.load(owner.account).decide("block", subjects.person(who.fingerprint), on=on)


def told(reply: Reply) -> tuple[int, list[str], bytes]:
    """What of an answer says something; dates and sealed cursors differ each time."""
    return reply.status, sorted(name.lower() for name in reply.headers), reply.body


async def test_a_blocked_friend_gets_nothing_of_anybody_while_others_do(
    host: Host, alice: Someone, bob: Someone, carol: Someone
) -> None:
    alice.publish("for-both", b"1", audience(alice, bob, carol))
    alice.publish("public", b"2", PUBLIC)
    alice.holds(carol, "to-bob", carol.message(b"3", [bob, alice]))
    alice.holds(bob, "of-bob", bob.message(b"4", [alice, bob]))
    assert sorted((await host.list(bob)).names) == ["for-both", "public"]
    assert (await host.list(bob, carol)).names == ["to-bob"]
    assert (await host.get(bob, "for-both")).status == 200
    block(alice, bob)
    for author in (alice, bob, carol):
        assert (await host.list(bob, author)).names == []
    assert (await host.get(bob, "for-both")).status == 404
    assert (await host.get(bob, "public")).status == 404
    assert (await host.get(bob, "of-bob", author=bob)).status == 404
    assert (await host.get(bob, "to-bob", author=carol)).status == 404
    assert (await host.ask(bob, key_path(carol.fingerprint))).status == 404
    sha256 = alice.account.posts().sha256("public.pgp")
    assert (await host.ask(bob, version_path(alice.fingerprint, "public.pgp", sha256))).status == 404
    assert sorted((await host.list(carol)).names) == ["for-both", "public"]
    assert (await host.get(None, "public")).status == 200
    block(alice, bob, on=False)
    assert (await host.get(bob, "for-both")).status == 200
    assert sorted((await host.list(bob)).names) == ["for-both", "public"]


async def test_what_he_is_told_is_what_a_stranger_is_told_where_there_is_nothing(
    alice: Someone, bob: Someone, mallory: Someone
) -> None:
    asked = [
        (list_path(alice.fingerprint), {}),
        (list_path(alice.fingerprint) + "?limit=10", {}),
        (list_path(alice.fingerprint), {"If-None-Match": '"x"'}),
        (list_path(alice.fingerprint), {"Accept": "application/x-tar"}),
        (f"/p2p/{alice.fingerprint.hex}/public.pgp", {}),
        (f"/p2p/{alice.fingerprint.hex}/none.pgp", {"Range": "bytes=0-1"}),
        (key_path(alice.fingerprint), {}),
        (key_path(bob.fingerprint), {}),
        (register_path(), {}),
        (call_path(alice.fingerprint), {}),
    ]
    async with serving(alice) as host:
        strangers = [told(await host.ask(mallory, path, headers)) for path, headers in asked]
    alice.publish("public", b"2", PUBLIC)
    alice.publish("for-bob", b"2", audience(alice, bob))
    block(alice, bob)
    async with serving(alice, circuits=CircuitPolicy()) as host:
        blocked = [told(await host.ask(bob, path, headers)) for path, headers in asked]
    assert blocked == strangers


async def test_nothing_wakes_him_while_he_waits(host: Host, alice: Someone, bob: Someone) -> None:
    alice.publish("old", b"1", PUBLIC)
    block(alice, bob)
    async with talking(host, bob) as talk:
        talk.send(list_path(alice.fingerprint) + "?from=newest", {"Prefer": "wait=1"})
        async with asyncio.timeout(PATIENCE):
            waiting = asyncio.create_task(talk.answer())
            alice.publish("new", b"2", audience(alice, bob))
            alice.publish("public", b"2", PUBLIC)
            assert (await waiting).json == []


async def test_no_invite_counts_for_him(host: Host, alice: Someone, bob: Someone, mallory: Someone) -> None:
    async def show(who: Someone) -> Reply:
        body = bytes(who.account.certificate)
        head = f"PUT {invite_path(token)} HTTP/1.1\r\nHost: peer\r\nConnection: close"
        head += f"\r\nContent-Length: {len(body)}"
        return read_reply(await host.raw(who, f"{head}\r\n\r\n".encode() + body), "PUT")

    with closing(InviteBook(alice.account)) as book:
        token = book.make(seconds=3600, uses=5, note="")[0]
    block(alice, mallory)
    assert (await show(mallory)).status == 404
    with closing(InviteBook(alice.account)) as book:
        assert not dict(book.requests())
    block(alice, mallory, on=False)
    assert (await show(mallory)).status == 204


async def test_nothing_is_passed_on_for_him(alice: Someone, bob: Someone, carol: Someone) -> None:
    everybody = CircuitPolicy(members=frozenset({bob.fingerprint, carol.fingerprint}))
    for policy in (CircuitPolicy(), everybody):
        async with serving(alice, circuits=policy) as relay:
            block(alice, bob)
            assert (await relay.ask(bob, register_path())).status == 404
            assert (await relay.ask(carol, register_path())).status == 426
            way = circuit(alice.fingerprint, (relay.host, relay.port))
            with pytest.raises(PeerUnreachable):
                async with PeerClient(
                    bob.account.identity(), carol.fingerprint, *way, timeouts=Timeouts(connect=10, busy=0)
                ) as peer:
                    await peer.connect()
            block(alice, bob, on=False)
            assert (await relay.ask(bob, register_path())).status == 426


async def test_the_files_of_marks_are_for_their_owner_alone_whatever_their_recipients_say(
    host: Host, alice: Someone, bob: Someone
) -> None:
    marks = Marks.load(alice.account)
    marks.decide("mute", subjects.tag("tea"))
    marks.mark_all_read()
    names = ["mau-marks.json", "mau-read.json"]
    for name in names:
        assert (await host.get(bob, name)).status == 404
        assert (await host.get(alice, name)).status == 200
        alice.own(name).write_bytes(
            alice.message(b"{}", [alice, bob], name=name, audience=audience(alice, bob))
        )
        assert (await host.get(bob, name)).status == 404
        alice.own(name).write_bytes(alice.message(b"{}", None, name=name, audience=PUBLIC))
        assert (await host.get(None, name)).status == 404
    assert not {*names} & {*(await host.list(bob)).names, *(await host.list(None)).names}
