"""DeleteActions are found again without opening everything, and believed while they lie there (M83)."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from mau.catalogue import open_index
from mau.content.binding import PUBLIC, Audience
from mau.deletion import held as held_module
from mau.deletion.held import HeldDeletes, deletes_of
from mau.deletion.indexed import IndexedDeletes
from mau.deletion.rules import NO_DELETES
from mau.openpgp import Certificate
from mau.publish import publish_document, publish_file
from tests.publish.world import Someone, World, bound, message

SUMS = ["a" * 64]


def said(author: Someone, name: str, target: str, audience: Audience = PUBLIC) -> bytes:
    """A DeleteAction that another program may have written."""
    document = json.loads(bound(author, name, audience))
    document |= {"@type": "DeleteAction", "object": {"@id": target, "sha256": SUMS}}
    return message(author.key, json.dumps(document).encode(), None)


def put(reader: Someone, author: Someone, name: str, target: str) -> Path:
    reader.put(author, name, said(author, name, target))
    return reader.place(author) / name


def targets(reader: Someone, author: Someone) -> list[str]:
    return sorted(deletes_of(reader.account, reader.keyring, author.fpr).targets)


@pytest.fixture
def opens(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are opened from now on."""
    names: list[str] = []
    real = held_module.open_source

    def counted(account: object, keyring: object, author: object, name: str, source: bytes) -> object:
        names.append(name)
        return real(account, keyring, author, name, source)  # type: ignore[arg-type]

    monkeypatch.setattr(held_module, "open_source", counted)
    return names


def settle() -> None:
    """Wait until another change of a file would leave another stamp."""
    time.sleep(0.06)


def test_what_was_looked_at_is_not_opened_again(world: World, opens: list[str]) -> None:
    alice, bob = world.alice, world.bob
    for number in range(5):
        bob.put(alice, f"{number}.pgp", message(alice.key, b"x", None))
    put(bob, alice, "d.json.pgp", "kettle.pgp")
    settle()
    assert targets(bob, alice) == ["kettle.pgp"]
    assert len(opens) == 6
    assert targets(bob, alice) == ["kettle.pgp"]
    assert len(opens) == 6
    put(bob, alice, "e.json.pgp", "pot.pgp")
    settle()
    assert targets(bob, alice) == ["kettle.pgp", "pot.pgp"]
    assert opens[6:] == ["e.json.pgp"]


def test_a_delete_holds_as_long_as_it_lies_there(world: World) -> None:
    alice, bob = world.alice, world.bob
    path = put(bob, alice, "d.json.pgp", "kettle.pgp")
    settle()
    assert targets(bob, alice) == ["kettle.pgp"]
    bob.account.root.unfollow(alice.fpr)
    assert targets(bob, alice) == ["kettle.pgp"]
    bob.account.root.follow(alice.fpr)
    stamp = path.stat()
    path.write_bytes(said(alice, "d.json.pgp", "sieve.pgp"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert targets(bob, alice) == ["sieve.pgp"]
    path.unlink()
    assert targets(bob, alice) == []


def test_what_is_not_for_me_not_by_him_or_not_whole_deletes_nothing(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    bob.put(alice, "a.json.pgp", said(carol, "a.json.pgp", "kettle.pgp"))
    bob.put(alice, "b.json.pgp", said(alice, "another.json.pgp", "kettle.pgp"))
    bob.put(alice, "c.json.pgp", said(alice, "c.json.pgp", "kettle.pgp", world.for_(bob)))  # not encrypted
    bob.put(alice, "d.json.pgp", said(alice, "d.json.pgp", "kettle.pgp")[:-9])
    document = json.loads(bound(alice, "e.json.pgp", PUBLIC))
    document |= {"@type": "DeleteAction", "object": {"@id": "kettle.pgp", "sha256": ["no sum"]}}
    bob.put(alice, "e.json.pgp", message(alice.key, json.dumps(document).encode(), None))
    assert targets(bob, alice) == []


def test_a_file_that_was_shared_deletes_nothing_for_who_shared_it(world: World, tmp_path: Path) -> None:
    alice = world.alice
    file = tmp_path / "found.json"
    document = json.loads(bound(alice, "d.json.pgp", PUBLIC))
    file.write_text(json.dumps(document | {"@type": "DeleteAction", "object": {"@id": "kettle.pgp"}}))
    with file.open("rb") as source:
        publish_file(alice.account, alice.keyring, source, "d.json.pgp", PUBLIC)
    assert targets(alice, alice) == []


def test_a_delete_from_the_future_waits_for_its_time(world: World) -> None:
    alice, bob = world.alice, world.bob
    document = json.loads(bound(alice, "d.json.pgp", PUBLIC))
    document |= {"@type": "DeleteAction", "object": {"@id": "kettle.pgp", "sha256": SUMS}}
    soon = int(time.time()) + 1800 + 2
    bob.put(alice, "d.json.pgp", message(alice.key, json.dumps(document).encode(), None, created=soon))
    settle()
    assert targets(bob, alice) == []
    while time.time() < soon - 1800:
        time.sleep(0.1)
    assert targets(bob, alice) == ["kettle.pgp"]


def test_another_key_is_another_judgement(world: World) -> None:
    alice, mallory = world.alice, world.mallory
    put(alice, mallory, "d.json.pgp", "kettle.pgp")
    settle()
    assert targets(alice, mallory) == []
    alice.keyring.add(Certificate.parse(bytes(mallory.certificate)), "mallory", known=True)
    assert targets(alice, mallory) == ["kettle.pgp"]


def test_what_is_noted_may_be_deleted_or_damaged(world: World) -> None:
    alice, bob = world.alice, world.bob
    put(bob, alice, "d.json.pgp", "kettle.pgp")
    settle()
    assert targets(bob, alice) == ["kettle.pgp"]
    state = bob.account.root.path / ".reader"
    (state / "deletes.db").write_bytes(b"no database at all, but longer than a header would be" * 100)
    assert targets(bob, alice) == ["kettle.pgp"]
    shutil.rmtree(state)
    assert targets(bob, alice) == ["kettle.pgp"]
    with sqlite3.connect(state / "deletes.db") as database:
        assert database.execute("SELECT target FROM looked").fetchall() == [("kettle.pgp",)]
    database.close()


def test_where_nothing_can_be_noted_everything_is_looked_at(world: World) -> None:
    alice, bob = world.alice, world.bob
    put(bob, alice, "d.json.pgp", "kettle.pgp")
    (bob.account.root.path / ".reader").write_bytes(b"in the way")
    assert targets(bob, alice) == ["kettle.pgp"]


def test_threads_share_one(world: World) -> None:
    alice, bob = world.alice, world.bob
    for number in range(20):
        put(bob, alice, f"d{number}.json.pgp", f"{number}.pgp")
    found: list[int] = []
    with HeldDeletes(bob.account, bob.keyring) as held:

        def ask() -> None:
            found.extend(len(held.of(alice.fpr).targets) for _ in range(5))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [20] * 20


def test_with_the_index_only_what_changed_is_opened(world: World, opens: list[str]) -> None:
    alice = world.alice
    for number in range(5):
        document = {"@type": "SocialMediaPosting", "articleBody": str(number)}
        publish_document(alice.account, alice.keyring, document, f"{number}.json.pgp", PUBLIC)
    with (
        open_index(alice.account.root) as index,
        closing(IndexedDeletes(alice.account, alice.keyring, index)) as indexed,
    ):
        while indexed.at_hand(alice.fpr) is None:  # a little with each question
            assert indexed.of(alice.fpr) == NO_DELETES
        opens.clear()
        path = put(alice, alice, "d.json.pgp", "kettle.pgp")
        index.refresh(alice.fpr)
        [found] = indexed.of(alice.fpr)
        assert found.target == "kettle.pgp"
        assert opens == ["d.json.pgp"]
        assert indexed.of(alice.fpr) is indexed.of(alice.fpr)
        path.write_bytes(said(alice, "d.json.pgp", "pot.pgp"))
        index.refresh(alice.fpr)
        assert list(indexed.of(alice.fpr).targets) == ["pot.pgp"]
        path.unlink()
        index.refresh(alice.fpr)
        assert indexed.of(alice.fpr) == NO_DELETES
        assert indexed.of(world.bob.fpr) == NO_DELETES
