"""Local names: what they may be, and what is made of what others call themselves (spec/keyring.md K4)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import UsageError
from mau.keyring.names import (
    MAX_LENGTH,
    check_local_name,
    check_stated_name,
    looks_like_fingerprint,
    name_key,
    suggest,
)


@pytest.mark.parametrize("name", ["Bob", "Bob B.", "ada", "Μαρία", "李小龍", "deadbee", "O'Neil", "x" * 64])
def test_good_names_stay_as_they_are(name: str) -> None:
    assert check_local_name(name) == name


def test_names_are_held_in_nfc() -> None:
    assert check_local_name("Jose\u0301") == "José"


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " Bob",
        "Bob ",
        "x" * 65,
        "me",
        "ME",
        "ｍｅ",  # full-width
        "@family",
        "＠family",
        "bob@work",
        "bob＠work",
        "bob﹫work",
        "bob@example.org",
        "-rf",
        "a/b",
        "Bob\n",
        "Bob\x1b[31m",
        "Bob\u202egpj",
        "B\u200bob",
        "B\u00adob",
        "Bob\u00a0B",
        "\u3164",
        "Bob\ufe0f",
        "Bob\ud800",
        "deadbeef",
        "DEADBEEF",
        "0xdeadbeef",
        "dead beef",
        "de:ad:be:ef",
        "ｄｅａｄｂｅｅｆ",
        "0123456789abcdef0123456789abcdef01234567",
    ],
)
def test_names_that_deceive_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_local_name(name)


@pytest.mark.parametrize("name", ["bob@work", "bob@example.org"])
def test_names_from_before_are_read(name: str) -> None:
    assert check_stated_name(name) == name


@pytest.mark.parametrize("name", ["@family", "", "me", "a/b", "Bob\n", "deadbeef"])
def test_nothing_else_is_read_that_may_not_be_given(name: str) -> None:
    with pytest.raises(UsageError):
        check_stated_name(name)


@given(st.text(max_size=80))
def test_a_name_that_may_be_is_stable_and_no_fingerprint(text: str) -> None:
    try:
        name = check_local_name(text)
    except UsageError:
        return
    assert check_local_name(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert 0 < len(name) <= MAX_LENGTH
    assert not looks_like_fingerprint(name)
    assert check_stated_name(name) == name


@given(st.text(max_size=200), st.text(max_size=60), st.lists(st.text(max_size=10), max_size=5))
def test_a_suggestion_may_be_a_name_and_is_free(user_name: str, email: str, others: list[str]) -> None:
    taken = {name_key(other) for other in others}
    suggestion = suggest(user_name, email, taken)
    if suggestion:
        assert check_local_name(suggestion) == suggestion
        assert name_key(suggestion) not in taken


@pytest.mark.parametrize(
    ("user_name", "email", "expected"),
    [
        ("Alice Example", "alice@example.org", "Alice Example"),
        ("Alice (work) <spam>", "", "Alice"),
        ("", "alice@example.org", "alice"),
        ("me", "alice@example.org", "alice"),
        ("  Alice \x1b[31m Red ", "", "Alice [31m Red"),
        ("@everybody", "", "everybody"),
        ("deadbeef", "", ""),
        ("", "", ""),
    ],
)
def test_suggestions(user_name: str, email: str, expected: str) -> None:
    assert suggest(user_name, email) == expected


def test_a_taken_suggestion_gets_a_number() -> None:
    assert suggest("Alice", "", {"alice"}) == "Alice 2"
    assert suggest("Alice", "", {"alice", "alice 2"}) == "Alice 3"
    assert suggest("x" * 64, "", {"x" * 64}) == "x" * 62 + " 2"


def test_names_of_the_same_form_clash() -> None:
    assert name_key("STRASSE") == name_key("straße")
    assert name_key("Ａlice") == name_key("ALICE")
    assert name_key("Jose\u0301") == name_key("josé")
