"""What is heard is kept within bounds, side by side, and for a while."""

from __future__ import annotations

import ipaddress
import socket

from hypothesis import given
from hypothesis import strategies as st

from mau.finder.mdns.hints import (
    FAREWELL,
    LONGEST,
    MAX_ADDRESSES,
    MAX_HOSTS,
    MAX_NAMES,
    MAX_PEOPLE,
    SHORTEST,
    Change,
    Hints,
)
from mau.finder.mdns.names import SERVICE, fingerprint_of, instance
from mau.finder.mdns.network import Network
from mau.fingerprint import Fingerprint

OWN, ALICE, BOB = (Fingerprint(bytes([number]) * 20) for number in (9, 1, 2))
NETWORK = Network("eth0", 2, (ipaddress.ip_interface("192.168.7.2/16"),))


def hints(**given: object) -> Hints:
    return Hints(OWN, NETWORK, **given)  # type: ignore[arg-type]


def raw(host: str) -> bytes:
    return socket.inet_aton(host)


def says(
    one: Hints,
    who: Fingerprint,
    host: str,
    port: int = 1,
    *,
    now: float = 0,
    ttl: float = 120,
    target: str = "t.",
) -> list[Change]:
    one.pointer(instance(who), ttl, now)
    one.service(instance(who), target, port, ttl, now)
    return one.address(target, raw(host), ttl, now)


def test_whoever_is_said_to_be_somewhere_is_a_hint_once() -> None:
    one = hints()
    assert says(one, ALICE, "192.168.7.9") == [Change(ALICE, ("192.168.7.9", 1), True)]
    assert says(one, ALICE, "192.168.7.9", now=1) == []
    assert list(one.present()) == [Change(ALICE, ("192.168.7.9", 1), True)]


def test_names_are_read_in_any_case_and_others_not_at_all() -> None:
    assert fingerprint_of(instance(ALICE).upper()) == ALICE
    for name in (
        SERVICE,
        f"bob.{SERVICE}",
        f"{ALICE.hex}.{ALICE.hex}.{SERVICE}",
        f"{ALICE.hex}._http._tcp.local.",
    ):
        assert fingerprint_of(name) is None
        one = hints()
        one.pointer(name, 120, 0)
        assert not one.service(name, "t.", 1, 120, 0)
        assert len(one) == 0


def test_the_own_name_is_no_hint() -> None:
    one = hints()
    assert says(one, OWN, "192.168.7.9") == []
    assert len(one) == 0


def test_of_hosts_that_nobody_named_nothing_is_kept() -> None:
    assert hints().address("printer.local.", raw("192.168.7.9"), 120, 0) == []


def test_what_another_says_of_a_name_stands_beside_it() -> None:
    one = hints()
    says(one, ALICE, "192.168.7.9", 8880, target="alice.")
    assert says(one, ALICE, "192.168.66.6", 666, target="mallory.") == [
        Change(ALICE, ("192.168.66.6", 666), True)
    ]
    assert {change.address for change in one.present()} == {("192.168.7.9", 8880), ("192.168.66.6", 666)}


def test_a_goodbye_counts_after_a_while_unless_it_is_contradicted() -> None:
    one = hints()
    says(one, ALICE, "192.168.7.9")
    says(one, BOB, "192.168.7.8", target="b.")
    for who in (ALICE, BOB):
        one.pointer(instance(who), 0, 10)
    assert one.expire(10 + FAREWELL / 2) == []
    says(one, ALICE, "192.168.7.9", now=10 + FAREWELL / 2)
    assert one.expire(10 + FAREWELL) == [Change(BOB, ("192.168.7.8", 1), False)]
    assert [change.fingerprint for change in one.present()] == [ALICE]


def test_a_host_that_stays_does_not_keep_the_service_that_left_it() -> None:
    one = hints()
    says(one, ALICE, "192.168.7.9")
    one.service(instance(ALICE), "t.", 1, 0, 10)
    one.address("t.", raw("192.168.7.9"), 120, 11)
    assert one.expire(10 + FAREWELL) == [Change(ALICE, ("192.168.7.9", 1), False)]


def test_what_is_not_said_again_is_forgotten_whatever_its_ttl() -> None:
    for ttl, life in ((1, SHORTEST), (1e9, LONGEST)):
        one = hints()
        says(one, ALICE, "192.168.7.9", ttl=ttl)
        assert one.expire(life - 1) == []
        assert one.expire(life) == [Change(ALICE, ("192.168.7.9", 1), False)]
        assert len(one) == 0
        assert not one._hosts  # nothing of it is left


def test_one_name_has_so_many_addresses_and_new_ones_come_slowly() -> None:
    one = hints()
    changes = [
        change
        for number in range(1, 200)
        for change in says(one, ALICE, f"192.168.7.{number}", now=number / 100)
    ]
    assert len([change for change in changes if change.present]) == MAX_ADDRESSES
    later = says(one, ALICE, "192.168.8.1", now=62)
    assert Change(ALICE, ("192.168.8.1", 1), True) in later
    assert len([change for change in later if not change.present]) == 1
    assert len(list(one.present())) == MAX_ADDRESSES


def test_one_name_has_so_many_targets() -> None:
    one = hints()
    for number in range(50):
        says(one, ALICE, "192.168.7.9", target=f"t{number}.")
    assert len(one.hosts_of(ALICE)) == MAX_HOSTS
    assert len(one._hosts) == MAX_HOSTS


def test_one_target_serves_a_few_names_and_those_of_friends() -> None:
    one = hints(wanted=lambda who: who == ALICE)
    for number in range(100, 400):
        one.service(instance(Fingerprint(number.to_bytes(20, "big"))), "t.", 1, 120, 0)
    one.service(instance(ALICE), "t.", 1, 120, 0)
    people = [change.fingerprint for change in one.address("t.", raw("192.168.7.9"), 120, 0)]
    assert len(people) == MAX_PEOPLE + 1
    assert ALICE in people


def test_strangers_fill_no_more_than_their_place_and_friends_always_find_one() -> None:
    one = hints(wanted=lambda who: who == ALICE)
    now = 0.0
    for number in range(10 * MAX_NAMES):
        now += 0.05
        says(one, Fingerprint(number.to_bytes(20, "big")), "192.168.7.9", now=now, target=f"{number}.")
    assert len(one) == MAX_NAMES
    assert says(one, ALICE, "192.168.7.9", now=now, target="alice.") == [
        Change(ALICE, ("192.168.7.9", 1), True)
    ]


def test_a_burst_of_strangers_is_cut_off() -> None:
    one = hints()
    for number in range(5_000):
        says(one, Fingerprint(number.to_bytes(20, "big")), "192.168.7.9", target=f"{number}.")
    assert len(one) == 500


def test_names_without_an_address_are_asked_for_a_few_times() -> None:
    one = hints()
    one.pointer(instance(ALICE), 120, 0)
    one.service(instance(BOB), "b.", 1, 120, 0)
    assert [set(one.unresolved(5)) for _ in range(5)] == [{ALICE, BOB}] * 3 + [set()] * 2
    assert one.hosts_of(ALICE) == []
    assert one.hosts_of(BOB) == ["b."]


def test_a_question_names_those_who_were_heard_lately_and_not_those_who_leave() -> None:
    one = hints()
    says(one, ALICE, "192.168.7.9", ttl=LONGEST)
    says(one, BOB, "192.168.7.8", ttl=LONGEST, target="b.")
    assert [who for who, _ in one.believed(10, 20)] == [ALICE, BOB]
    assert len(one.believed(10, 1)) == 1
    one.pointer(instance(BOB), 0, 10)
    assert [who for who, _ in one.believed(10, 20)] == [ALICE]
    assert one.believed(LONGEST / 2, 20) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["pointer", "service", "address", "expire"]),
            st.integers(0, 3),
            st.integers(0, 30),
            st.sampled_from([0, 1, 120, 4500]),
            st.floats(0, 2000),
        ),
        max_size=60,
    )
)
def test_what_appears_disappears_once_and_nothing_is_left(
    said: list[tuple[str, int, int, int, float]],
) -> None:
    one = hints()
    now = 0.0
    there: set[tuple[Fingerprint, tuple[str, int]]] = set()
    for what, who, number, ttl, later in said:
        now += later
        name, target = instance(Fingerprint(bytes([who]) * 20)), f"t{number % 6}."
        changes: list[Change] = []
        if what == "pointer":
            one.pointer(name, ttl, now)
        elif what == "service":
            one.service(name, target, number, ttl, now)
        elif what == "address":
            changes = one.address(target, raw(f"192.168.7.{number}"), ttl, now)
        else:
            changes = one.expire(now)
        for change in changes:
            key = change.fingerprint, change.address
            assert (key in there) != change.present
            (there.add if change.present else there.discard)(key)
        assert there == {(change.fingerprint, change.address) for change in one.present()}
    for change in one.expire(now + LONGEST + 1):
        there.remove((change.fingerprint, change.address))
    assert not there
    assert len(one) == 0
    assert not one._hosts
