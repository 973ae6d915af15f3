"""`mau block`: nothing for somebody, and nothing of somebody."""

from __future__ import annotations

import json
from collections.abc import Callable

from mau.account import Account
from mau.content.binding import audience_of
from mau.keyring import Keyring
from mau.marks import blocked
from mau.reader.open import open_post
from tests.cli.conftest import PASSPHRASE, Ended
from tests.cli.inside import run
from tests.publish.world import World


def audience_of_newest(world: World) -> object:
    alice = world.alice
    name = max(alice.account.posts().entries(), key=lambda entry: entry.mtime_ns).name
    return open_post(alice.account, alice.keyring, alice.fpr, name).audience


def test_who_is_blocked_is_listed_and_stays_a_friend(world: World) -> None:
    alice = world.alice
    assert run(alice.account, "block").err == "Nobody is blocked.\n"
    said = run(alice.account, "block", "bob").err
    assert said.startswith("bob is blocked.\n")
    assert "stays your friend" in said
    assert run(alice.account, "block", "bob").err == "bob is blocked already.\n"
    assert run(alice.account, "block", world.mallory.fpr.hex).code == 0
    listed = json.loads(run(alice.account, "block", "--json").out)
    assert [(one["fingerprint"], one["name"]) for one in listed] == [
        (world.bob.fpr.hex, "bob"),
        (world.mallory.fpr.hex, None),
    ]
    assert Keyring.load(alice.account).is_friend(world.bob.fpr)
    assert run(alice.account, "block", "me").error.startswith("UsageError")
    assert blocked(alice.account) == {world.bob.fpr, world.mallory.fpr}


def test_what_is_for_friends_or_a_group_leaves_the_blocked_out_and_says_so(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    alice.keyring.group_add("tea", alice.keyring.friends())
    assert run(alice.account, "block", "bob").code == 0
    for words in (("--friends",), ("--to", "@tea")):
        said = run(alice.account, "post", *words, "hello")
        assert said.code == 0, said
        assert "Left out, for you blocked them: bob." in said.err
        assert audience_of_newest(world) == audience_of(alice.fpr, {carol.fpr})
    assert "you blocked 'bob'" in run(alice.account, "post", "--to", "bob", "hello").error
    assert "you blocked 'bob'" in run(alice.account, "post", "--to", "@tea", "--to", "bob", "hello").error
    assert run(alice.account, "block", "carol").code == 0
    assert run(alice.account, "post", "--friends", "hello").error.startswith("NoAudience")
    assert run(alice.account, "unblock", "bob").code == 0
    assert run(alice.account, "post", "--to", "@tea", "hello").code == 0
    assert audience_of_newest(world) == audience_of(alice.fpr, {bob.fpr})


def test_nothing_of_the_blocked_is_fetched(world: World) -> None:
    account = world.alice.account
    assert run(account, "block", "bob").code == 0
    assert "you blocked bob" in run(account, "sync", "bob", "--at", "127.0.0.1:1").error
    told = run(account, "status").out.splitlines()
    assert [line for line in told if "blocked" in line] == ["bob: blocked, nothing is fetched"]
    friends = json.loads(run(account, "status", "--json").out)["friends"]
    assert {one["name"]: one["blocked"] for one in friends} == {"bob": True, "carol": False}


def test_as_a_program_of_its_own(mau: Callable[..., Ended], alice: Account) -> None:
    done = mau("block", "ab" * 20, passphrase=PASSPHRASE)
    assert (done.code, done.out) == (0, b"")
    assert json.loads(mau("block", "--json", passphrase=PASSPHRASE).text)[0]["fingerprint"] == "ab" * 20
    assert blocked(alice)
