"""The account that a relay keeps: nobody has more open, or gets more passed on, than the terms say."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from mau.circuit.terms import DAY, MESSAGE_COST, CircuitPolicy, Ledger, Terms
from mau.fingerprint import Fingerprint

PEOPLE = [Fingerprint(bytes([number]) * 20) for number in range(4)]
TERMS = Terms(bytes=1000, at_once=2, circuits=5)


class Accounts(RuleBasedStateMachine):
    """What is open and spent, beside a model that is a list and a sum."""

    begun = Bundle("begun")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(TERMS)
        self.now = 0.0
        self.held: list[Fingerprint] = []
        self.spent: dict[Fingerprint, list[tuple[float, int]]] = {who: [] for who in PEOPLE}
        self.began: dict[Fingerprint, float] = {}

    def passed(self, who: Fingerprint) -> int:
        """In the day that his account is in."""
        if who in self.began and self.now - self.began[who] >= DAY:
            self.began[who], self.spent[who] = self.now, []
        self.began.setdefault(who, self.now)
        return sum(count for _, count in self.spent[who])

    @rule(target=begun, who=st.sampled_from(PEOPLE))
    def begin(self, who: Fingerprint) -> Fingerprint | None:
        spent = self.passed(who)
        wait = self.ledger.begin(who, self.now)
        free = self.held.count(who) < TERMS.at_once and len(self.held) < TERMS.circuits
        assert (wait == 0) == (free and spent < TERMS.bytes)
        assert wait >= 0
        if wait:
            return None
        self.held.append(who)
        return who

    @rule(who=begun, count=st.integers(0, 600))
    def spend(self, who: Fingerprint | None, count: int) -> None:
        if who in self.held:
            assert who is not None
            self.passed(who)
            self.spent[who].append((self.now, count + MESSAGE_COST))
            assert self.ledger.spend(who, count, self.now) == (self.passed(who) <= TERMS.bytes)

    @rule(who=begun)
    def end(self, who: Fingerprint | None) -> None:
        if who in self.held:
            assert who is not None
            self.held.remove(who)
            self.ledger.end(who)

    @rule(seconds=st.floats(0, 1.5 * DAY))
    def later(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def counts(self) -> None:
        assert self.ledger.open == len(self.held) <= TERMS.circuits


TestAccounts = Accounts.TestCase


def test_without_a_limit_of_bytes_nobody_waits_for_a_day() -> None:
    ledger = Ledger(Terms(bytes=0))
    assert ledger.begin(PEOPLE[0], 0.0) == 0
    assert all(ledger.spend(PEOPLE[0], 1 << 40, 0.0) for _ in range(3))
    assert ledger.begin(PEOPLE[0], 0.0) == 0


def test_messages_without_a_byte_are_counted() -> None:
    ledger = Ledger(Terms(bytes=1000))
    assert sum(ledger.spend(PEOPLE[0], 0, 0.0) for _ in range(1000)) == 1000 // MESSAGE_COST


def test_accounts_of_thousands_are_forgotten_but_not_what_is_open() -> None:
    ledger = Ledger(Terms(circuits=10))
    assert ledger.begin(PEOPLE[0], 0.0) == 0
    for number in range(10_000):
        who = Fingerprint(number.to_bytes(20))
        assert ledger.begin(who, 0.0) == 0
        ledger.end(who)
    ledger.end(PEOPLE[0])
    assert ledger.open == 0


def test_who_is_served_is_a_matter_of_the_policy_and_the_owner_always_is() -> None:
    alice, bob, carol, eve = PEOPLE
    friends = CircuitPolicy().judge(alice, {alice, bob}.__contains__)
    assert [friends(one) for one in PEOPLE] == [True, True, False, False]
    listed = CircuitPolicy(frozenset({carol})).judge(alice, {alice, bob}.__contains__)
    assert [listed(one) for one in (alice, bob, carol, eve)] == [True, False, True, False]
