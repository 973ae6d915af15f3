"""People find each other in the local network, and nobody there can do more than waste a handshake."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import traceback
from collections.abc import Awaitable, Callable

import pytest
from zeroconf import DNSIncoming  # type: ignore[attr-defined]

from mau.finder.mdns import Mdns, Networks, current_networks
from mau.finder.mdns.mdns import Heard
from mau.fingerprint import Fingerprint
from tests.network.avahi import Avahi
from tests.network.mdns import (
    ALICE,
    BOB,
    CAROL,
    GROUP,
    LAN,
    MALLORY,
    SRV,
    A,
    Shouter,
    asked_directly,
    hears,
    person,
)
from tests.network.netns import Host, Network

# --- finding -----------------------------------------------------------------------------------------------


def test_two_hosts_of_a_bridge_find_each_other_in_less_than_two_seconds(net: Network) -> None:
    lan = net.switch(LAN)
    alice, bob = net.host("alice"), net.host("bob")
    alice.plug(lan)
    bob.plug(lan)
    first = person(alice, ALICE)
    second = person(bob, BOB, "8881")
    there = hears(second, ALICE, alice.addresses[0], 8880)
    hears(first, BOB, bob.addresses[0], 8881)
    print(f"found by mDNS {there:.3f} s after the start")
    assert there < 2
    assert first.stop() == second.stop() == 0


def test_who_ends_says_goodbye_and_is_forgotten_soon(net: Network) -> None:
    lan = net.switch(LAN)
    alice, bob = net.host("alice"), net.host("bob")
    alice.plug(lan)
    bob.plug(lan)
    first, second = person(alice, ALICE), person(bob, BOB, "-")
    heard = hears(second, ALICE, alice.addresses[0], 8880)
    assert first.stop() == 0
    assert hears(second, ALICE, alice.addresses[0], 8880, sign="-") - heard < 12
    assert BOB not in "".join(first.lines)  # who announces nothing is not found


@pytest.mark.parametrize("networks", [["fd00:7::/64"], []], ids=["own prefix", "link-local only"])
def test_ipv6_alone_is_enough(net: Network, networks: list[str]) -> None:
    lan = net.switch(*networks)
    alice, bob = net.host("alice"), net.host("bob")
    alice.plug(lan)
    bob.plug(lan)
    (link,) = json.loads(alice.ip("-j", "-6", "addr", "show", "dev", "eth0"))
    local = next(one["local"] for one in link["addr_info"] if one["scope"] == "link")
    person(alice, ALICE)
    second = person(bob, BOB, "-")
    assert hears(second, ALICE, alice.addresses[0] if networks else f"{local}%eth0", 8880) < 2


def test_avahi_sees_us_and_we_see_what_avahi_publishes(net: Network) -> None:
    lan = net.switch(LAN)
    alice, box = net.host("alice"), net.host("box")
    alice.plug(lan)
    box.plug(lan)
    avahi = Avahi(box)
    first = person(alice, ALICE)
    over_ipv4 = [fields for fields in avahi.browse() if fields[2] == "IPv4"]
    assert [(one[3], one[7], one[8], one[9]) for one in over_ipv4] == [
        (ALICE, alice.addresses[0], "8880", '"v=1"')
    ]
    published = avahi.publish(CAROL.upper(), 9999)
    hears(first, CAROL, box.addresses[0], 9999)
    published.stop()
    hears(first, CAROL, box.addresses[0], 9999, sign="-")


def test_we_share_a_machine_with_avahi(net: Network) -> None:
    lan = net.switch(LAN)
    alice, bob = net.host("alice"), net.host("bob")
    alice.plug(lan)
    bob.plug(lan)
    Avahi(bob)
    second = person(bob, BOB, "8881")
    first = person(alice, ALICE)
    hears(first, BOB, bob.addresses[0], 8881)
    hears(second, ALICE, alice.addresses[0], 8880)


# --- networks that come and go -----------------------------------------------------------------------------


def test_a_new_address_is_announced_at_once(net: Network) -> None:
    lan = net.switch(LAN)
    alice, bob = net.host("alice"), net.host("bob")
    alice.plug(lan, "192.168.7.2/24")
    bob.plug(lan)
    first, second = person(alice, ALICE), person(bob, BOB, "-")
    hears(second, ALICE, "192.168.7.2", 8880)
    alice.ip("addr", "del", "192.168.7.2/24", "dev", "eth0")
    alice.ip("addr", "add", "192.168.7.77/24", "dev", "eth0")
    hears(second, ALICE, "192.168.7.77", 8880)
    assert first.stop() == 0


def test_a_machine_that_joins_another_network_is_found_there(net: Network) -> None:
    here, there = net.switch(LAN), net.switch("10.9.0.0/16")
    alice, bob = net.host("alice"), net.host("bob")
    link = alice.plug(here)
    bob.plug(there)
    first, second = person(alice, ALICE), person(bob, BOB, "8881")
    link.remove()
    first.expect(r"^at $")  # nowhere, and it goes on
    moved = alice.plug(there)
    hears(second, ALICE, moved.addresses[0], 8880)
    hears(first, BOB, bob.addresses[0], 8881)
    assert first.stop() == second.stop() == 0


async def _listening(
    own: str, networks: Networks, meanwhile: Callable[[Mdns], Awaitable[None]], heard: Heard
) -> None:
    async with Mdns(Fingerprint.parse(own), 8880, networks=networks, heard=heard) as mdns:
        await meanwhile(mdns)


def test_consent_that_is_given_and_taken_back_counts_at_once(net: Network) -> None:
    lan = net.switch(LAN)
    alice, bob = net.host("alice"), net.host("bob")
    alice.plug(lan)
    bob.plug(lan)
    second = person(bob, BOB, "-")

    async def meanwhile(mdns: Mdns) -> None:
        assert [one.name for one in mdns.silent] == [LAN]
        assert not mdns.active
        mdns.networks = Networks.of("trusted", [LAN])
        await asyncio.to_thread(hears, second, ALICE, alice.addresses[0], 8880)
        assert [one.name for one in mdns.active] == [LAN]
        mdns.networks = Networks.of("trusted", ["10.0.0.0/8"])
        await asyncio.to_thread(hears, second, ALICE, alice.addresses[0], 8880, sign="-")
        assert not mdns.active

    alice.call(asyncio.run, _listening(ALICE, Networks(), meanwhile, lambda *_: None))


def test_what_goes_wrong_with_a_hint_is_raised_and_everything_ended(net: Network) -> None:
    lan = net.switch(LAN)
    alice, bob = net.host("alice"), net.host("bob")
    alice.plug(lan)
    bob.plug(lan)
    person(bob, BOB)

    def full(*_: object) -> None:
        raise OSError("the disk is full")

    with pytest.raises(ExceptionGroup) as caught:
        alice.call(asyncio.run, _listening(ALICE, Networks.of("everywhere"), Mdns.wait, full))
    assert "the disk is full" in "".join(traceback.format_exception(caught.value))
    assert alice.call(current_networks)  # and the sockets are closed: a warning would be an error


# --- where we may ------------------------------------------------------------------------------------------


def test_a_network_is_known_by_its_router_and_no_other_network_is_spoken_in(net: Network) -> None:
    home, cafe = net.switch(LAN), net.switch(LAN)
    ours, theirs = net.host("router"), net.host("stranger")
    ours.plug(home, *home.numbered(1))
    theirs.plug(cafe, *cafe.numbered(1))
    alice, bob, eve = net.host("alice"), net.host("bob"), net.host("eve")
    router = json.loads(ours.ip("-j", "link", "show", "eth0"))[0]["address"]
    link = alice.plug(home, gateway=True)
    bob.plug(home, "192.168.7.20/24")
    eve.plug(cafe, "192.168.7.30/24")
    first = person(alice, ALICE, "8880", "trusted", f"{LAN}@{router}")
    first.expect(rf"^at eth0={LAN}@{router} $")  # after the router was asked, about whom nobody knew
    hears(person(bob, BOB, "-"), ALICE, alice.addresses[0], 8880)
    listener = person(eve, MALLORY, "-")
    link.remove()
    first.expect(r"^at $")
    alice.plug(cafe, "192.168.7.2/24", gateway=True)
    with Shouter(eve) as voice:
        voice.claims(CAROL, 7, eve.addresses[0])  # her own network works
    hears(listener, CAROL, eve.addresses[0], 7)
    with pytest.raises(AssertionError, match="not said in time"):
        listener.expect(ALICE, timeout=2)  # longer than being found takes
    assert first.lines[-1] == "at "


def test_a_router_that_is_forgotten_for_a_moment_makes_no_other_network(net: Network) -> None:
    home, also = net.switch(LAN), net.switch("10.9.0.0/16")
    ours, alice = net.host("router"), net.host("alice")
    cable = ours.plug(home, *home.numbered(1))
    router = json.loads(ours.ip("-j", "link", "show", "eth0"))[0]["address"]
    alice.plug(home, gateway=True)
    first = person(alice, ALICE, "8880", "trusted", f"{LAN}@{router}", "10.9.0.0/16")
    first.expect(rf"^at eth0={LAN}@{router} $")
    before = len(first.lines)
    cable.pull()  # so that nobody answers when it is looked for again
    alice.ip("neigh", "flush", "dev", "eth0")
    alice.plug(also)  # makes it look at all networks
    first.expect("eth1=10.9.0.0/16")
    assert all(f"eth0={LAN}@{router}" in line for line in first.lines[before:])


def test_what_is_asked_in_one_network_is_not_answered_in_another(net: Network) -> None:
    home, cafe = net.switch(LAN), net.switch("10.9.0.0/16")
    alice, bob, eve = net.host("alice"), net.host("bob"), net.host("eve")
    alice.plug(home)
    abroad = alice.plug(cafe)
    bob.plug(home)
    eve.plug(cafe)
    eve.ip("route", "add", LAN, "via", abroad.addresses[0])  # his machine answers for all of its addresses
    # Another program of that machine listens to everything, so the kernel lets it all in.
    group = socket.inet_aton(GROUP) + socket.inet_aton(abroad.addresses[0])
    with alice.call(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        person(alice, ALICE, "8880", "trusted", LAN)
        listener = person(eve, MALLORY, "-")
        hears(person(bob, BOB, "-"), ALICE, alice.addresses[0], 8880)
        for address in (abroad.addresses[0], alice.addresses[0]):
            with pytest.raises(TimeoutError):
                asked_directly(eve, address, 1.0)
    assert asked_directly(bob, alice.addresses[0], 5.0)
    assert ALICE not in "".join(listener.lines)


def test_each_network_is_told_its_own_addresses_only(net: Network) -> None:
    one, two = net.switch(LAN), net.switch("10.9.0.0/16")
    alice, bob = net.host("alice"), net.host("bob")
    alice.plug(one)
    alice.plug(two)
    bob.plug(one)
    person(alice, ALICE)
    answer = DNSIncoming(asked_directly(bob, alice.addresses[0], 5.0))
    told = {socket.inet_ntop(socket.AF_INET, one.address) for one in answer.answers() if one.type == A}
    assert told == {alice.addresses[0]}


def test_a_question_from_afar_is_not_answered(net: Network) -> None:
    lan, wan = net.switch(LAN), net.switch("11.22.33.0/24")
    alice, bob, far = net.host("alice"), net.host("bob"), net.host("far")
    router = net.router("router", inside=lan, outside=wan)
    alice.plug(lan, gateway=True)
    bob.plug(lan)
    far.plug(wan)
    far.ip("route", "add", LAN, "via", router.wan.addresses[0])
    router.run(["nft", "flush", "ruleset"])
    person(alice, ALICE)
    assert asked_directly(bob, alice.addresses[0], 5.0)
    with pytest.raises(TimeoutError):
        asked_directly(far, alice.addresses[0], 1.0)


# --- those who lie -----------------------------------------------------------------------------------------


def test_addresses_that_are_not_of_this_network_are_no_hints(net: Network) -> None:
    lan = net.switch(LAN)
    bob, mallory = net.host("bob"), net.host("mallory")
    bob.plug(lan)
    mallory.plug(lan)
    second = person(bob, BOB, "-")
    elsewhere = ("11.22.33.44", "127.0.0.1", "224.0.0.251", "192.168.7.255", "192.168.7.0", "255.255.255.255")
    with Shouter(mallory) as voice:
        for number, address in enumerate(elsewhere):
            voice.claims(f"{number:040x}", 22, address)
        voice.claims(CAROL, 0, mallory.addresses[0])
        voice.claims(MALLORY, 22, *elsewhere, mallory.addresses[0])
    hears(second, MALLORY, mallory.addresses[0], 22)
    assert [line.split()[1:3] for line in second.lines if line[0] == "+"] == [[MALLORY, mallory.addresses[0]]]


def test_who_claims_a_name_takes_nothing_away_from_its_owner(net: Network) -> None:
    lan = net.switch(LAN)
    alice, bob, mallory = net.host("alice"), net.host("bob"), net.host("mallory")
    alice.plug(lan)
    bob.plug(lan)
    mallory.plug(lan)
    first, second = person(alice, ALICE), person(bob, BOB, "-")
    hears(second, ALICE, alice.addresses[0], 8880)
    target = _target(bob, alice)
    with Shouter(mallory) as voice:
        voice.claims(ALICE, 666, mallory.addresses[0])  # flushes her SRV record from every cache
        voice.claims(ALICE, 8880, mallory.addresses[0], target=target)  # and her address
        voice.claims(BOB, 666, mallory.addresses[0])
        hears(second, ALICE, mallory.addresses[0], 666)
        voice.claims(CAROL, 666, mallory.addresses[0])
        hears(second, CAROL, mallory.addresses[0], 666)
        voice.claims(ALICE, 8880, alice.addresses[0], ttl=0, target=target)  # says goodbye for her
        voice.claims(CAROL, 666, mallory.addresses[0], ttl=0)
    hears(second, CAROL, mallory.addresses[0], 666, sign="-")  # a goodbye counts when nobody contradicts
    assert not [line for line in second.lines if line.startswith(f"- {ALICE} {alice.addresses[0]}")]
    assert not [line for line in second.lines if BOB in line]
    assert first.running


def test_a_flood_of_names_hides_no_friend_and_ends_somewhere(net: Network) -> None:
    lan = net.switch(LAN)
    alice, bob, mallory = net.host("alice"), net.host("bob"), net.host("mallory")
    alice.plug(lan)
    bob.plug(lan)
    mallory.plug(lan)
    second = person(bob, BOB, "-", "everywhere", f"wanted:{ALICE}")
    with Shouter(mallory) as voice:
        for start in range(0, 5_000, 25):
            names = [f"{struct.pack('>I', number).hex():0>40}" for number in range(start, start + 25)]
            voice.records(one for name in names for one in voice.claim(name, 9, mallory.addresses[0]))
    person(alice, ALICE)
    hears(second, ALICE, alice.addresses[0], 8880)
    strangers = [line for line in second.lines if line[0] == "+" and ALICE not in line]
    assert 0 < len(strangers) < 1_000
    assert second.running


def test_one_name_with_many_addresses_is_heard_of_a_few_times(net: Network) -> None:
    lan = net.switch(LAN)
    bob, mallory = net.host("bob"), net.host("mallory")
    bob.plug(lan)
    mallory.plug(lan)
    second = person(bob, BOB, "-")
    with Shouter(mallory) as voice:
        for number in range(10, 200):
            voice.claims(CAROL, number, f"192.168.7.{number}")
        voice.claims(MALLORY, 1, mallory.addresses[0])
    hears(second, MALLORY, mallory.addresses[0], 1)
    assert 0 < len([line for line in second.lines if line.startswith(f"+ {CAROL}")]) <= 9


def _target(asking: Host, of: Host) -> str:
    """What a host is called in its own SRV record."""
    answer = DNSIncoming(asked_directly(asking, of.addresses[0], 5.0))
    return next(one.server for one in answer.answers() if one.type == SRV)
