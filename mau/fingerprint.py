"""The fingerprint: who somebody is, everywhere in Mau (RFC 4880 section 12.2, version 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mau.errors import InvalidFingerprint

_HEX = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, order=True)
class Fingerprint:
    """Twenty bytes that name a person; written as 40 lower-case hex digits."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != 20:
            raise InvalidFingerprint(f"a fingerprint has 20 bytes, not {len(self.raw)}")

    @classmethod
    def parse(cls, text: str) -> Fingerprint:
        """Read the canonical form only: 40 lower-case hex digits (the form of paths, spec/tree.md)."""
        if not _HEX.fullmatch(text):
            raise InvalidFingerprint(f"not a fingerprint (40 lower-case hex digits): {text!r:.60}")
        return cls(bytes.fromhex(text))

    @classmethod
    def parse_loose(cls, text: str) -> Fingerprint:
        """Read what a person may paste: any case, spaces, colons, a leading ``0x``."""
        return cls.parse(text.strip().lower().removeprefix("0x").replace(" ", "").replace(":", ""))

    @classmethod
    def parse_words(cls, text: str) -> Fingerprint:
        """Read the fifteen words of a fingerprint (spec/keyring.md K9); else InvalidFingerprint."""
        from mau.words import from_words

        return cls(from_words(text))

    @property
    def words(self) -> tuple[str, ...]:
        """Fifteen English words, to read out and compare (spec/keyring.md K9)."""
        from mau.words import to_words

        return to_words(self.raw)

    @property
    def hex(self) -> str:
        """40 lower-case hex digits."""
        return self.raw.hex()

    def __str__(self) -> str:
        return self.raw.hex()

    def __repr__(self) -> str:
        return f"Fingerprint({self.raw.hex()})"

    def distance(self, other: Fingerprint) -> int:
        """XOR distance of Kademlia, as an integer of at most 160 bits."""
        return int.from_bytes(self.raw, "big") ^ int.from_bytes(other.raw, "big")
