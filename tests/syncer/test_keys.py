"""Friends' keys stay fresh: asked of their own hosts, of which nothing is believed that is not signed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from mau import ownkey
from mau.account import Account
from mau.errors import KeyRefused, NotOffered, PeerMisbehaved, PeerUnreachable
from mau.keyring import Keyring
from mau.openpgp import Certificate, SecretKey
from mau.openpgp.compat import pgpy
from mau.openpgp.lifetime import extended, revoked
from mau.syncer import follower
from mau.syncer import keys as keys_module
from mau.syncer.keys import EVERY, IN_TROUBLE_EVERY, KeyReport, Keys, is_due
from mau.wire.client import PeerClient
from tests.syncer.peers import IMPATIENT, Person, serving
from tests.syncer.test_worker import tell, watching

LATER = int(time.time()) + 86_400


@pytest.fixture
def keys() -> dict[str, SecretKey]:
    """New ones for each test: here they change."""
    made = int(time.time()) - 9000
    return {
        name: SecretKey.generate(name, f"{name}@example.org", created=made)
        for name in ("alice", "bob", "carol")
    }


@asynccontextmanager
async def asking(who: Person, whom: Person, where: tuple[str, int]) -> AsyncIterator[PeerClient]:
    async with PeerClient(who.account.identity(), whom.fpr, *where, timeouts=IMPATIENT) as client:
        yield client


async def refreshed(who: Person, whom: Person, where: tuple[str, int], of: Person | None = None) -> KeyReport:
    """Ask once, with what was remembered before."""
    known = Keys(who.root, who.keyring)
    try:
        async with asking(who, whom, where) as client:
            return await known.refresh(client, (of or whom).fpr, whom.fpr)
    finally:
        known.close()


async def publishes(who: Person, certificate: Certificate) -> None:
    """Somebody changes his key while his server runs, and it has noticed."""
    before = who.account.certificate
    ownkey.write(who.root, certificate)
    for _ in range(100):
        if who.account.certificate != before:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it is never noticed")


async def test_a_running_server_gives_out_the_revoked_key_and_the_friend_learns_it(
    alice: Person, bob: Person
) -> None:
    async with serving(alice) as where:
        assert await refreshed(bob, alice, where) == KeyReport(alice.fpr)
        await publishes(alice, revoked(alice.account.key, "compromised").certificate)
        report = await refreshed(bob, alice, where)
    assert report.problem is None
    assert report.changes == ("the key is revoked now: nothing is encrypted to it any more",)
    assert Keyring.load(bob.account).resolve("alice").certificate.compromised


async def test_an_expiry_counts_and_user_ids_and_subkeys_wait(alice: Person, bob: Person) -> None:
    async with serving(alice) as where:
        await publishes(alice, extended(alice.account.key, LATER).certificate)
        assert (await refreshed(bob, alice, where)).changes == ("its expiry changed",)
    alice = Person(Account(alice.root, _grown(alice.account.key)), alice.keyring)
    async with serving(alice) as where:
        report = await refreshed(bob, alice, where)
        assert (report.changes, report.fresh) == ((), True)
        assert len(report.waiting) == 2
        again = await refreshed(bob, alice, where)
        assert (again.waiting, again.fresh) == (report.waiting, False)
    person = Keyring.load(bob.account).resolve("alice")
    assert person.certificate.expires == LATER
    assert len(person.certificate.encryption_keyids) == 1
    assert person.certificate.user_ids == ("alice <alice@example.org>",)


def _grown(key: SecretKey) -> SecretKey:
    """The key with another user id and another encryption subkey."""
    constants = pgpy().constants
    own = SecretKey(key.transferable).pgpy_key
    subkey = pgpy().PGPKey.new(constants.PubKeyAlgorithm.ECDH, constants.EllipticCurveOID.Curve25519)
    own.add_subkey(subkey, usage={constants.KeyFlags.EncryptCommunications})
    own.add_uid(pgpy().PGPUID.new("Queen", email="queen@example.org"), usage={constants.KeyFlags.Certify})
    return SecretKey(bytes(own))


async def test_what_is_known_is_not_sent_again_unless_the_keyring_forgot_it(
    alice: Person, bob: Person
) -> None:
    known = Keys(bob.root, bob.keyring)
    async with serving(alice) as where, asking(bob, alice, where) as client:
        counting = _Counting(client)
        await known.refresh(counting, alice.fpr, alice.fpr)
        await known.refresh(counting, alice.fpr, alice.fpr)
        assert counting.bodies == [True, False]
        # An older keyring comes back from a backup: the answer of then says nothing about it.
        bob.keyring.remove(alice.fpr)
        bob.keyring.add(extended(alice.account.key, LATER).certificate, "alice")
        await known.refresh(counting, alice.fpr, alice.fpr)
        assert counting.bodies == [True, False, True]
    known.close()


class _Counting:
    def __init__(self, client: PeerClient) -> None:
        self.client = client
        self.bodies: list[bool] = []

    async def newer_key(self, owner: object, have: str | None) -> bytes | None:
        data = await self.client.newer_key(owner, have)  # type: ignore[arg-type]
        self.bodies.append(data is not None)
        return data


async def test_asked_every_few_minutes_and_sooner_in_trouble(
    alice: Person, bob: Person, carol: Person
) -> None:
    now = int(time.time())
    assert not is_due(now - EVERY + 1, now)
    assert is_due(now - EVERY, now)
    assert not is_due(now - IN_TROUBLE_EVERY + 1, now, trouble=True)
    assert is_due(now - IN_TROUBLE_EVERY, now, trouble=True)
    assert is_due(now + 1, now), "a clock that was ahead keeps nobody waiting"
    known = Keys(bob.root, bob.keyring)
    assert known.due(alice.fpr, alice.fpr)
    async with serving(alice) as where:
        await refreshed(bob, alice, where)
    assert not known.due(alice.fpr, alice.fpr)
    assert not known.due(alice.fpr, alice.fpr, trouble=True)
    assert known.due(alice.fpr, carol.fpr), "another source"
    assert known.due(carol.fpr, carol.fpr)
    bob.keyring.remove(carol.fpr)
    assert not known.due(carol.fpr, carol.fpr), "no key of his was confirmed"
    known.close()


async def test_a_relay_can_pass_on_a_revocation_and_cannot_take_it_back(
    alice: Person, bob: Person, carol: Person
) -> None:
    alice.post("for-bob.json.pgp", "x", bob, carol)
    for person in (carol, bob):
        await _fetch(person, alice)
    ended = revoked(alice.account.key, "compromised").certificate
    async with serving(carol) as where:
        carol.keyring.take_in(ended)
        report = await refreshed(bob, carol, where, alice)
        assert report.problem is None
        assert bob.keyring.resolve("alice").certificate.compromised
    bob.keyring.take_in(alice.account.certificate)
    assert bob.keyring.resolve("alice").certificate.compromised


async def _fetch(who: Person, author: Person) -> None:
    async with serving(author) as where:
        assert (await who.sync(author, where)).fetched


# --- in a round of the syncer -------------------------------------------------------------------------------


async def test_a_sync_learns_of_a_revocation_and_takes_what_was_signed_before(
    alice: Person, bob: Person
) -> None:
    alice.post("last.json.pgp", "x", bob)
    async with serving(alice) as where:
        await publishes(alice, revoked(alice.account.key, "retired").certificate)
        report = await bob.sync(alice, where)
        again = await bob.sync(alice)
    assert report.key is not None
    assert report.key.changes
    assert (report.fetched, report.refused) == (["last.json.pgp"], [])
    assert again.key is None, "asked only just now"
    assert Keyring.load(bob.account).resolve("alice").certificate.revoked


async def test_posts_that_an_outdated_copy_keeps_out_come_in_the_same_round(
    alice: Person, bob: Person
) -> None:
    now = int(time.time())
    short = extended(alice.account.key, now - 1000, now - 4000)
    bob.keyring.remove(alice.fpr)
    bob.keyring.add(short.certificate, "alice", known=True)
    alice.post("a.json.pgp", "signed after that expiry", public=True)
    longer = Person(Account(alice.root, extended(short, LATER, now - 2000)), alice.keyring)
    _asked_before(bob, alice, now - IN_TROUBLE_EVERY + 20)
    async with serving(longer) as where:
        waits = await bob.sync(alice, where)
        assert waits.key is None, "asked only just now"
        assert [trouble.kind for trouble in waits.deferred] == ["SignerExpired"]
        _asked_before(bob, alice, now - IN_TROUBLE_EVERY)
        report = await bob.sync(alice, where)
    assert report.key is not None
    assert report.key.changes == ("its expiry changed",)
    assert (report.fetched, report.deferred) == (["a.json.pgp"], [])


def _asked_before(who: Person, whom: Person, at: int) -> None:
    known = Keys(who.root, who.keyring)
    known._note(whom.fpr, whom.fpr, None)
    known._database.run(lambda connection: connection.execute("UPDATE asked SET at = ?", (at,)))
    known.close()


# --- hosts that lie -----------------------------------------------------------------------------------------


@asynccontextmanager
async def answering(person: Person, answer: object) -> AsyncIterator[tuple[str, int]]:
    """A host with somebody's real identity that answers every request the same."""
    from mau.wire.tls import server_context

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if callable(answer):
            return await answer(request)  # type: ignore[no-any-return]
        assert isinstance(answer, bytes)
        return web.Response(body=answer)

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_context(person.account.identity()))
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield str(host), int(port)
    finally:
        await runner.cleanup()


async def test_lies_about_a_key_end_as_their_own_problem(alice: Person, bob: Person, carol: Person) -> None:
    lies = {
        b"junk": PeerMisbehaved,
        bytes(carol.account.certificate): KeyRefused,
        alice.account.key.transferable: PeerMisbehaved,
        b"x" * (1024 * 1024 + 1): PeerMisbehaved,
    }
    before = bob.root.key_file(alice.fpr).read_bytes()
    for lie, problem in lies.items():
        async with answering(alice, lie) as where:
            report = await refreshed(bob, alice, where)
        assert isinstance(report.problem, problem)
        assert not report.changes
    assert bob.root.key_file(alice.fpr).read_bytes() == before


async def test_a_host_that_has_no_key_or_drips_is_left_alone(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=404)

    async def drip(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.05)

    async with answering(alice, nothing) as where:
        assert isinstance((await refreshed(bob, alice, where)).problem, NotOffered | PeerMisbehaved)
    known = Keys(bob.root, bob.keyring)
    assert not known.due(alice.fpr, alice.fpr), "asked again tomorrow"
    known.close()
    monkeypatch.setattr(keys_module, "PATIENCE", 1.0)
    async with answering(alice, drip) as where:
        began = time.monotonic()
        assert isinstance((await refreshed(bob, alice, where)).problem, PeerUnreachable)
        assert time.monotonic() - began < 5


async def test_a_revocation_is_known_soon_where_the_connection_lasts(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_module, "EVERY", 1)
    monkeypatch.setattr(follower, "WAIT", 1)
    async with serving(alice) as where:
        tell(bob, alice, where)
        async with watching(bob) as watched:
            await watched.until(lambda: watched.status(alice).doing == "waiting")
            assert not Keyring.load(bob.account).resolve("alice").certificate.revoked
            await publishes(alice, revoked(alice.account.key, "superseded").certificate)
            await watched.until(lambda: Keyring.load(bob.account).resolve("alice").certificate.revoked)
            assert watched.status(alice).error == ""
