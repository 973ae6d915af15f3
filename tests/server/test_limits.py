"""Token buckets: never more than agreed, never longer than said, never more memory than allowed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mau.config.keys import (
    SERVER_ANONYMOUS_REQUESTS,
    SERVER_BYTES_PER_SECOND,
    SERVER_CONNECTIONS,
    SERVER_CONNECTIONS_PER_ADDRESS,
    SERVER_FRIEND_REQUESTS,
    SERVER_STRANGER_REQUESTS,
)
from mau.fingerprint import Fingerprint
from mau.server.limits import (
    Allowance,
    Buckets,
    Level,
    Limits,
    Rate,
    limits_of,
    network_of,
    refilled,
    retry_after,
)

RATES = st.builds(Rate, st.floats(0.5, 1000), st.floats(1, 1000))
GAPS = st.lists(st.floats(0, 30), max_size=30)
BOB, EVE = Fingerprint(bytes(20)), Fingerprint(b"e" * 20)


@settings(max_examples=25)
@given(RATES, GAPS)
def test_in_any_time_no_more_is_granted_than_the_burst_and_what_came_back(
    rate: Rate, gaps: list[float]
) -> None:
    buckets, now = Buckets(rate), 100.0
    granted: list[float] = []
    for gap in gaps:
        now += gap
        while buckets.wait("x", now) == 0 and len(granted) < 1500:
            buckets.take("x", now)
            granted.append(now)
    for first in range(0, len(granted), 17):
        window = granted[first:]
        allowed = rate.burst + (window[-1] - window[0]) * rate.per_second
        assert len(window) <= allowed + 1e-6 * len(window)


@given(RATES, GAPS, st.floats(0.1, 5))
def test_who_waits_as_long_as_was_said_gets_it(rate: Rate, gaps: list[float], cost: float) -> None:
    buckets, now = Buckets(rate), 0.0
    for gap in gaps:
        now += gap
        buckets.take("x", now, cost)
        wait = buckets.wait("x", now)
        assert buckets.wait("x", now + wait + 1e-6) <= 1e-5


@given(RATES, st.floats(-1000, 1000), st.floats(0, 1e6), st.floats(-1e6, 1e6))
def test_a_bucket_never_holds_more_than_its_burst(
    rate: Rate, tokens: float, at: float, passed: float
) -> None:
    level = Level(min(tokens, rate.burst), at)
    after = refilled(level, rate, at + passed)
    assert level.tokens <= after.tokens <= rate.burst
    assert after.at >= level.at  # a clock that goes back does not fill twice


@given(st.lists(st.integers(0, 50)), st.integers(1, 10))
def test_there_are_never_more_buckets_than_allowed_and_the_oldest_goes(keys: list[int], most: int) -> None:
    buckets = Buckets(Rate(0.001, 1), most)
    for key in keys:
        buckets.take(key, 0.0)
        assert len(buckets) <= most
    latest = list(dict.fromkeys(reversed(keys)))[:most]
    assert all(buckets.wait(key, 0.0) > 0 for key in latest)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
    ],
)
def test_of_an_ipv6_address_the_network_counts(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_friend_who_fetches_ten_thousand_files_at_once_never_waits() -> None:
    allowance = Allowance(Limits())
    assert not any(allowance.request(BOB, True, "192.0.2.7", 5.0) for _ in range(20_000))


def drain(allowance: Allowance, who: Fingerprint | None, network: str, now: float) -> int:
    """How many requests are granted in a row."""
    for count in range(1_000_000):
        if allowance.request(who, False, network, now):
            return count
    raise AssertionError


def test_anonymous_visitors_get_less_than_strangers_and_those_less_than_friends() -> None:
    limits = Limits()
    anonymous = drain(Allowance(limits), None, "192.0.2.7", 0)
    stranger = drain(Allowance(limits), EVE, "192.0.2.7", 0)
    assert anonymous < stranger < limits.friend.burst
    assert limits.anonymous_address.per_second < limits.stranger.per_second < limits.friend.per_second


def test_neither_new_fingerprints_nor_new_addresses_get_a_stranger_further() -> None:
    limits, allowance = Limits(), Allowance(Limits())
    new = (Fingerprint(number.to_bytes(20, "big")) for number in range(1, 10_000))
    granted = sum(allowance.request(who, False, "192.0.2.7", 0.0) == 0 for who in new)
    assert granted == limits.stranger_address.burst
    granted += sum(drain(allowance, None, f"192.0.2.{host}", 0.0) for host in range(100))
    assert granted == limits.strangers.burst
    # What is left is for friends.
    assert allowance.request(BOB, True, "192.0.2.7", 0.0) == 0


def test_a_refusal_costs_nothing_and_ends() -> None:
    allowance = Allowance(Limits(anonymous_address=Rate(1, 2)))
    assert drain(allowance, None, "a", 0.0) == 2
    waits = {allowance.request(None, False, "a", 0.0) for _ in range(100)}
    assert waits == {1.0}
    assert allowance.request(None, False, "b", 0.0) == 0
    assert allowance.request(None, False, "a", 1.0) == 0


def test_handshakes_of_friends_do_not_count() -> None:
    allowance = Allowance(Limits(handshakes=Rate(1, 3)))
    for _ in range(10):
        assert allowance.handshake("a", 0.0)
        allowance.handshake_of_friend("a", 0.0)
    assert [allowance.handshake("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert allowance.handshake("a", 1.0)


@given(st.lists(st.integers(1, 300_000), min_size=1, max_size=50), st.floats(1000, 1e6))
def test_bytes_arrive_at_the_rate_that_was_set(pieces: list[int], rate: float) -> None:
    allowance, now = Allowance(Limits(bytes_per_second=rate)), 0.0
    for piece in pieces:
        now += allowance.sent("x", piece, now)
    assert sum(pieces) <= rate * (now + 1) + 1
    assert Allowance(Limits()).sent("x", 1 << 40, 0.0) == 0


@pytest.mark.parametrize(("wait", "seconds"), [(0.001, 1), (1.0, 1), (1.1, 2), (300, 300)])
def test_retry_after_is_in_whole_seconds(wait: float, seconds: int) -> None:
    assert retry_after(wait) == seconds


# --- as they are set ---------------------------------------------------------------------------------------


def made(friend: float = 500, stranger: float = 50, anonymous: float = 20, connections: int = 256) -> Limits:
    return limits_of(
        friend=friend,
        stranger=stranger,
        anonymous=anonymous,
        connections=connections,
        connections_per_address=64,
        bytes_per_second=0,
    )


def test_what_is_set_when_nothing_is_set_are_the_limits() -> None:
    assert Limits() == limits_of(
        friend=SERVER_FRIEND_REQUESTS.default,
        stranger=SERVER_STRANGER_REQUESTS.default,
        anonymous=SERVER_ANONYMOUS_REQUESTS.default,
        connections=SERVER_CONNECTIONS.default,
        connections_per_address=SERVER_CONNECTIONS_PER_ADDRESS.default,
        bytes_per_second=SERVER_BYTES_PER_SECOND.default,
    )


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 10**6), st.integers(8, 10**5))
def test_what_one_may_have_is_not_held_back_by_what_all_share(
    friend: int, stranger: int, anonymous: int, connections: int
) -> None:
    limits = made(friend, stranger, anonymous, connections)
    assert limits.friend.per_second == friend
    assert limits.stranger.per_second == pytest.approx(stranger)
    assert limits.anonymous_address.per_second == anonymous
    for one in (limits.stranger_address, limits.anonymous_address):
        assert one.per_second <= limits.strangers.per_second
        assert one.burst <= limits.strangers.burst
    assert max(limits.friend.per_second, limits.strangers.per_second) <= limits.everyone.per_second
    assert 0 < limits.stranger_connections < connections


def test_less_for_strangers_takes_nothing_from_friends() -> None:
    assert made(stranger=1, anonymous=1).friend == Limits().friend
    assert made(stranger=1, anonymous=1).everyone == Limits().everyone
