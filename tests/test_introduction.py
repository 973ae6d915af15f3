"""Whatever a peer gives as a key, only the one with the fingerprint that was asked for is taken."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from mau.account import Account
from mau.addressbook import AddressBook
from mau.errors import IdentityError, KeyRefused, MauError, PeerMisbehaved, PeerNotFound, PeerUnreachable
from mau.fingerprint import Fingerprint
from mau.introduction import fetch_key, judge_key
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from mau.wire.paths import key_path
from mau.wire.tls import peer_fingerprint
from tests.syncer.peers import IMPATIENT, Liar, Person, everything_below, lying, serving

KEYS = [SecretKey.generate(name, f"{name}@example.org") for name in ("alice", "zoe", "yan")]
ALICE, ZOE, YAN = (key.certificate for key in KEYS)
SECRET = b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n-----END PGP PRIVATE KEY BLOCK-----\n"


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Person]:
    """Alice, Zoe and Yan, who are nobody to each other."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    found = []
    for key in KEYS:
        account = Account(Root(tmp_path / key.certificate.name), key)
        account.root.ensure()
        account.root.author_dir(account.fingerprint).mkdir(mode=0o700)
        found.append(Person(account, Keyring.load(account)))
    return found


async def given_for_zoe(people: list[Person], answer: web.Response) -> MauError:
    """Alice's error when Zoe's server answers like this to the question for her key."""
    alice, zoe, _ = people

    async def give(_: web.BaseRequest) -> web.StreamResponse:
        return answer

    before = everything_below(alice.root)
    async with lying(Liar(zoe, answers={key_path(zoe.fpr): give})) as address:
        with pytest.raises(MauError) as caught:
            await fetch_key(alice.account, zoe.fpr, addresses=[address], timeouts=IMPATIENT)
    assert everything_below(alice.root) == before
    return caught.value


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        (YAN.armored().encode(), KeyRefused, "another one"),
        (bytes(ZOE) + bytes(YAN), PeerMisbehaved, "one key was expected"),
        (b"", PeerMisbehaved, "not the key"),
        (bytes(ZOE)[:-1], PeerMisbehaved, "not the key"),
        (SECRET, KeyRefused, "secret key"),
        (ZOE.armored().encode() + b" " * (1 << 20), PeerMisbehaved, "more than"),
    ],
)
async def test_what_is_not_the_key_is_not_taken(
    people: list[Person], body: bytes, error: type[MauError], words: str
) -> None:
    got = await given_for_zoe(people, web.Response(body=body))
    assert isinstance(got, error)
    assert words in str(got)


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, PeerMisbehaved), (302, PeerMisbehaved), (500, PeerMisbehaved), (429, PeerUnreachable)],
)
async def test_another_status_is_an_error(people: list[Person], status: int, error: type[MauError]) -> None:
    got = await given_for_zoe(people, web.Response(status=status, body=bytes(ZOE)))
    assert isinstance(got, error)
    assert str(status) in str(got)


@given(st.binary(max_size=300), st.integers(0, len(bytes(ZOE)) - 1))
def test_no_bytes_are_somebody_elses_key(noise: bytes, at: int) -> None:
    whole = bytes(ZOE)
    for data in (noise, whole[:at] + noise + whole[at:], whole[:at]):
        try:
            certificate = judge_key(data, ZOE.fingerprint)
        except (PeerMisbehaved, KeyRefused):
            continue
        assert certificate.fingerprint == ZOE.fingerprint


async def test_the_owner_gives_his_key_to_a_stranger(people: list[Person]) -> None:
    alice, zoe, _ = people
    asked: list[Fingerprint | None] = []

    async def give(request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request.transport, asyncio.Transport)
        asked.append(peer_fingerprint(request.transport))
        return web.Response(body=bytes(ZOE))

    async with lying(Liar(zoe, answers={key_path(zoe.fpr): give})) as address:
        found = await fetch_key(alice.account, zoe.fpr, addresses=[address])
    assert found.certificate == ZOE
    assert asked == [None]
    book = AddressBook(alice.root)
    assert book.addresses(zoe.fpr) == []
    found.remember(alice.root)
    assert book.addresses(zoe.fpr) == [address]
    book.close()


async def test_a_proof_that_failed_says_more_than_a_silence(people: list[Person]) -> None:
    alice, zoe, yan = people
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = ("127.0.0.1", taken.getsockname()[1])
        async with serving(yan) as other:
            for addresses in ([nobody, other], [other, nobody]):
                with pytest.raises(IdentityError, match=f":{other[1]}: somebody else"):
                    await fetch_key(alice.account, zoe.fpr, addresses=addresses)
        with pytest.raises(PeerUnreachable):
            await fetch_key(alice.account, zoe.fpr, addresses=[nobody])
    with pytest.raises(PeerNotFound):
        await fetch_key(alice.account, zoe.fpr)


async def test_the_address_book_serves_and_learns(people: list[Person]) -> None:
    alice, zoe, yan = people
    book = AddressBook(alice.root)
    async with serving(zoe) as address, serving(yan) as other:
        book.proven(zoe.fpr, *address)
        book.proven(zoe.fpr, *other)
        found = await fetch_key(alice.account, zoe.fpr)
        assert (found.peer, found.address) == (zoe.fpr, address)
        found.remember(alice.root)
        failures = {(known.host, known.port): known.failures for known in book.known(zoe.fpr)}
    book.close()
    assert failures[address] == 0
    assert failures[other] <= 1


async def test_a_holder_gives_the_key_with_the_posts_to_whom_he_knows(people: list[Person]) -> None:
    alice, zoe, yan = people
    alice.knows(zoe, "zoe")
    zoe.knows(alice, "alice")
    zoe.knows(yan, "yan")
    async with serving(zoe) as address:
        with pytest.raises(PeerMisbehaved, match="404"):
            await fetch_key(alice.account, yan.fpr, via=zoe.fpr, addresses=[address])
        yan.post("x.json.pgp", "hello", public=True)
        content = (yan.root.author_dir(yan.fpr) / "x.json.pgp").read_bytes()
        (zoe.root.author_dir(yan.fpr) / "x.json.pgp").write_bytes(content)
        found = await fetch_key(alice.account, yan.fpr, via=zoe.fpr, addresses=[address])
        with pytest.raises(PeerMisbehaved, match="404"):
            await fetch_key(alice.account, Fingerprint(bytes(20)), via=zoe.fpr, addresses=[address])
    assert (found.certificate, found.peer, found.address) == (YAN, zoe.fpr, address)
