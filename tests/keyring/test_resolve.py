"""From a word to a person (spec/keyring.md K5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mau.account import Account
from mau.errors import AmbiguousWho, UnknownWho, UsageError
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring, Person
from mau.keyring.resolve import resolve
from mau.keyring.store import Store
from mau.openpgp import SecretKey
from tests.keyring.conftest import make, place, with_user_id


@pytest.fixture
def people(keyring: Keyring, bob: SecretKey, carol: SecretKey) -> Keyring:
    keyring.add(bob.certificate, "Bobby B.")
    keyring.add(carol.certificate, "Carol", known=True)
    return keyring


def test_me(people: Keyring) -> None:
    assert people.resolve("me") is people.resolve("ME") is people.me
    assert people.resolve(people.me.fingerprint.hex) is people.me


@pytest.mark.parametrize(
    "word", ["Bobby B.", "bobby b.", "BOBBY B.", " Bobby B. ", "bob@example.org", "BOB@example.org"]
)
def test_names_and_addresses(people: Keyring, bob: SecretKey, word: str) -> None:
    assert people.resolve(word).fingerprint == bob.fingerprint


@pytest.mark.parametrize(
    "spell",
    [
        str,
        lambda hexed: hexed[:8],
        lambda hexed: hexed[:23].upper(),
        lambda hexed: f"0x{hexed}",
        lambda hexed: " ".join(hexed[at : at + 4] for at in range(0, 40, 4)).upper(),
        lambda hexed: ":".join(hexed[at : at + 2] for at in range(0, 40, 2)),
    ],
)
def test_fingerprints_in_all_spellings(
    people: Keyring, carol: SecretKey, spell: Callable[[str], str]
) -> None:
    assert people.resolve(spell(carol.fingerprint.hex)).local_name == "Carol"
    assert people.resolve_fingerprint(spell(carol.fingerprint.hex)) == carol.fingerprint


@pytest.mark.parametrize(
    "word", ["", "Bob", "bobby", "@work", "nobody@example.org", "carol@example.org", "ffffffffff"]
)
def test_words_for_nobody(people: Keyring, word: str) -> None:
    with pytest.raises(UnknownWho):
        people.resolve(word)


def test_a_beginning_that_is_too_short_says_so(people: Keyring, carol: SecretKey) -> None:
    with pytest.raises(UnknownWho, match="8 digits"):
        people.resolve(carol.fingerprint.hex[:7])


def test_a_whole_fingerprint_may_be_a_strangers(people: Keyring) -> None:
    stranger = Fingerprint(b"\x7f" * 20)
    assert people.resolve_fingerprint(stranger.hex.upper()) == stranger
    with pytest.raises(UnknownWho):
        people.resolve(stranger.hex)


def _person(people: Keyring, fingerprint: Fingerprint, name: str) -> Person:
    return Person(fingerprint, name, people.me.certificate, (), "friend")


def test_an_ambiguous_beginning_lists_the_candidates(people: Keyring) -> None:
    twins = [_person(people, Fingerprint(b"\xab" * 19 + bytes([last])), f"Twin {last}") for last in (1, 2)]
    with pytest.raises(AmbiguousWho) as caught:
        resolve("abababab", people.me, twins, list)
    for twin in twins:
        assert twin.fingerprint.hex in str(caught.value)
        assert twin.local_name in str(caught.value)
    assert resolve(twins[0].fingerprint.hex, people.me, twins, list) is twins[0]


def test_an_address_of_two_friends_is_ambiguous(people: Keyring) -> None:
    people.add(with_user_id(make("Mallory"), "Bob", "bob@example.org"), "Mallory")
    with pytest.raises(AmbiguousWho, match="Mallory"):
        people.resolve("bob@example.org")


def test_no_user_id_takes_the_place_of_a_local_name(people: Keyring, bob: SecretKey) -> None:
    people.add(with_user_id(make("Mallory"), "Bobby B.", "Bobby B."), "Mallory")
    assert people.resolve("Bobby B.").fingerprint == bob.fingerprint


def test_nobody_is_called_like_an_address(people: Keyring, bob: SecretKey) -> None:
    with pytest.raises(UsageError, match="e-mail address"):
        people.confirm(people.resolve("Carol"), "bob@example.org")
    assert people.resolve("bob@example.org").fingerprint == bob.fingerprint


def test_who_was_called_like_an_address_before_that_was_refused_is_still(
    account: Account, people: Keyring, bob: SecretKey, carol: SecretKey
) -> None:
    store = Store(account)
    with store.locked():
        held = store.read()
        entries = dict(held.statement.entries)
        entries[carol.fingerprint] = replace(entries[carol.fingerprint], local_name="bob@example.org")
        store.write(held.statement.changed(entries.values()), held)
    people.refresh()
    # A local name goes first, as ever; the person can be made a friend, and keeps the name.
    person = people.resolve("bob@example.org")
    assert person.fingerprint == carol.fingerprint
    people.add(carol.certificate, None, ["tea"])
    assert people.resolve("bob@example.org").groups == ("tea",)
    people.confirm(people.resolve("bob@example.org"), "Carol")
    assert people.resolve("bob@example.org").fingerprint == bob.fingerprint


def test_an_unconfirmed_key_file_is_found_by_fingerprint_only_and_is_no_audience(
    account: Account, people: Keyring, mallory: SecretKey
) -> None:
    place(account, mallory.certificate)
    people.refresh()
    assert people.resolve(mallory.fingerprint.hex[:10]).status == "unconfirmed"
    for word in ("Mallory", "mallory@example.org"):
        with pytest.raises(UnknownWho):
            people.resolve(word)
    with pytest.raises(UnknownWho, match="confirm"):
        people.audience([mallory.fingerprint.hex])


def test_an_audience_names_each_once(people: Keyring, bob: SecretKey) -> None:
    people.group_add("work", people.friends())
    found = people.audience(["me", "@work", "bobby b.", bob.fingerprint.hex, "carol"])
    assert [person.local_name for person in found] == ["me", "Bobby B.", "Carol"]
