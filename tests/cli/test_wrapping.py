"""Lines for a terminal: never wider than it, and nothing lost (spec/content.md CT80, CT81)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau_cli.output import width
from mau_cli.wrapping import Style, calmed, cut_lines, plain, wrapped, wrapped_text

PIECES = st.sampled_from(
    ["word", " ", "  ", "漢字", "、", "é", "e\u0301", "👩\u200d🌾", "\n", "\t", "-", "x" * 30, "𠀀"]
)
TEXTS = st.lists(PIECES | st.text(st.characters(), max_size=3)).map("".join)


def bare(text: str) -> str:
    return "".join(text.split())


@given(TEXTS, st.integers(10, 60))
def test_no_line_is_wider_and_no_character_is_lost(text: str, columns: int) -> None:
    lines = wrapped_text(text, columns)
    assert all(width(line) <= columns for line in lines)
    assert bare("".join(lines)) == bare(calmed(text))


@given(TEXTS, st.integers(10, 60))
def test_code_is_cut_and_keeps_its_spaces(text: str, columns: int) -> None:
    lines = list(cut_lines(text, columns, Style.DIM))
    assert all(width(plain(line)) <= columns for line in lines)
    assert "".join(part for line in lines for part, _ in line) == calmed(text).replace("\n", "")


@pytest.mark.parametrize(
    ("text", "columns", "lines"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("  one two three", 10, ["  one two", "  three"]),
        ("a\n\nb", 10, ["a", "", "b"]),
        ("漢字漢字漢字", 8, ["漢字漢字", "漢字"]),
        ("漢字漢字、漢", 8, ["漢字漢", "字、漢"]),
        ("see 漢字 now", 8, ["see 漢字", "now"]),
        ("👩\u200d🌾👩\u200d🌾👩\u200d🌾", 10, ["👩\u200d🌾👩\u200d🌾", "👩\u200d🌾"]),
        ("x" * 12, 10, ["x" * 10, "xx"]),
        ("ab " + "x" * 12, 10, ["ab", "x" * 10, "xx"]),
        ("\x1b[2J\u202e", 20, ["\\x1b[2J\\u202e"]),
        ("", 10, [""]),
    ],
)
def test_where_lines_break(text: str, columns: int, lines: list[str]) -> None:
    assert wrapped_text(text, columns) == lines


def test_styles_go_with_their_words() -> None:
    spans = [("one ", Style.PLAIN), ("two three", Style.BOLD), ("!", Style.PLAIN)]
    assert wrapped(spans, 9, "- ") == [
        [("- one ", Style.PLAIN), ("two", Style.BOLD)],
        [("  ", Style.PLAIN), ("three", Style.BOLD), ("!", Style.PLAIN)],
    ]


def test_marks_do_not_pile_up() -> None:
    pile = calmed("Z" + "\u0301\u0316" * 500 + "x")
    assert pile.startswith("Z")
    assert sum(unicodedata.category(one) == "Mn" for one in pile) == 6
    assert calmed("Việt की") == "Việt की"


def test_long_texts_are_wrapped_in_proportion() -> None:
    for piece in ("x", "漢", "a ", "\u0301", "\n", "  "):
        assert wrapped_text(piece * 50_000, 80)
