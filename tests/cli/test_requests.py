"""`mau requests`: who answered an invite is shown with what is proven, and a key press decides."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mau.account import Account
from mau.addressbook import AddressBook
from mau.invite.book import InviteBook
from mau.invite.facts import Request
from mau.invite.link import Link
from mau.keyring import Keyring
from mau.openpgp import Certificate
from tests.cli.conftest import PASSPHRASE, Ended
from tests.cli.guests import NOWHERE, Shell
from tests.cli.people import key_of


@pytest.fixture(autouse=True)
def _settings_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def host(alice: Account, mau: Callable[..., Ended]) -> Shell:
    return Shell(alice, mau)


def asks(host: Shell, key: Certificate, name: str = "", note: str = "the party") -> Certificate:
    """Somebody shows an invite of the host."""
    link = Link(key.fingerprint, name, (("guest.example.org", 8880),))
    request = Request(bytes(key), int(time.time()), "", "", link)
    with closing(InviteBook(host.account)) as book:
        token, _ = book.make(seconds=60, note=note)
        assert book.take(token, key.fingerprint, request) == "taken"
    return key


def press(host: Shell, on_terminal: Callable[..., Ended], *keys: str) -> str:
    question = "Take them as a friend? [y]es, [n]o, [l]ater: "
    done = on_terminal(
        "requests",
        root=host.account.root.path,
        env={"MAU_PASSPHRASE": PASSPHRASE, **NOWHERE},
        typed=[(question, key) for key in keys],
    )
    assert done.code == 0, done.err
    return done.err


def test_nobody_waits_at_first(host: Shell) -> None:
    assert "Nobody waits" in host.mau("requests").err
    assert host.json("requests") == []
    assert host.json("status")["requests"] == 0


def test_who_waits_is_listed_with_what_is_proven(host: Shell) -> None:
    bob = asks(host, key_of("Bob"), name="Bobby")
    done = host.mau("requests")  # without a terminal it only lists
    assert bob.fingerprint.hex in done.text
    assert "calls itself 'Bob <bob@example.org>'" in done.text
    [facts] = host.json("requests", "list")
    assert facts["words"] == " ".join(bob.fingerprint.words)
    assert (facts["claimed_name"], facts["note"]) == ("Bobby", "the party")
    assert facts["addresses"] == ["guest.example.org:8880"]
    assert host.json("requests") == [facts]
    assert host.json("status")["requests"] == 1


def test_accepting_makes_a_friend_who_is_followed_and_found(host: Shell) -> None:
    bob = asks(host, key_of("Bob"))
    host.mau("requests", "accept", bob.fingerprint.hex, code=2)  # nobody to ask, and no --yes
    host.mau(
        "requests", "accept", "".join(bob.fingerprint.hex[:6]), "--as", "Robert", "--group", "work", "--yes"
    )
    [person] = Keyring.load(host.account).people()
    assert (person.local_name, person.status, person.groups) == ("Robert", "friend", ("work",))
    assert host.account.root.follows(host.fpr) == [bob.fingerprint]
    with closing(AddressBook(host.account.root)) as book:
        [known] = book.known(bob.fingerprint)
    assert (known.host, known.port, known.source, known.last_proven) == (
        "guest.example.org",
        8880,
        "told",
        None,
    )
    host.mau("requests", "accept", bob.fingerprint.hex, "--yes", code=2)  # waits no longer


def test_declining_leaves_nothing(host: Shell) -> None:
    bob = asks(host, key_of("Bob"))
    host.mau("requests", "decline", " ".join(bob.fingerprint.words))
    assert host.json("requests") == []
    assert host.people() == {}
    with closing(AddressBook(host.account.root)) as book:
        assert book.known(bob.fingerprint) == []


def test_who_became_a_friend_by_another_way_waits_no_longer(host: Shell) -> None:
    bob = asks(host, key_of("Bob"))
    Keyring.load(host.account).add(bob, "Bob")
    assert host.json("status")["requests"] == 0
    assert host.json("requests") == []
    with closing(AddressBook(host.account.root)) as book:
        assert book.addresses(bob.fingerprint) == [("guest.example.org", 8880)]


def test_only_fingerprints_name_somebody(host: Shell) -> None:
    bob = asks(host, key_of("Bob"), name="Bob")
    for word in ("Bob", "", bob.fingerprint.hex[:3], "0" * 40):
        host.mau("requests", "accept", word, "--yes", code=2)
        host.mau("requests", "decline", word, code=2)
    assert len(host.json("requests")) == 1


def test_on_a_terminal_each_is_asked_with_one_key(host: Shell, on_terminal: Callable[..., Ended]) -> None:
    bob, carol, dave = (asks(host, key_of(name)) for name in ("Bob", "Carol", "Dave"))
    shown = press(host, on_terminal, "l", "n", "xl")  # x means nothing
    for one in (bob, carol, dave):
        assert " ".join(one.fingerprint.words[:5]) in shown
    assert "the party" in shown
    left = [one["fingerprint"] for one in host.json("requests")]
    assert len(left) == 2
    assert carol.fingerprint.hex in left or bob.fingerprint.hex in left
    shown = press(host, on_terminal, "y", "l")
    assert "is a friend, and you follow them" in shown
    assert len(host.people()) == 1
    assert len(host.json("requests")) == 1


def test_what_guests_call_themselves_steers_nothing(host: Shell, on_terminal: Callable[..., Ended]) -> None:
    asks(host, key_of("Bob"), name="Bo[2Jb", note="no\x1b[2Jte\u202e")
    for shown in (host.mau("requests").text, press(host, on_terminal, "l")):
        assert "\x1b[2J" not in shown
        assert "\u202e" not in shown


def test_a_damaged_or_foreign_entry_is_nobody(host: Shell) -> None:
    bob = key_of("Bob")
    link = Link(bob.fingerprint)
    with closing(InviteBook(host.account)) as book:
        token, _ = book.make(seconds=60)
        book.take(token, bob.fingerprint, Request(b"no key", 1, "", "", link))
    assert host.json("requests") == []
