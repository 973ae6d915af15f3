"""A fingerprint in fifteen words, to read out and compare (spec/keyring.md K9). Nothing about them is secret.

The words are those of BIP-39 for twenty bytes: 160 bits and a checksum of five, eleven bits a word, from its
English list of 2048 words that are told apart by their first four letters.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from mau.errors import InvalidFingerprint

if TYPE_CHECKING:
    from mnemonic import Mnemonic

COUNT: Final = 15
_BYTES: Final = 20
_ENOUGH: Final = 4
"""Letters that tell every word from all others."""
_BETWEEN: Final = re.compile(r"[\s,;.-]+")


def to_words(raw: bytes) -> tuple[str, ...]:
    """Fifteen lower-case English words for twenty bytes."""
    if len(raw) != _BYTES:
        raise InvalidFingerprint(f"words are made of {_BYTES} bytes, not {len(raw)}")
    return tuple(_book().to_mnemonic(raw).split(" "))


def from_words(text: str) -> bytes:
    """The twenty bytes of fifteen words; InvalidFingerprint says which word cannot be right.

    Case does not matter; blanks, commas, points and hyphens separate; four letters of a word will do.
    """
    said = _split(text)
    if len(said) != COUNT:
        raise InvalidFingerprint(f"a fingerprint has {COUNT} words, not {len(said)}")
    by_start = _starts()
    whole = []
    for number, word in enumerate(said, start=1):
        found = by_start.get(word[:_ENOUGH])
        if found is None or not found.startswith(word):
            raise InvalidFingerprint(
                f"word {number} of {COUNT} is none that a fingerprint can have: {word!r:.40}"
            )
        whole.append(found)
    try:
        return bytes(_book().to_entropy(whole))
    except ValueError:
        raise InvalidFingerprint("one of the words is wrong, or they stand in another order") from None


def look_like_words(text: str) -> bool:
    """Whether a text can only be meant as the words of a fingerprint: fifteen, and nothing else."""
    words = _split(text)
    return len(words) == COUNT and all(word.isalpha() for word in words)


def _split(text: str) -> list[str]:
    return [word.casefold() for word in _BETWEEN.split(text) if word]


@cache
def _book() -> Mnemonic:
    from mnemonic import Mnemonic

    return Mnemonic("english")


@cache
def _starts() -> dict[str, str]:
    return {word[:_ENOUGH]: word for word in _book().wordlist}
