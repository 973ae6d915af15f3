"""`mau group share`, `join`, `leave` and `keys`, and what sharing changes of the other commands."""

from __future__ import annotations

import json

import pytest

from mau.content.binding import Audience
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.reader.open import open_post
from tests.cli.inside import Said, run
from tests.publish.world import Someone, World


def lists(owner: Someone) -> list[str]:
    """The names of the posts that the owner has beside files of his own."""
    return sorted(name for name in owner.account.posts().names() if name.startswith("20"))


def newest_audience(author: Someone) -> Audience | None:
    posts = author.account.posts().entries()
    name = max((one for one in posts if one.name.startswith("20")), key=lambda one: one.mtime_ns).name
    return open_post(author.account, Keyring.load(author.account), author.fpr, name).audience


def shared(world: World, *people: str) -> str:
    assert run(world.alice.account, "group", "add", "cup", *people).code == 0
    done = run(world.alice.account, "group", "share", "cup", "--yes")
    assert done.code == 0, done
    return lists(world.alice)[0]


def joined(world: World, name: str, who: Someone, *more: str) -> Said:
    who.fetch(world.alice, name)
    return run(who.account, "group", "join", f"alice/{name}", "--yes", *more)


def test_a_group_is_shared_joined_and_follows_its_owner(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    name = shared(world, "bob", "carol")
    said = joined(world, name, bob)
    assert said.code == 0, said
    assert "The list of 'cup' by alice has 3 members" in said.err
    assert "@cup follows the list of alice." in said.err
    listed = json.loads(run(bob.account, "group", "list", "cup", "--json").out)["groups"][0]
    assert {one["name"] for one in listed["members"]} == {"alice", "carol"}
    assert (listed["shared"]["state"], listed["shared"]["owner"]) == ("held", alice.fpr.hex)
    assert {one["status"] for one in listed["shared"]["members"]} == {"me", "friend"}
    assert run(bob.account, "post", "--to", "@cup", "hello").code == 0
    assert newest_audience(bob) == frozenset({alice.fpr, bob.fpr, carol.fpr})
    # The owner takes Carol out: Bob's next post leaves her out, with a word.
    done = run(alice.account, "group", "remove", "cup", "carol")
    assert "Told that they are out of it: carol." in done.err
    bob.fetch(alice, name)
    said = run(bob.account, "post", "--to", "@cup", "hello again")
    assert "@cup, by alice: carol is in it no more." in said.err
    assert newest_audience(bob) == frozenset({alice.fpr, bob.fpr})


def test_the_list_shows_whose_it_is_and_who_cannot_be_written_to(world: World) -> None:
    alice, bob = world.alice, world.bob
    zoe = SecretKey.generate("Zoe \x1b[2J", "zoe@example.org").certificate
    for certificate, called in ((world.mallory.certificate, "mallory"), (zoe, "zoe")):
        alice.keyring.add(certificate, called)
    bob.keyring.hold(world.mallory.certificate)
    name = shared(world, "bob", "zoe", "mallory")
    said = joined(world, name, bob, "--as", "@alices")
    assert said.code == 0, said
    assert "\x1b" not in said.err
    text = run(bob.account, "group", "list").out
    assert "by alice, 4 members, 1 whose key you do not hold, 1 who is no friend of yours" in text
    said = run(bob.account, "group", "list", "alices")
    assert f"{zoe.fingerprint} (calls itself" in said.err
    assert f"mau friend add {world.mallory.fpr}" in said.err
    assert "\x1b" not in said.err
    said = run(bob.account, "group", "keys", "@alices")
    assert said.code == 0, said
    assert f"Held, to verify with: {zoe.fingerprint}" in said.err
    keyring = Keyring.load(bob.account)
    assert keyring.certificate(zoe.fingerprint) is not None
    assert not keyring.is_friend(zoe.fingerprint)
    assert "The keys of all" in run(bob.account, "group", "keys", "alices").err
    assert "shared by you" in run(alice.account, "group", "list").out


def test_a_change_of_a_shared_group_publishes_its_list(world: World) -> None:
    alice = world.alice
    name = shared(world, "bob")
    assert run(alice.account, "group", "add", "cup", "carol").code == 0
    assert open_post(alice.account, alice.keyring, alice.fpr, name).audience == world.for_(
        world.bob, world.carol
    )
    assert "says that already" in run(alice.account, "group", "share", "cup").err
    assert lists(alice) == [name]
    assert "taken back" in run(alice.account, "group", "share", "cup", "--end").err
    assert name not in lists(alice)
    assert "not shared" in run(alice.account, "group", "share", "cup", "--end").err


def test_who_follows_a_list_does_not_change_the_group_but_may_leave_it(world: World) -> None:
    bob = world.bob
    name = shared(world, "bob", "carol")
    assert joined(world, name, bob).code == 0
    for words in (("add", "CUP", "carol"), ("remove", "cup", "carol"), ("add", "cup/in", "carol")):
        said = run(bob.account, "group", *words)
        assert "its owner says" in said.error, said
    assert run(bob.account, "group", "share", "cup", "--yes").error.startswith("UsageError")
    assert "follows no list any more" in run(bob.account, "group", "leave", "@cup").err
    assert "follows no list." in run(bob.account, "group", "leave", "cup").err
    assert run(bob.account, "group", "remove", "cup", "carol").code == 0
    assert joined(world, name, bob, "--as", "other").code == 0
    assert "follows no list any more" in run(bob.account, "group", "remove", "other", "--yes").err
    assert json.loads(run(bob.account, "group", "list", "--json").out)["groups"][0]["group"] == "cup"


def test_it_is_asked_before_others_are_shown_or_somebody_else_decides(world: World) -> None:
    alice = world.alice
    assert run(alice.account, "group", "add", "cup", "bob").code == 0
    assert "say --yes" in run(alice.account, "group", "share", "cup").error
    assert lists(alice) == []
    name = shared(world, "bob")
    world.bob.fetch(alice, name)
    assert "say --yes" in run(world.bob.account, "group", "join", name).error
    assert "cup" not in Keyring.load(world.bob.account).groups()


@pytest.mark.parametrize(
    "words", [("join", "nothing"), ("keys", "tea"), ("leave", "nothing"), ("share", "nothing")]
)
def test_what_is_not_there_is_said(world: World, words: tuple[str, ...]) -> None:
    assert run(world.alice.account, "group", *words).error.startswith(
        ("NoSuchPost", "UsageError", "UnknownWho")
    )
