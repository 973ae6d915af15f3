"""`mau nearby`, in networks of its own."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from mau.account import Account
from mau.addressbook import AddressBook
from mau.keyring import Keyring
from tests.cli.people import key_of
from tests.network.conftest import allowed, net
from tests.network.mdns import LAN, Shouter, hears, person
from tests.network.netns import Host, Network

__all__ = ["allowed", "net"]


def serving(host: Host) -> Account:
    """Somebody with an account whose server runs on port 8880 and whom the network is told of."""
    account = host.account()
    host.start_mau("serve").expect(account.fingerprint.hex)
    person(host, account.fingerprint.hex, "8880")
    return account


def test_people_are_named_once_they_have_proven_who_they_are(net: Network) -> None:
    lan = net.switch(LAN)
    alice, bob, carol, mallory = (net.host(name) for name in ("alice", "bob", "carol", "mallory"))
    for host in (alice, bob, carol, mallory):
        host.plug(lan)
    account = alice.account()
    friend, stranger = serving(bob), serving(carol)
    keyring = Keyring.load(account)
    keyring.add(friend.certificate, "Bobby")
    absent = keyring.add(key_of("Dave"), "Dave")
    words = " ".join(stranger.fingerprint.words)

    watcher = person(mallory, "ee" * 20, "-")
    with Shouter(mallory) as voice:
        voice.claims(absent.fingerprint.hex, 8880, carol.addresses[0])  # somebody else is there
        voice.claims(friend.fingerprint.hex, 9, mallory.addresses[0])
    hears(watcher, friend.fingerprint.hex, mallory.addresses[0], 9)
    claimant = person(mallory, absent.fingerprint.hex, "8880")  # where nobody listens

    done = alice.mau("nearby", "--seconds", "2")
    lines = done.text.splitlines()
    assert lines[0].startswith("Bobby, ")
    assert f"{bob.addresses[0]}:8880" in lines[0]
    assert lines[1] == f"    {friend.fingerprint.hex}"
    assert lines[2].startswith("a stranger, ")
    assert lines[3:5] == [f"    {stranger.fingerprint.hex}", f"    {words}"]
    assert lines[5].startswith("not proven, ")
    assert lines[6] == f"    {absent.fingerprint.hex}"
    assert "Dave" not in done.text
    assert "Dave" not in done.err
    assert f"Asking in {LAN}" in done.err
    assert "mau nearby --trust" in done.err

    found = {one["fingerprint"]: one for one in json.loads(alice.mau("nearby", "--json").out)}
    assert found.keys() == {one.hex for one in (friend.fingerprint, stranger.fingerprint, absent.fingerprint)}
    assert [
        (found[one.hex]["proven"], found[one.hex]["name"], found[one.hex]["status"])
        for one in (friend.fingerprint, stranger.fingerprint, absent.fingerprint)
    ] == [(True, "Bobby", "friend"), (True, None, None), (False, None, None)]
    assert all(one["problem"] for one in found[absent.fingerprint.hex]["addresses"])
    assert found[stranger.fingerprint.hex]["words"] == words

    book = AddressBook(account.root)
    assert book.addresses(friend.fingerprint)  # so `mau sync bobby` needs no --at
    assert not book.addresses(stranger.fingerprint)
    assert not book.addresses(absent.fingerprint)
    book.close()
    assert account.fingerprint.hex not in "".join(watcher.lines + claimant.lines)  # she only asked


def test_a_network_is_trusted_by_its_name_and_then_people_are_announced_there(net: Network) -> None:
    lan = net.switch(LAN)
    alice, router = net.host("alice"), net.host("router")
    router.plug(lan, *lan.numbered(1))
    alice.plug(lan, gateway=True)
    alice.account()
    asked = alice.mau("nearby", "--trust", code=2)
    assert "say --yes" in asked.err
    mac = json.loads(router.ip("-j", "link", "show", "eth0"))[0]["address"]
    done = alice.mau("nearby", "--trust", "--yes", "--seconds", "0.5")
    assert done.out == b""
    assert f"{LAN}@{mac} is trusted from now on" in done.err
    assert "Nobody answered" in done.err
    assert "not announced" not in done.err
    settings = tomllib.loads(Path(alice.mau("config", "path").text.strip()).read_text())
    assert settings["discovery"] == {"mdns": "trusted", "networks": [f"{LAN}@{mac}"]}
    again = alice.mau("nearby", "--trust", "--yes", "--seconds", "0.5", "--json")
    assert json.loads(again.out) == []
    assert "is trusted already" in again.err


def test_ipv6_alone_is_enough_to_find_and_to_prove(net: Network) -> None:
    lan = net.switch()
    alice, bob = net.host("alice"), net.host("bob")
    alice.plug(lan)
    bob.plug(lan)
    account, friend = alice.account(), serving(bob)
    Keyring.load(account).add(friend.certificate, "Bob")
    (one,) = json.loads(alice.mau("nearby", "--seconds", "2", "--json").out)
    assert (one["proven"], one["name"]) == (True, "Bob")
    assert one["addresses"][0]["address"].startswith("[fe80:")
    alice.mau("follow", "Bob")
    alice.mau("sync", "Bob")  # at the address that the book has


def test_in_no_network_there_is_nobody(net: Network) -> None:
    alice = net.host("alice")
    alice.account()
    done = alice.mau("nearby")
    assert done.out == b""
    assert "in no local network" in done.err
