"""What a circuit relay does for one caller, and the account that is kept of it (spec/circuit.md). Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mau.fingerprint import Fingerprint

DAY: Final = 86_400.0
"""Seconds after which bytes count no more."""
MESSAGE_COST: Final = 32
"""Bytes that a message counts besides its own, so that empty ones are no way around the account."""
_MOST_ACCOUNTS: Final = 4096


@dataclass(frozen=True, slots=True)
class Terms:
    """Limits of one relay."""

    bytes: int = 1 << 30
    """Of one caller in a day, both directions together; 0 is no limit."""
    minutes: int = 60
    """Of one circuit, who needs longer calls again; 0 is no limit."""
    at_once: int = 8
    """Circuits of one caller."""
    circuits: int = 64
    """Of all callers."""
    registered: int = 256
    """Peers who wait to be called."""


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """For whom a relay passes connections on: its friends, or with ``members`` these and nobody else."""

    members: frozenset[Fingerprint] | None = None
    terms: Terms = field(default_factory=Terms)

    def judge(
        self, owner: Fingerprint, is_friend: Callable[[Fingerprint], bool]
    ) -> Callable[[Fingerprint], bool]:
        """Who may register and call; the owner may in any case."""
        members = self.members
        return is_friend if members is None else (members | {owner}).__contains__


@dataclass(slots=True)
class _Account:
    began: float
    spent: int = 0
    open: int = 0


class Ledger:
    """What callers have open and what they spent. Times are seconds of a clock that only goes on."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.open = 0
        self._accounts: OrderedDict[Fingerprint, _Account] = OrderedDict()

    def begin(self, caller: Fingerprint, now: float) -> float:
        """Count one more circuit of ``caller`` and return 0; or count nothing, and return seconds to wait."""
        account = self._account(caller, now)
        terms = self.terms
        if terms.bytes and account.spent >= terms.bytes:
            return max(account.began + DAY - now, 1.0)
        if account.open >= terms.at_once or self.open >= terms.circuits:
            return 60.0
        account.open += 1
        self.open += 1
        return 0.0

    def spend(self, caller: Fingerprint, count: int, now: float) -> bool:
        """Note a message of ``count`` bytes that is to be passed on; False when there are too many."""
        account = self._account(caller, now)
        account.spent += count + MESSAGE_COST
        return not self.terms.bytes or account.spent <= self.terms.bytes

    def end(self, caller: Fingerprint) -> None:
        """One circuit is over."""
        self._accounts[caller].open -= 1
        self.open -= 1

    def _account(self, caller: Fingerprint, now: float) -> _Account:
        account = self._accounts.get(caller)
        if account is None:
            account = self._accounts[caller] = _Account(now)
        elif now - account.began >= DAY:
            account.began, account.spent = now, 0
        self._accounts.move_to_end(caller)
        while len(self._accounts) > _MOST_ACCOUNTS:
            idle = next((one for one, found in self._accounts.items() if not found.open), None)
            if idle is None:
                break
            del self._accounts[idle]
        return account
