"""A relay can keep back. It cannot forge, roll back, rename, widen who may read, or delete (spec/sync.md S9).

Carol holds Alice's posts and is asked for them by Bob. Each test is one thing that she might try; in each the
true post, or what Bob held before, is what he has in the end.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from io import BytesIO

import pytest

from mau.content.binding import PUBLIC, bind_document
from mau.openpgp import write_message
from mau.syncer import SyncReport
from mau.tree.posts import AuthorDir
from tests.syncer.peers import Liar, Person, lying, piece, serving

NAME = "post.json.pgp"


def stored(alice: Person, name: str = NAME) -> bytes:
    return (alice.account.posts().path / name).read_bytes()


async def offered(
    bob: Person, carol: Person, alice: Person, *posts: tuple[str, bytes], full: bool = False
) -> SyncReport:
    """What comes of it when Carol lists just these."""
    relay = Liar(carol, author=alice.fpr)
    for name, data in posts:
        relay.offer(name, data)
    async with lying(relay) as address:
        return await bob.sync(alice, address, via=carol.fpr, full=full)


def refusals(report: SyncReport) -> dict[str, str]:
    return {one.name: one.kind for one in (*report.refused, *report.deferred)}


@pytest.fixture
async def held(alice: Person, bob: Person, carol: Person) -> dict[str, str]:
    """Bob has what Alice wrote; she goes away after it."""
    alice.post(NAME, "first", bob, carol)
    alice.post("other.json.pgp", "other", public=True)
    async with serving(alice) as address:
        await bob.sync(alice, address)
    return bob.held(alice)


async def test_what_it_withholds_is_only_late(
    alice: Person, bob: Person, carol: Person, held: dict[str, str]
) -> None:
    new = alice.post("new.json.pgp", "new", bob, carol)
    for full in (False, True):
        report = await offered(bob, carol, alice, full=full)
        assert (report.fetched, report.deleted) == ([], [])
        assert bob.held(alice) == held
    async with serving(alice) as address:
        assert (await bob.sync(alice, address)).fetched == ["new.json.pgp"]
    assert bob.held(alice) == held | {"new.json.pgp": new}


async def test_it_cannot_forge(alice: Person, bob: Person, carol: Person, held: dict[str, str]) -> None:
    forged = piece(carol, "forged.json.pgp", to=None, author=alice.fpr)
    over = piece(carol, NAME, "hers", to=(bob.account.certificate,), author=alice.fpr)
    report = await offered(bob, carol, alice, ("forged.json.pgp", forged), (NAME, over))
    assert report.fetched == []
    assert refusals(report).keys() == {"forged.json.pgp", NAME}
    assert bob.held(alice) == held
    # Neither name is spoiled: what Alice herself writes under them comes.
    expected = {name: alice.post(name, "true", bob) for name in ("forged.json.pgp", NAME)}
    async with serving(alice) as address:
        await bob.sync(alice, address)
    assert bob.held(alice) == held | expected


async def test_it_cannot_change_a_byte(
    alice: Person, bob: Person, carol: Person, held: dict[str, str]
) -> None:
    alice.post("new.json.pgp", "new", bob, carol)
    data = bytearray(stored(alice, "new.json.pgp"))
    data[-40] ^= 1
    report = await offered(bob, carol, alice, ("new.json.pgp", bytes(data)))
    assert refusals(report).keys() == {"new.json.pgp"}
    true = await offered(bob, carol, alice, ("new.json.pgp", stored(alice, "new.json.pgp")))
    assert true.fetched == ["new.json.pgp"]


@pytest.mark.parametrize("versions", [True, False], ids=["held as a version", "no version is left"])
async def test_it_cannot_roll_back(alice: Person, bob: Person, carol: Person, versions: bool) -> None:
    alice.post(NAME, "first", bob, carol)
    old = stored(alice)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        new = alice.post(NAME, "second", bob, carol)
        await bob.sync(alice, address)
    if not versions:
        AuthorDir(bob.root, alice.fpr).drop_versions(NAME, bob.versions(alice, NAME))
    for full in (False, True):
        report = await offered(bob, carol, alice, (NAME, old), full=full)
        assert refusals(report) == {NAME: "RolledBack"}
    assert bob.held(alice) == {NAME: new}


async def test_it_cannot_bring_back_an_older_content_where_the_post_is_gone(
    alice: Person, bob: Person, carol: Person
) -> None:
    alice.post(NAME, "first", bob, carol)
    old = stored(alice)
    async with serving(alice) as address:
        await bob.sync(alice, address)
        alice.post(NAME, "second", bob, carol)
        await bob.sync(alice, address)
    (bob.root.author_dir(alice.fpr) / NAME).unlink()
    shutil.rmtree(bob.root.path / ".syncer")  # nobody knows any more that it was removed by hand
    assert refusals(await offered(bob, carol, alice, (NAME, old))) == {NAME: "RolledBack"}
    assert bob.held(alice) == {}


async def test_it_cannot_rename(alice: Person, bob: Person, carol: Person, held: dict[str, str]) -> None:
    alice.post("new.json.pgp", "new", bob, carol)
    new = stored(alice, "new.json.pgp")
    report = await offered(bob, carol, alice, ("another.json.pgp", new), (NAME, new))
    assert refusals(report) == {"another.json.pgp": "Renamed", NAME: "Renamed"}
    assert bob.held(alice) == held
    assert (await offered(bob, carol, alice, ("new.json.pgp", new))).fetched == ["new.json.pgp"]


def signed_for(alice: Person, carol: Person, encrypted_to: list[Person]) -> bytes:
    """Alice's own signed words for Carol, encrypted anew by somebody who read them, or not at all."""
    document = {"@context": "https://schema.org", "articleBody": "for Carol alone"}
    bound = bind_document(document, alice.fpr, NAME, frozenset([alice.fpr, carol.fpr]))
    out = BytesIO()
    certificates = [one.account.certificate for one in encrypted_to]
    write_message(out, json.dumps(bound).encode(), key=alice.account.key, recipients=certificates or None)
    return out.getvalue()


@pytest.mark.parametrize("to", ["bob", "bob and alice", "nobody"])
async def test_it_cannot_widen_who_may_read(alice: Person, bob: Person, carol: Person, to: str) -> None:
    """What is signed says for whom: OpenPGP signs it inside, so whoever may read can wrap it otherwise."""
    others = {"bob": [bob], "bob and alice": [bob, alice], "nobody": []}[to]
    report = await offered(bob, carol, alice, (NAME, signed_for(alice, carol, others)))
    assert refusals(report) == {NAME: "Leaked"}
    assert bob.held(alice) == {}


async def test_it_cannot_add_readers_to_what_is_for_bob(alice: Person, bob: Person, carol: Person) -> None:
    audience = frozenset([alice.fpr, bob.fpr])
    both = (bob.account.certificate, carol.account.certificate)
    report = await offered(bob, carol, alice, (NAME, piece(alice, NAME, to=both, stated=audience)))
    assert refusals(report) == {NAME: "Leaked"}
    alone = piece(alice, NAME, to=(bob.account.certificate,), stated=audience)
    assert (await offered(bob, carol, alice, (NAME, alone))).fetched == [NAME]


def delete_action(signer: Person, alice: Person, sha256: str) -> tuple[str, bytes]:
    """A DeleteAction about Alice's post, by whomever, for everybody."""
    name = "2026-11-21-abcdefgh.json.pgp"
    document = {
        "@context": "https://schema.org",
        "@type": "DeleteAction",
        "agent": {"@id": f"mau:/p2p/{alice.fpr.hex}"},
        "endTime": "2026-11-21T12:00:00Z",
        "object": {
            "@type": "MediaObject",
            "@id": f"mau:/p2p/{alice.fpr.hex}/{NAME}",
            "sha256": [sha256],
        },
    }
    out = BytesIO()
    data = json.dumps(bind_document(document, alice.fpr, name, PUBLIC)).encode()
    write_message(out, data, key=signer.account.key, recipients=None)
    return name, out.getvalue()


async def test_it_cannot_delete(alice: Person, bob: Person, carol: Person, held: dict[str, str]) -> None:
    """Neither by a DeleteAction of its own, nor by one that it lists as its own, nor by listing nothing."""
    for full in (False, True):
        report = await offered(bob, carol, alice, delete_action(carol, alice, held[NAME]), full=full)
        assert (report.fetched, report.deleted) == ([], [])
        assert len(refusals(report)) == 1
        assert (await offered(bob, carol, alice, full=full)).deleted == []
        assert bob.held(alice) == held
    # The same words by Alice do it, whoever brings them: what was refused was the signature.
    name, data = delete_action(alice, alice, held[NAME])
    report = await offered(bob, carol, alice, (name, data))
    assert (report.fetched, report.deleted) == ([name], [NAME])


async def test_it_cannot_put_what_states_nothing_in_the_place_of_a_post(
    alice: Person, bob: Person, carol: Person, held: dict[str, str]
) -> None:
    """Not even when Alice signed it once, for whatever purpose, and encrypted it for Bob."""
    public = piece(alice, NAME, "a note", to=None, bound=False)
    private = piece(alice, NAME, "a note", to=(bob.account.certificate,), bound=False)
    for data in (public, private):
        assert refusals(await offered(bob, carol, alice, (NAME, data), full=True)) == {
            NAME: "UnboundFromRelay"
        }
    report = await offered(bob, carol, alice, ("new.pgp", public))
    assert refusals(report) == {"new.pgp": "UnboundFromRelay"}
    assert bob.held(alice) == held


async def test_what_it_says_of_size_and_sum_spoils_nothing(alice: Person, bob: Person, carol: Person) -> None:
    """A lie about the bytes is the relay's: the same item from Alice is taken."""
    sha256 = alice.post(NAME, "first", bob, carol)
    relay = Liar(carol, author=alice.fpr)
    relay.offer(NAME, b"x" * len(stored(alice)), sum=sha256)
    async with lying(relay) as address:
        report = await bob.sync(alice, address, via=carol.fpr)
    assert [one.kind for one in report.failed] == ["PeerMisbehaved"]
    assert hashlib.sha256(stored(alice)).hexdigest() == sha256
    async with serving(alice) as address:
        assert (await bob.sync(alice, address)).fetched == [NAME]
