"""Whatever reaches the terminal steers nothing and shows what it is."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.fingerprint import Fingerprint
from mau_cli import output
from mau_cli.output import clean, clean_lines, width

UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@given(ANY_TEXT)
def test_a_cleaned_field_holds_no_character_that_cannot_be_seen(text: str) -> None:
    cleaned = clean(text)
    assert not {unicodedata.category(one) for one in cleaned} & UNSEEN
    cleaned.encode()  # no lone surrogate either
    assert clean(cleaned) == cleaned


@given(ANY_TEXT)
def test_cleaned_lines_hold_nothing_but_line_feeds_and_joiners_beyond_ascii(text: str) -> None:
    cleaned = clean_lines(text)
    for index, character in enumerate(cleaned):
        if unicodedata.category(character) in UNSEEN - {"Cs"}:
            assert character in "\n\u200c\u200d"
            if character != "\n":
                assert cleaned[index - 1] > "\x7f"
                assert cleaned[index + 1] > "\x7f"
    cleaned.encode()
    assert clean_lines(cleaned) == cleaned


def test_every_invisible_character_of_unicode_is_escaped() -> None:
    seen = [
        f"{point:04x}"
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) in UNSEEN and clean(chr(point)) == chr(point)
    ]
    assert seen == []


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_letters_digits_and_signs_of_every_script_stay(text: str) -> None:
    invisible_letters = set("\u115f\u1160\u3164\uffa0")
    assert clean(text) == text or invisible_letters & set(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb", "a\\u202eb"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
        ("two\nlines\r", "two\\nlines\\r"),
    ],
)
def test_what_steers_a_terminal_is_shown_as_what_it_is(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_emoji_that_are_joined_stay_whole_in_a_text_but_not_in_a_field() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert clean_lines(f"we: {family}") == f"we: {family}"
    assert "\u200d" not in clean(family)
    assert clean_lines("a\u200db\u200d") == "a\\u200db\\u200d"


def test_a_tab_becomes_spaces_and_a_carriage_return_cannot_overwrite_a_line() -> None:
    assert clean_lines("a\tb\r\nc\rd") == "a   b\nc\\rd"


def test_words_go_to_stderr_and_data_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("word\x1b")
    output.data("datum\x07")
    captured = capsys.readouterr()
    assert captured.err == "word\\x1b\n"
    assert captured.out == "datum\\x07\n"


def test_json_keeps_every_character_and_writes_only_ascii_that_can_be_seen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    value = {"text": "\x1b\x7f\x9b\u202e\udc80 ü", "who": [1, None, True]}
    output.emit_json(value)
    out = capsys.readouterr().out
    assert json.loads(out) == value
    assert all(" " <= one <= "~" or one == "\n" for one in out)


def test_json_knows_fingerprints_and_sets_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit_json({"fingerprint": Fingerprint(bytes(20)), "groups": {"b", "a"}})
    assert json.loads(capsys.readouterr().out) == {"fingerprint": "00" * 20, "groups": ["a", "b"]}
    with pytest.raises(TypeError, match="bytes has no form in JSON"):
        output.emit_json({"secret": b"x"})


def test_a_table_lines_up_by_columns_of_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.table([["日本", "x"], ["abcd", "y"], ["e\u0301", "z\x1b", 3]], header=["name", "what"])
    captured = capsys.readouterr()
    assert captured.out.splitlines() == ["日本  x", "abcd  y", "e\u0301     z\\x1b  3"]
    assert captured.err.splitlines() == ["name  what"]


def test_an_empty_table_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    output.table([], header=["name"])
    assert capsys.readouterr() == ("", "")


@given(st.text(st.characters(max_codepoint=0x7E, min_codepoint=0x20)))
def test_ascii_takes_one_column_each(text: str) -> None:
    assert width(text) == len(text)
