"""What becomes of a deleted post where its author is followed (spec/sync.md D1-D6)."""

from __future__ import annotations

import itertools
from typing import Literal

import pytest

from mau.acceptance import Held, decide
from mau.content.binding import PUBLIC
from mau.deletion.document import Delete
from mau.deletion.held import deletes_of
from mau.deletion.obeying import Obeyed, forget, obey
from mau.deletion.publishing import delete_post, undelete
from mau.deletion.rules import Deletes, check_deleted, withdrawn
from mau.errors import Deleted, MauError, RolledBack
from mau.publish import publish_document
from mau.reader.open import open_source
from mau.tree.posts import AuthorDir
from tests.publish.world import Someone, World

NAME = "kettle.json.pgp"


def write(author: Someone, text: str, name: str = NAME) -> str:
    document = {"@type": "SocialMediaPosting", "articleBody": text}
    return publish_document(author.account, author.keyring, document, name, PUBLIC).sha256


def delete(author: Someone, name: str = NAME) -> str:
    [said] = delete_post(author.account, author.keyring, name).published
    return said.name


def obeyed(
    reader: Someone, author: Someone, received: Literal["version", "remove", "ignore"] = "version"
) -> list[Obeyed]:
    deletes = deletes_of(reader.account, reader.keyring, author.fpr)
    return obey(reader.account, reader.keyring, author.fpr, deletes, received)


def posts_of(reader: Someone, author: Someone) -> AuthorDir:
    return AuthorDir(reader.account.root, author.fpr)


def sums(directory: AuthorDir, name: str = NAME) -> set[str]:
    return {one.sha256 for one in directory.versions(name)}


@pytest.fixture
def followed(world: World) -> tuple[World, list[str]]:
    """Bob holds two contents of Alice's post, the first as a version, another post, and her delete."""
    held = []
    for text in "ab":
        held.append(write(world.alice, text))
        with posts_of(world.bob, world.alice).stage() as staged:
            staged.file.write((world.alice.account.posts().path / NAME).read_bytes())
            posts_of(world.bob, world.alice).commit(staged, NAME)
    write(world.alice, "another", "other.json.pgp")
    world.bob.fetch(world.alice, "other.json.pgp")
    world.bob.fetch(world.alice, delete(world.alice))
    return world, held


def test_version_takes_it_out_of_sight_and_keeps_it(followed: tuple[World, list[str]]) -> None:
    world, held = followed
    directory = posts_of(world.bob, world.alice)
    assert obeyed(world.bob, world.alice) == [Obeyed(world.alice.fpr, NAME, held[1], 0)]
    assert (directory.entry(NAME), sums(directory)) == (None, set(held))
    assert directory.entry("other.json.pgp") is not None
    assert obeyed(world.bob, world.alice) == []


def test_remove_takes_what_was_named_and_nothing_else(followed: tuple[World, list[str]]) -> None:
    world, held = followed
    directory = posts_of(world.bob, world.alice)
    unnamed = directory.path / f"{NAME}.versions" / ("f" * 64)
    unnamed.write_bytes(b"something else")
    assert obeyed(world.bob, world.alice, "remove") == [Obeyed(world.alice.fpr, NAME, held[1], 2)]
    assert (directory.entry(NAME), sums(directory)) == (None, {"f" * 64})
    assert directory.entry("other.json.pgp") is not None


def test_remove_goes_by_the_delete_itself(followed: tuple[World, list[str]]) -> None:
    world, held = followed
    [said] = deletes_of(world.bob.account, world.bob.keyring, world.alice.fpr)
    noted = Deletes([Delete(said.author, said.name, NAME, frozenset(held), said.signed_at + 1, PUBLIC)])
    obey(world.bob.account, world.bob.keyring, world.alice.fpr, noted, "remove")
    assert sums(posts_of(world.bob, world.alice)) == set(held)


def test_ignore_leaves_it(followed: tuple[World, list[str]]) -> None:
    world, held = followed
    assert obeyed(world.bob, world.alice, "ignore") == []
    assert posts_of(world.bob, world.alice).sha256(NAME) == held[1]


def test_only_the_names_that_changed_are_looked_at(followed: tuple[World, list[str]]) -> None:
    world, held = followed
    deletes = deletes_of(world.bob.account, world.bob.keyring, world.alice.fpr)
    who = (world.bob.account, world.bob.keyring, world.alice.fpr, deletes)
    assert obey(*who, "version", names={"other.json.pgp"}) == []
    assert [one.sha256 for one in obey(*who, "version", names={NAME, "nothing.pgp"})] == [held[1]]


def test_what_is_hidden_goes_too(followed: tuple[World, list[str]]) -> None:
    world, held = followed
    world.bob.account.root.unfollow(world.alice.fpr)
    assert [one.sha256 for one in obeyed(world.bob, world.alice)] == [held[1]]
    assert AuthorDir(world.bob.account.root, world.alice.fpr, hidden=True).entry(NAME) is None


def test_nobody_deletes_what_another_wrote(world: World) -> None:
    """Carol's DeleteAction names a post of Bob's and one of Alice's; both stay, wherever it lies."""
    alice, bob, carol = world.alice, world.bob, world.carol
    mine, theirs = write(alice, "mine"), write(bob, "theirs")
    alice.fetch(bob, NAME)
    write(carol, "hers")
    said = delete(carol)
    alice.fetch(carol, said)
    for place in (bob, alice):
        (alice.place(place) / said).write_bytes((alice.place(carol) / said).read_bytes())
    for author in (alice, bob, carol):
        assert obeyed(alice, author, "remove") == []
    assert alice.account.posts().sha256(NAME) == mine
    assert posts_of(alice, bob).sha256(NAME) == theirs


def test_my_own_posts_are_not_touched_even_by_my_own_delete(world: World) -> None:
    alice = world.alice
    sha256 = write(alice, "a")
    kept = (alice.account.posts().path / NAME).read_bytes()
    delete(alice)
    (alice.account.posts().path / NAME).write_bytes(kept)
    assert obeyed(alice, alice, "remove") == []
    assert alice.account.posts().sha256(NAME) == sha256
    assert forget(alice.account, alice.fpr, deletes_of(alice.account, alice.keyring, alice.fpr)) == []


def test_a_delete_that_was_withdrawn_comes_back_from_nobody_but_its_author(
    followed: tuple[World, list[str]],
) -> None:
    world, _ = followed
    alice, bob = world.alice, world.bob
    before = deletes_of(bob.account, bob.keyring, alice.fpr)
    obeyed(bob, alice)
    undelete(alice.account, alice.keyring, NAME)
    listed = set(alice.account.posts().names())
    gone = withdrawn(before, listed)
    assert forget(bob.account, alice.fpr, gone) == [one.name for one in before]
    assert not deletes_of(bob.account, bob.keyring, alice.fpr)
    [one] = gone
    assert len(sums(posts_of(bob, alice), one.name)) == 1


# --- in every order ----------------------------------------------------------------------------------------


def receive(reader: Someone, author: Someone, name: str, data: bytes) -> None:
    """What a relay offers, through the real checks."""
    directory = posts_of(reader, author)
    post = open_source(reader.account, reader.keyring, author.fpr, name, data, from_author=False)
    with directory.stage() as staged:
        staged.file.write(data)
        sha256 = staged.digest().sha256
        held = None
        if directory.entry(name) is not None:
            with directory.open(name) as file:
                signed_at = open_source(reader.account, reader.keyring, author.fpr, name, file).signed_at
            held = Held(directory.sha256(name), signed_at)
        piece = post.piece(sha256, len(data))
        check_deleted(piece, deletes_of(reader.account, reader.keyring, author.fpr))
        decide(piece, held, sums(directory, name), from_author=False)
        directory.commit(staged, name)
    obeyed(reader, author)


def test_posts_deletes_and_replays_from_relays_end_alike_in_every_order(world: World) -> None:
    alice = world.alice
    stored: list[tuple[str, bytes]] = []

    def keep(name: str) -> None:
        stored.append((name, (alice.account.posts().path / name).read_bytes()))

    for text in ("first", "second"):
        write(alice, text)
        keep(NAME)
    keep(delete(alice))
    last = write(alice, "after the delete")
    keep(NAME)
    for order in itertools.permutations(stored):
        for directory in (posts_of(world.bob, alice).path, world.bob.account.root.path / ".reader"):
            for file in sorted(directory.rglob("*"), reverse=True):
                file.unlink() if file.is_file() else file.rmdir()
        world.bob.account.root.follow(alice.fpr)
        for name, data in [*order, *order]:
            try:
                receive(world.bob, alice, name, data)
            except MauError as error:
                assert isinstance(error, Deleted | RolledBack)
        assert posts_of(world.bob, alice).sha256(NAME) == last
        assert len(deletes_of(world.bob.account, world.bob.keyring, alice.fpr)._by_name) == 1
