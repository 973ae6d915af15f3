"""`mau peer`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.account import Account
from mau.addressbook import AddressBook
from mau.config.settings import Config
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from tests.cli.conftest import PASSPHRASE, Ended
from tests.cli.people import key_of

Run = Callable[..., Ended]
STRANGER = Fingerprint(b"\x01" * 20)


@pytest.fixture(autouse=True)
def _settings_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def bob(alice: Account) -> Fingerprint:
    return Keyring.load(alice).add(key_of("Bob"), "Bob").fingerprint


def given() -> dict[Fingerprint, list[str]]:
    return {one: [f"{host}:{port}" for host, port in where] for one, where in Config.load().given().items()}


def listed(mau: Run, *words: str, **more: dict[str, str]) -> list[dict[str, object]]:
    done = mau("peer", "list", "--json", *words, passphrase=PASSPHRASE, **more)
    assert done.code == 0, done.err
    found = json.loads(done.text)
    assert isinstance(found, list)
    return found


def test_what_is_added_stands_in_the_settings_and_is_listed(
    mau: Run, alice: Account, bob: Fingerprint
) -> None:
    assert mau("peer", "list", passphrase=PASSPHRASE).out == b""
    done = mau("peer", "add", "bob", "Host:1", "[2001:db8::1]:2", passphrase=PASSPHRASE)
    assert done.code == 0
    assert mau("peer", "add", bob.hex, "host:3", "host:1", passphrase=PASSPHRASE).code == 0
    assert Config.load().given() == {bob: (("host", 1), ("2001:db8::1", 2), ("host", 3))}
    book = AddressBook(alice.root)
    book.proven(bob, "host", 3)
    book.failed(bob, "host", 1)
    book.told_route(bob, STRANGER, source="contact")
    book.close()
    (person,) = listed(mau)
    assert (person["fingerprint"], person["name"], person["relays"]) == (bob.hex, "Bob", [STRANGER.hex])
    addresses = person["addresses"]
    assert isinstance(addresses, list)
    assert [(one["address"], one["source"], one["failures"]) for one in addresses] == [
        ("host:3", "given", 0),
        ("[2001:db8::1]:2", "given", 0),
        ("host:1", "given", 1),
    ]
    assert addresses[0]["first_proven"] == addresses[0]["last_proven"] == addresses[0]["last_tried"]
    assert addresses[1]["first_proven"] is addresses[1]["last_failed"] is None
    rows = [line.split() for line in mau("peer", "list", "bob", passphrase=PASSPHRASE).text.splitlines()]
    assert rows[1] == ["Bob", "[2001:db8::1]:2", "given", "never", "never"]
    assert rows[3] == ["Bob", "through", STRANGER.hex]


def test_what_is_taken_out_of_the_settings_by_hand_is_not_tried_any_more(
    mau: Run, alice: Account, bob: Fingerprint
) -> None:
    mau("peer", "add", "bob", "host:1", passphrase=PASSPHRASE)
    assert mau("config", "unset", f"peer.{bob.hex}").code == 0
    assert listed(mau) == []
    elsewhere = {f"MAU_PEER_{bob.hex.upper()}": "other:1"}
    assert [one["address"] for one in listed(mau, env=elsewhere)[0]["addresses"]] == ["other:1"]  # type: ignore[attr-defined]


def test_forgetting_one_address_and_all(mau: Run, alice: Account, bob: Fingerprint) -> None:
    mau("peer", "add", "bob", "host:1", "host:2", passphrase=PASSPHRASE)
    book = AddressBook(alice.root)
    book.proven(bob, "heard", 3)
    book.close()
    assert mau("peer", "forget", "bob", "host:1", passphrase=PASSPHRASE).code == 0
    assert given() == {bob: ["host:2"]}
    assert "at no such address" in mau("peer", "forget", "bob", "host:1", passphrase=PASSPHRASE).err
    done = mau("peer", "forget", "bob", passphrase=PASSPHRASE)
    assert "heard:3, host:2" in done.err
    assert given() == {}
    assert listed(mau, "bob") == []
    assert mau("peer", "forget", "bob", passphrase=PASSPHRASE).code == 0


def test_strangers_are_listed_when_asked_for(mau: Run, alice: Account, bob: Fingerprint) -> None:
    book = AddressBook(alice.root)
    book.told(STRANGER, "host", 1, source="kademlia")
    book.told(bob, "host", 1, source="mdns")
    book.close()
    assert [one["fingerprint"] for one in listed(mau)] == [bob.hex]
    assert [one["fingerprint"] for one in listed(mau, "--all")] == [bob.hex, STRANGER.hex]
    assert listed(mau, STRANGER.hex)[0]["name"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "bob", "nowhere"], "HOST:PORT"),
        (["add", "me", "host:1"], "that is you"),
        (["add", "carol", "host:1"], "nobody is called"),
        (["add", "bob", *(f"host:{port}" for port in range(1, 10))], "at most 8"),
        (["forget", "bob", "nowhere"], "HOST:PORT"),
    ],
)
def test_what_cannot_be_is_refused(
    mau: Run, bob: Fingerprint, alice: Account, words: list[str], said: str
) -> None:
    done = mau("peer", *words, passphrase=PASSPHRASE)
    assert done.code != 0
    assert said in done.err
    assert given() == {}


def test_what_the_environment_says_cannot_be_forgotten_here(mau: Run, bob: Fingerprint) -> None:
    name = f"MAU_PEER_{bob.hex.upper()}"
    done = mau("peer", "forget", "bob", passphrase=PASSPHRASE, env={name: "host:1"})
    assert done.code == 2
    assert name in done.err
