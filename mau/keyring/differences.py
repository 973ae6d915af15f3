"""Where the key files and the keyring statement disagree (spec/keyring.md K3). Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mau.fingerprint import Fingerprint
from mau.keyring.statement import FRIENDS, KNOWN

if TYPE_CHECKING:
    from mau.openpgp import Certificate

Kind = Literal["unconfirmed", "vanished", "changed", "foreign", "reported"]


def reported_sha256(reported: Certificate) -> str:
    """Which news it is that somebody was shown."""
    return hashlib.sha256(bytes(reported)).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place of one person.

    unconfirmed: a key file that I signed, but that I never said belongs there.
    vanished: it stands in the statement, but the key file is gone; it does not count until it is back.
    changed: I signed the key file, but it holds another copy of the key than was confirmed, which counts on.
    foreign: not a key file of mine; `reason` says why. It counts for nothing and cannot be confirmed.
    reported: his key has news (`reason`) that count once they are confirmed; no place of its own.
    """

    kind: Kind
    fingerprint: Fingerprint
    group: str
    local_name: str = ""
    sha256: str = ""
    """Of the key file (or the reported key) as it was seen, in hex; "" when there is none."""
    reason: str = ""

    @property
    def confirmable(self) -> bool:
        """Whether confirming changes anything."""
        return self.kind != "foreign"

    @property
    def held_only(self) -> bool:
        """A key of somebody new among the known keys, as threads put there: it asks for no word (K10.6)."""
        return self.kind == "unconfirmed" and self.group == KNOWN and not self.local_name

    def __str__(self) -> str:
        who = f"{self.local_name!r} ({self.fingerprint})" if self.local_name else str(self.fingerprint)
        match self.kind:
            case "unconfirmed":
                return f"{who}: a key file {self.where} that was not confirmed"
            case "vanished":
                return f"{who}: the key file {self.where} is gone"
            case "changed":
                return f"{who}: the key file {self.where} holds another copy of the key than was confirmed"
            case "foreign":
                return f"{who}: the key file {self.where} is not mine: {self.reason}"
            case "reported":
                return f"{who}: their key has news: {self.reason}"

    @property
    def where(self) -> str:
        """The place in words."""
        if self.group == FRIENDS:
            return "among the friends"
        return "among the known keys" if self.group == KNOWN else f"in @{self.group}"
