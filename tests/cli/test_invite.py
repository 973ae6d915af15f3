"""`mau invite`, and `mau friend add LINK` on the other side."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.account import Account
from mau.addressbook import AddressBook
from mau.finder.status import FinderStatus, Place, write_status
from mau.fingerprint import Fingerprint
from mau.invite.link import Link, format_link, parse_link
from tests.cli.conftest import PASSPHRASE, Ended
from tests.cli.guests import NOWHERE, Shell, guest

RELAY = Fingerprint(b"\xab" * 20)


@pytest.fixture(autouse=True)
def _settings_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def host(alice: Account, mau: Callable[..., Ended]) -> Shell:
    """Alice, who invites."""
    return Shell(alice, mau)


@pytest.fixture
def bob(tmp_path: Path, mau: Callable[..., Ended]) -> Shell:
    return guest(tmp_path, "bob", mau)


def requests(host: Shell) -> list[str]:
    return [one["fingerprint"] for one in host.json("requests", "list")]


# --- the link ----------------------------------------------------------------------------------------------


def test_the_link_alone_is_what_is_printed_and_the_words_are_beside_it(host: Shell) -> None:
    done = host.mau("invite", "--at", "alice.example.org:8880", "--at", "[2001:db8::1]:1")
    link = parse_link(done.text)
    assert done.text == format_link(link) + "\n"
    assert (link.fingerprint, link.name) == (host.fpr, "Alice")
    assert link.addresses == (("alice.example.org", 8880), ("2001:db8::1", 1))
    assert link.token is not None
    for start in (0, 5, 10):
        assert " ".join(host.fpr.words[start : start + 5]) in done.err
    assert "once within 1 d" in done.err
    assert "█" not in done.text  # no terminal, no QR code


def test_one_for_paper_has_no_token_and_no_address_of_a_local_network(host: Shell) -> None:
    env = {"MAU_SERVER_LISTEN": "192.168.7.7:8880", "MAU_REACH_ADDRESSES": "alice.example.org:8880"}
    printed = host.json("invite", "--print", **env)
    assert parse_link(printed["link"]) == Link(host.fpr, "Alice", (("alice.example.org", 8880),))
    assert printed["invite"] is None
    given = host.json("invite", **env)
    assert given["addresses"] == [
        {"address": "alice.example.org:8880", "how": "given"},
        {"address": "192.168.7.7:8880", "how": "local"},
    ]
    assert "only in the local network" in host.mau("invite", **env).err
    assert len(host.json("invite", "--list")) == 2  # the one for paper is none


def test_what_the_finder_found_is_told_while_it_runs(host: Shell, alice: Account) -> None:
    places = (Place("8.8.4.4:4711", "router", confirmed=1.0), Place("8.8.8.8:4711", "router"))
    status = FinderStatus(os.getpid(), time.time(), 4711, places, relays=(RELAY.hex,))
    write_status(alice.root, status)
    book = AddressBook(alice.root)
    book.proven(RELAY, "relay.example.org", 8880)
    book.close()
    link = parse_link(host.link())
    assert link.addresses == (("8.8.4.4", 4711),)  # nobody was met at the other one
    assert link.relays == ((RELAY, ("relay.example.org", 8880)),)


def test_a_link_without_an_address_says_so(host: Shell) -> None:
    done = host.mau("invite", "--name", "Al\u202eice\x1b[2J")
    assert parse_link(done.text).name == "Alice[2J"
    assert parse_link(done.text).addresses == ()
    assert "It says no address" in done.err


def test_the_qr_code_comes_when_it_is_asked_for(host: Shell, on_terminal: Callable[..., Ended]) -> None:
    lines = host.mau("invite", "--qr", "--print").text.splitlines()
    code = lines[1:]
    assert set("".join(code)) <= set(" ▀▄█")
    assert len({len(line) for line in code}) == 1
    env = {"MAU_PASSPHRASE": PASSPHRASE, **NOWHERE, "TERM": "xterm"}
    seen = on_terminal("invite", "--print", env=env).err
    assert "\x1b[30m\x1b[107m" in seen
    for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "▀" not in on_terminal("invite", "--print", env={**env, **more}).err
    assert "▀" not in on_terminal("invite", "--print", "--no-qr", env=env).err
    many = [word for port in range(1, 9) for word in ("--at", f"{'a' * 60}.example.org:{port}")]
    done = host.mau("invite", "--qr", *many)
    assert len(done.text.splitlines()) == 1
    assert "columns" in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("--print", "--uses", "2"),
        ("--print", "--for", "2d"),
        ("--list", "--revoke", "all"),
        ("--list", "--name", "x"),
        ("--uses", "0"),
        ("--for", "never"),
        ("--for", "400d"),
        ("--at", "here"),
        ("--note", "x" * 201),
        ("--revoke", "12345678"),
    ],
)
def test_what_does_not_fit_is_usage_and_makes_no_invite(host: Shell, words: tuple[str, ...]) -> None:
    host.mau("invite", *words, code=2)
    assert host.json("invite", "--list") == []


def test_invites_are_listed_and_ended(host: Shell) -> None:
    first = host.json("invite", "--note", "for Bob", "--uses", "3", "--for", "2h")
    second = host.json("invite")
    listed = host.json("invite", "--list")
    assert {one["id"]: (one["uses"], one["left"], one["note"]) for one in listed} == {
        first["invite"]["id"]: (3, 3, "for Bob"),
        second["invite"]["id"]: (1, 1, None),
    }
    assert "invite=" not in json.dumps(listed)
    assert "for Bob" in host.mau("invite", "--list").text
    assert "for Bob" in host.mau("invite", "--revoke", first["invite"]["id"]).err
    assert [one["id"] for one in host.json("invite", "--revoke", "all")] == [second["invite"]["id"]]
    assert "No invite is open" in host.mau("invite", "--list").err


# --- the guest ---------------------------------------------------------------------------------------------


def test_friendship_is_mutual_in_one_exchange(host: Shell, bob: Shell) -> None:
    with host.serving() as at, bob.serving() as back:
        link = host.link("--at", at, "--note", "for Bob")
        added = bob.mau("friend", "add", link, "--yes", MAU_REACH_ADDRESSES=back)
        assert "The link calls them 'Alice'; that is a claim." in added.err
        assert "They were asked" in added.err
        assert bob.people() == {"Alice": "friend"}
        assert host.people() == {}
        assert "1 request waits: mau requests" in host.mau("status").err
        host.mau("requests", "accept", bob.fpr.hex[:8], "--yes")
        assert host.people() == {"Bob": "friend"}
        assert requests(host) == []
        assert "mau requests" not in host.mau("status").err
        host.mau("post", "from Alice to her friends", "--friends")
        bob.mau("post", "from Bob to his friends", "--friends")
        host.mau("sync", "Bob")
        bob.mau("sync", "Alice")
    both = {"from Alice to her friends", "from Bob to his friends"}
    assert (host.texts(), bob.texts()) == (both, both)


def test_a_link_that_was_used_makes_a_friend_on_one_side_and_says_so(
    host: Shell, bob: Shell, tmp_path: Path, mau: Callable[..., Ended]
) -> None:
    eve = guest(tmp_path, "eve", mau)
    with host.serving() as at:
        link = host.link("--at", at)
        bob.mau("friend", "add", link, "--yes")
        done = eve.mau("friend", "add", link, "--yes", code=3)
        assert "used or over" in done.err
        assert eve.people() == {"Alice": "friend"}
        again = bob.mau("friend", "add", link, "--yes")  # the same guest may repeat it
        assert "They were asked" in again.err
        ended = host.link("--at", at)
        host.mau("invite", "--revoke", "all")
        assert "used or over" in eve.mau("friend", "add", ended, "--yes", code=3).err
    assert requests(host) == [bob.fpr.hex]


def test_one_for_paper_asks_nobody(host: Shell, bob: Shell) -> None:
    with host.serving() as at:
        done = bob.mau("friend", "add", host.link("--print", "--at", at), "--yes")
    assert "once they add you too" in done.err
    assert requests(host) == []


def test_whoever_answers_for_another_fingerprint_is_no_friend(host: Shell, bob: Shell) -> None:
    liar = format_link(Link(RELAY, "Alice", (("127.0.0.1", 1),)))
    with host.serving() as at:
        right = parse_link(host.link("--at", at))
        wrong = format_link(Link(RELAY, "Alice", right.addresses, (), right.token))
        bob.mau("friend", "add", wrong, "--yes", code=6)
    bob.mau("friend", "add", liar, "--yes", code=5)
    assert bob.people() == {}
    assert requests(host) == []


def test_a_link_is_refused_before_anything_is_asked(bob: Shell) -> None:
    for link in (f"mau:/p2p/{RELAY.hex}?invite=cut", f"mau:/p2p/{RELAY.hex[:-3]}", "mau:"):
        bob.mau("friend", "add", link, "--yes", code=2)
    bob.mau("friend", "add", f"mau:/p2p/{bob.fpr.hex}", "--yes", code=6)  # one's own
    assert "no address is known" in bob.mau("friend", "add", f"mau:/p2p/{RELAY.hex}", "--yes", code=5).err


def test_names_in_links_steer_nothing(host: Shell, bob: Shell) -> None:
    with host.serving() as at:
        plain = host.link("--print", "--at", at).partition("?")[0]
        done = bob.mau("friend", "add", f"{plain}?name=Al%1B%5B2J%E2%80%AEecila%0Amau:%20ok", "--yes")
    assert "The link calls them 'Al[2Jecila mau: ok'; that is a claim." in done.err
    assert "\x1b" not in done.err
    assert "\u202e" not in done.err
    assert bob.people() == {"Alice": "friend"}  # the name is that of the key


def test_the_guest_is_asked_and_a_no_leaves_nothing(
    host: Shell, bob: Shell, on_terminal: Callable[..., Ended]
) -> None:
    env = {"MAU_PASSPHRASE": PASSPHRASE, **NOWHERE}
    with host.serving() as at:
        link = host.link("--at", at)
        done = on_terminal(
            "friend",
            "add",
            link,
            root=bob.account.root.path,
            env=env,
            typed=[("Your name for them [Alice]: ", ""), ("[y/N]: ", "n")],
        )
    assert done.code != 0
    assert bob.people() == {}
    assert requests(host) == []
    book = AddressBook(bob.account.root)
    assert book.addresses(host.fpr) == []
    book.close()
