"""Fifteen words say what forty digits say, and one that was misheard is noticed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import InvalidFingerprint
from mau.fingerprint import Fingerprint
from mau.words import COUNT, look_like_words

FINGERPRINTS = st.binary(min_size=20, max_size=20).map(Fingerprint)
SEPARATORS = st.sampled_from([" ", "\n", ", ", "-", "  \t", " ... ", "; "])

# Exact words, made of the list and the rules of BIP-39 by the test below that does it by hand.
VECTORS = {
    "00" * 20: "abandon " * 14 + "address",
    "ff" * 20: "zoo " * 14 + "wrist",
}


@pytest.mark.parametrize(("digits", "words"), VECTORS.items())
def test_these_are_the_words(digits: str, words: str) -> None:
    fingerprint = Fingerprint.parse(digits)
    assert " ".join(fingerprint.words) == words
    assert Fingerprint.parse_words(words) == fingerprint


@given(FINGERPRINTS, SEPARATORS)
def test_words_lead_back_to_the_fingerprint(fingerprint: Fingerprint, separator: str) -> None:
    words = fingerprint.words
    assert len(words) == COUNT
    assert Fingerprint.parse_words(separator.join(words)) == fingerprint
    assert Fingerprint.parse_words(separator.join(words).upper()) == fingerprint
    assert Fingerprint.parse_words(separator.join(word[:4] for word in words)) == fingerprint
    assert look_like_words(separator.join(words))


@given(FINGERPRINTS)
def test_the_words_are_those_of_the_standard(fingerprint: Fingerprint) -> None:
    from mnemonic import Mnemonic

    words = Mnemonic("english").wordlist
    checksum = hashlib.sha256(fingerprint.raw).digest()[0] >> 3
    number = int.from_bytes(fingerprint.raw, "big") << 5 | checksum
    by_hand = [words[number >> 11 * place & 2047] for place in reversed(range(COUNT))]
    assert list(fingerprint.words) == by_hand


@given(FINGERPRINTS, FINGERPRINTS)
def test_two_fingerprints_never_share_their_words(one: Fingerprint, other: Fingerprint) -> None:
    assert (one.words == other.words) == (one == other)


@given(FINGERPRINTS, st.integers(0, COUNT - 1), st.integers(0, 2047))
def test_another_word_never_gives_the_same_fingerprint(
    fingerprint: Fingerprint, at: int, number: int
) -> None:
    from mnemonic import Mnemonic

    words = list(fingerprint.words)
    before, words[at] = words[at], Mnemonic("english").wordlist[number]
    try:
        heard = Fingerprint.parse_words(" ".join(words))
    except InvalidFingerprint:
        return
    assert (heard == fingerprint) == (words[at] == before)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "15 words, not 0"),
        ("abandon " * 14, "15 words, not 14"),
        ("abandon " * 16, "15 words, not 16"),
        ("abandon " * 14 + "abandonment", "word 15"),
        ("abandon " * 14 + "xyzzy", "word 15 .* 'xyzzy'"),
        ("aban " * 14 + "aba", "word 15"),
        ("abandon " * 15, "one of the words is wrong"),
        ("address " + "abandon " * 14, "one of the words is wrong"),
    ],
)
def test_what_is_wrong_with_words_is_said(text: str, reason: str) -> None:
    with pytest.raises(InvalidFingerprint, match=reason):
        Fingerprint.parse_words(text)


@given(st.text(max_size=200))
def test_any_text_is_a_fingerprint_or_one_error(text: str) -> None:
    try:
        Fingerprint.parse_words(text)
    except InvalidFingerprint:
        return
    assert look_like_words(text)


def test_a_path_is_no_words() -> None:
    assert not look_like_words("/".join(["home"] * COUNT))
    assert not look_like_words(" ".join(["1st"] * COUNT))


def test_the_list_is_read_only_when_words_are_asked_for() -> None:
    code = (
        "import sys; from mau.fingerprint import Fingerprint; Fingerprint(bytes(20)).hex; print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=True
    )
    assert not {"mnemonic", "mau.words"} & set(done.stdout.split())
