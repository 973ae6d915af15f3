"""Markdown on a terminal: readable, nothing hidden, nothing that steers it (spec/content.md CT82, CT83)."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau_cli.markdown import MAX_MARKDOWN, markdown_lines
from mau_cli.output import width
from mau_cli.wrapping import Style, plain

PARTS = st.sampled_from(
    [
        *(
            "# ",
            "*",
            "**",
            "_",
            "`",
            "```\n",
            "~~",
            "- ",
            "1. ",
            "> ",
            "[",
            "](",
            ")",
            "![",
            "<",
            ">",
            "\n",
            "\n\n",
        ),
        *(
            "|",
            "a|b\n-|-\n",
            "\\",
            "&#x1b;",
            "&#x202e;",
            "\x1b[2J",
            "\u202e",
            "---\n",
            "    ",
            "word",
            "漢字",
            "<b>",
        ),
        *("https://e.example", "javascript:x", "[a]: x", "\ud800"),
    ]
)
TEXTS = st.lists(PARTS, max_size=40).map("".join)


def lines(text: str, columns: int = 60, *, styled: bool = False) -> list[str]:
    return [plain(line) for line in markdown_lines(text, columns, styled=styled)]


@pytest.mark.parametrize(
    ("text", "styled", "unstyled"),
    [
        ("# Title\ntext", ["Title", "", "text"], ["# Title", "", "text"]),
        ("**a *b* c** ~~d~~ `e`", ["a b c d e"], ["**a *b* c** ~~d~~ `e`"]),
        ("one\ntwo", ["one", "two"], ["one", "two"]),
        ("- a\n- b\n  - c\n- d", ["• a", "• b", "  ◦ c", "• d"], ["- a", "- b", "  - c", "- d"]),
        ("7. a\n8. b", ["7. a", "8. b"], ["7. a", "8. b"]),
        ("- a\n\n- b", ["• a", "", "• b"], ["- a", "", "- b"]),
        ("-\n- b", ["•", "• b"], ["-", "- b"]),
        ("> a\n>\n> b\n\nc", ["│ a", "│", "│ b", "", "c"], ["> a", ">", "> b", "", "c"]),
        ("```\nx  y\n\n  z\n```", ["    x  y", "", "      z"], ["    x  y", "", "      z"]),
        ("a|b\n-|-\n1|漢字", ["a | b", "1 | 漢字"], ["a | b", "1 | 漢字"]),
        ("[a](https://e.example)", ["a <https://e.example>"], ["a <https://e.example>"]),
        ("<https://e.example>", ["https://e.example"], ["https://e.example"]),
        ("[https://a.example](https://b.example)", *[["https://a.example <https://b.example>"]] * 2),
        ("![cat](https://e.example/c.png)", *[["[picture: cat] <https://e.example/c.png>"]] * 2),
        ("<script>alert(1)</script>", *[["<script>alert(1)</script>"]] * 2),
        ("[x](javascript:alert)", *[["[x](javascript:alert)"]] * 2),
        ("a &#8238; &lt;b&gt;", *[["a \\u202e <b>"]] * 2),
        ("x [1]\n\n[1]: https://e.example\n[b]: c 'd'", *[["x 1 <https://e.example>", "", "[B]: c d"]] * 2),
        ("", [], []),
    ],
)
def test_how_it_looks(text: str, styled: list[str], unstyled: list[str]) -> None:
    assert lines(text, styled=True) == styled
    assert lines(text) == unstyled


def test_styles() -> None:
    (line,) = markdown_lines("**b** *i* `c` ~~s~~ [l](https://e.example)", 80, styled=True)
    styles = {text.strip(): style for text, style in line if text.strip()}
    assert styles == {
        "b": Style.BOLD,
        "i": Style.ITALIC,
        "c": Style.DIM,
        "s": Style.STRUCK,
        "l": Style.UNDERLINE,
        "<https://e.example>": Style.DIM,
    }
    assert markdown_lines("# x", 80, styled=True) == [[("x", Style.BOLD)]]


@given(TEXTS, st.integers(20, 80), st.booleans())
def test_whatever_is_written_stays_within_the_lines_and_steers_nothing(
    text: str, columns: int, styled: bool
) -> None:
    for line in lines(text, columns, styled=styled):
        assert width(line) <= columns
        assert not {unicodedata.category(one) for one in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(
    st.lists(
        st.sampled_from(["alpha", "beta1", "# ", "- ", "> ", "*", "**", "`", "\n", " ", "1. ", "[", "]"])
    )
)
def test_no_word_is_hidden(parts: list[str]) -> None:
    text = "".join(parts)
    shown = "".join(lines(text, 200))
    assert len(re.findall("alpha|beta", shown.lower())) >= len(re.findall("alpha|beta", text))


def test_what_nests_too_deep_or_is_too_long_is_shown_as_it_was_written() -> None:
    deep = "> " * 200 + "bottom"
    assert "bottom" in " ".join(lines(deep))
    assert "bottom" in " ".join(lines("- " * 200 + "bottom"))
    long = "*x* " * (MAX_MARKDOWN // 4 + 1)
    assert "".join(lines(long)).count("*x*") == MAX_MARKDOWN // 4 + 1


@pytest.mark.parametrize("part", ["[", "![", "*a ", "> ", "a|b\n-|-\n", "`"])
def test_hostile_texts_end(part: str) -> None:
    assert lines(part * (MAX_MARKDOWN // 4 // len(part)))
