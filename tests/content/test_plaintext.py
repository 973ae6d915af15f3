"""HTML as plain text (spec/content.md CT55-CT57)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.plaintext import text_of_html

PARTS = [
    "<a",
    "<p",
    "<li>",
    "</",
    ">",
    "'",
    '"',
    "<!--",
    "-->",
    "x",
    "href=",
    "&",
    "<ul>",
    "</ul>",
    "<pre>",
    "<script",
]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain\n text", "plain\n text"),
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("<p>a\n  b</p>", "a b"),
        ("a &amp; b &lt;c&gt; &#x1f600;", "a & b <c> 😀"),
        ("<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul>e", "- a\n- b\n  1. c\n  2. d\n\ne"),
        ("<blockquote><p>q</p></blockquote>r", "> q\n\nr"),
        ("<pre>  x\n    y</pre>z", "  x\n    y\n\nz"),
        ("x<hr>y", "x\n---\ny"),
        ('<a href="https://e.org/x">there</a>', "there (https://e.org/x)"),
        ("<a href='https://e.org/'>https://e.org</a>", "https://e.org"),
        ("<a href=https://evil.org>https://good.org</a>", "https://good.org (https://evil.org)"),
        ('<a href="javascript:alert(1)">x</a>', "x"),
        ('<a href="https://m.s/@al" class="u-url mention">@<span>al</span></a>', "@al"),
        ('<img alt="a  cat" src="https://e.org/track.gif"> <img src=x>', "[a cat]"),
        ("a<script>if (1<2) alert('</p>')</script >b<style>p{}</style>c", "abc"),
        ("a<svg><text>no</text></svg>b<iframe src=x>no</iframe>c", "abc"),
        ("a<!-- <b>no</b> -->b<!DOCTYPE x>c<?php no ?>d", "abcd"),
        ("1 < 2 and 3 <4 and <5", "1 < 2 and 3 <4 and <5"),
        ('<p title="a>b">x</p>', "x"),
        ("<p", "<p"),
        ("<script>never ends", ""),
        ("<!-- never ends", ""),
        ("&#x1b;[31m&#8238;", "[31m\u202e"),
        ("", ""),
    ],
)
def test_what_a_person_would_read(html: str, text: str) -> None:
    assert text_of_html(html) == text


@given(st.lists(st.sampled_from(PARTS)))
def test_nothing_is_an_error(parts: list[str]) -> None:
    assert isinstance(text_of_html("".join(parts)), str)


@pytest.mark.parametrize(
    "part",
    [
        "<",
        "<a ",
        "<a/",
        "<a x='",
        '<a b="',
        "<!--",
        "</",
        "<a b='c'd",
        "<ol><li>x",
        "<blockquote>x",
        "<a href=x>y",
    ],
)
def test_it_takes_time_and_memory_in_proportion(part: str) -> None:
    # The standard library's parser takes four hours for some of these.
    html = part * ((1 << 20) // len(part))
    assert len(text_of_html(html)) < 4 * len(html)


def test_links_within_links_do_not_multiply() -> None:
    many = 50_000
    assert text_of_html("<a href='https://e.org'>" * many + "x" + "</a>" * many).endswith("x (https://e.org)")
