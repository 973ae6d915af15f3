"""`mau group`: add, list, confirm, remove."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mau.account import Account
from mau.keyring import Keyring
from tests.cli.conftest import PASSPHRASE, Ended
from tests.cli.people import key_of
from tests.keyring.conftest import place

Run = Callable[..., Ended]


@pytest.fixture
def run(mau: Run, alice: Account) -> Run:
    """`mau` with Alice's passphrase; Bob and Carol are friends, Dave is known."""
    keyring = Keyring.load(alice)
    for name in ("Bob", "Carol", "Dave"):
        keyring.add(key_of(name), name, known=name == "Dave")

    def run(*words: str | Path, **more: Any) -> Ended:
        return mau(*words, passphrase=PASSPHRASE, **more)

    return run


def members(alice: Account, group: str) -> list[str]:
    return [person.local_name for person in Keyring.load(alice).members(group)]


def test_add_and_list(run: Run, alice: Account) -> None:
    assert "group add" in run("group", "list").err
    done = run("group", "add", "work/team", "bob")
    assert done.code == 0, done.err
    assert run("group", "add", "@work", "carol").code == 0
    assert run("group", "add", "home", "@work").code == 0
    assert members(alice, "work") == members(alice, "home") == ["Bob", "Carol"]
    listed = json.loads(run("group", "list", "--json").text)
    assert {one["group"]: [member["name"] for member in one["members"]] for one in listed["groups"]} == {
        "home": ["Bob", "Carol"],
        "work": ["Bob", "Carol"],
        "work/team": ["Bob"],
    }
    assert run("group", "list", "WORK/team").text.split() == ["@work/team", "Bob"]


@pytest.mark.parametrize(
    "words",
    [("work", "nobody"), ("known", "Bob"), ("a//b", "Bob"), ("work", "Dave"), ("work", "me"), ("work",)],
)
def test_what_may_not_be_added(run: Run, alice: Account, words: tuple[str, ...]) -> None:
    assert run("group", "add", *words).code == 2
    assert Keyring.load(alice).groups() == []


def test_remove_members_and_the_group(run: Run, alice: Account) -> None:
    run("group", "add", "work", "Bob", "Carol")
    assert run("group", "remove", "work", "Dave").code == 2
    assert run("group", "remove", "work", "Bob").code == 0
    assert members(alice, "work") == ["Carol"]
    assert run("group", "remove", "work").code == 2  # nobody to ask
    assert run("group", "remove", "@work", "--yes").code == 0
    assert Keyring.load(alice).groups() == []
    assert [person.local_name for person in Keyring.load(alice).friends()] == ["Bob", "Carol"]
    assert run("group", "remove", "work", "--yes").code == 2


def test_a_key_file_put_into_a_group_makes_no_member_until_confirmed(run: Run, alice: Account) -> None:
    run("group", "add", "family", "Bob")
    carol = Keyring.load(alice).resolve("Carol")
    place(alice, carol.certificate, "family")
    assert members(alice, "family") == ["Bob"]
    assert "group confirm" in run("group", "list").err
    assert run("group", "confirm", "family").code == 2  # nobody to ask
    done = run("group", "confirm", "family", "--yes")
    assert done.code == 0, done.err
    assert members(alice, "family") == ["Bob", "Carol"]
    assert "nothing to confirm" in run("group", "confirm", "family").err
