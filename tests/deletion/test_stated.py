"""What a signature states is found out once, whoever asks, and believed only when we noted it (M83)."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mau.content.binding import PUBLIC
from mau.deletion import held as held_module
from mau.deletion.held import HeldDeletes, deletes_of
from mau.publish import publish_document
from mau.server import facts
from mau.server.server import Server
from mau.stated import Stated, Statements
from mau.wire.client import PeerClient
from tests.publish.world import Someone, World, bound, message

SHA, OTHER = "a" * 64, "b" * 64
NOTE = {"@context": "https://schema.org", "@type": "Comment", "text": "hello"}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Who opened a message since: the server, or who looks for deletes."""
    found: list[str] = []
    for module, name in ((held_module, "open_source"), (facts, "open_message")):
        real = getattr(module, name)

        def counted(
            *words: object, real: object = real, who: str = module.__name__, **more: object
        ) -> object:
            found.append(who.rpartition(".")[2])
            return real(*words, **more)  # type: ignore[operator]

        monkeypatch.setattr(module, name, counted)
    yield found


def forget_deletes(one: Someone) -> None:
    """All that is noted of deletes, but not what was noted of contents."""
    for path in one.account.root.state_dir("reader").glob("deletes.db*"):
        path.unlink()


def noted(one: Someone) -> Path:
    return one.account.root.state_dir("reader") / "stated.db"


def posts(one: Someone, *names: str) -> None:
    for name in names:
        publish_document(one.account, one.keyring, NOTE | {"text": name}, name, PUBLIC)


@pytest.mark.parametrize(
    "stated",
    [
        Stated(False),
        Stated(True),
        Stated(True, "x.json.pgp", PUBLIC, deletes=True, signed_at=1_700_000_000),
        Stated(True, "é.pgp", None, signed_at=5),
    ],
    ids=str,
)
def test_what_was_noted_is_known_to_the_next_program(world: World, stated: Stated) -> None:
    alice = world.alice
    author, certificate = alice.fpr, alice.account.certificate
    with closing(Statements(alice.account)) as statements:
        assert statements.get(author, SHA, certificate) is None
        statements.put(author, SHA, certificate, stated)
        assert statements.get(author, SHA, certificate) == stated
    with closing(Statements(alice.account)) as statements:
        assert statements.get(author, SHA, certificate) == stated
        assert statements.get(author, OTHER, certificate) is None
        assert statements.get(world.bob.fpr, SHA, certificate) is None
        assert statements.get(author, SHA, world.bob.account.certificate) is None, "another copy of the key"


def test_a_note_that_is_not_ours_or_not_in_its_place_is_none(world: World) -> None:
    alice = world.alice
    author, certificate = alice.fpr, alice.account.certificate
    with closing(Statements(alice.account)) as statements:
        statements.put(author, SHA, certificate, Stated(True, "a.pgp", PUBLIC))
        statements.put(author, OTHER, certificate, Stated(False))
    with closing(sqlite3.connect(noted(alice))) as database:
        rows = dict(database.execute("SELECT key, sealed FROM entry"))
        (one, first), (two, second) = rows.items()
        database.execute("UPDATE entry SET sealed = ? WHERE key = ?", (second, one))
        database.execute("UPDATE entry SET sealed = ? WHERE key = ?", (first, two))
        database.commit()
    with closing(Statements(alice.account)) as statements:
        assert statements.get(author, SHA, certificate) is None
        assert statements.get(author, OTHER, certificate) is None
    shutil.copy(noted(alice), noted(world.bob))
    with closing(Statements(world.bob.account)) as statements:
        assert statements.get(author, SHA, certificate) is None, "another account's"


def test_what_is_known_to_be_no_delete_is_not_opened_again_and_a_delete_is(
    world: World, opened: list[str]
) -> None:
    alice = world.alice
    posts(alice, "a.json.pgp", "b.json.pgp")
    document = json.loads(bound(alice, "gone.json.pgp", PUBLIC))
    document |= {"@type": "DeleteAction", "object": {"@id": "c.json.pgp", "sha256": [SHA]}}
    alice.put(alice, "gone.json.pgp", message(alice.key, json.dumps(document).encode(), None))
    opened.clear()
    before = deletes_of(alice.account, alice.keyring, alice.fpr)
    assert (sorted(before.targets), len(opened)) == (["c.json.pgp"], 3)
    forget_deletes(alice)
    opened.clear()
    again = deletes_of(alice.account, alice.keyring, alice.fpr)
    assert (sorted(again.targets), len(opened)) == (["c.json.pgp"], 1)

    # Under whatever name it lies, what it says is judged by the name it lies under.
    place = alice.place(alice)
    shutil.copy(place / "gone.json.pgp", place / "other.json.pgp")
    (place / "gone.json.pgp").unlink()
    shutil.copy(place / "a.json.pgp", place / "copy.json.pgp")
    forget_deletes(alice)
    assert not deletes_of(alice.account, alice.keyring, alice.fpr)


async def test_the_server_and_who_looks_for_deletes_open_a_post_once_between_them(
    world: World, opened: list[str]
) -> None:
    alice, bob = world.alice, world.bob
    names = [f"{number}.json.pgp" for number in range(12)]
    posts(alice, *names)
    forget_deletes(alice)
    noted(alice).unlink(missing_ok=True)
    opened.clear()
    for times in (12, 0):
        server = Server(alice.account, alice.keyring)
        await server.start("127.0.0.1", 0)
        try:
            for _ in range(2):
                async with PeerClient(bob.account.identity(), alice.fpr, *server.address) as client:
                    listing = (await client.listing(alice.fpr)).listing
        finally:
            await server.stop(grace=0)
        assert sorted(item.name for item in listing.items) == sorted(names)
        await asyncio.to_thread(_look, alice)
        assert len(opened) == times, opened
        forget_deletes(alice)
        opened.clear()


def _look(one: Someone) -> None:
    with HeldDeletes(one.account, one.keyring) as held:
        assert not held.of(one.fpr)


def test_a_changed_file_is_another_content(world: World, opened: list[str]) -> None:
    alice = world.alice
    posts(alice, "a.json.pgp")
    assert not deletes_of(alice.account, alice.keyring, alice.fpr)
    document = json.loads(bound(alice, "a.json.pgp", PUBLIC))
    document |= {"@type": "DeleteAction", "object": {"@id": "b.json.pgp", "sha256": [SHA]}}
    path = alice.place(alice) / "a.json.pgp"
    path.write_bytes(message(alice.key, json.dumps(document).encode(), None))
    [delete] = deletes_of(alice.account, alice.keyring, alice.fpr)
    assert delete.target == "b.json.pgp"
