"""Hashtags are found where a person meant one, and nowhere else (spec/tags.md)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.tags import MAX_TAG, MAX_TAGS, fold_tag, tags_of, text_tags, with_keywords


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("#Tea and #cake.", ["Tea", "cake"]),
        ("#tea #TEA #Tea", ["tea"]),
        ("(#tea),#cake;#more!", ["tea", "cake", "more"]),
        ("#snake_case #2026goals #_x", ["snake_case", "2026goals", "_x"]),
        ("#2026 #_ #__ #1_2 is number 3", []),
        ("# heading\n## another #one", ["one"]),
        ("##double a#b a_#c", []),
        ("#one#two", ["one"]),
        ("#don't #tea-time", ["don", "tea"]),
        ("\\#escaped &#65; &#x41;", []),
        ("#Straße #STRASSE", ["Straße"]),
        ("#हिन्दी #ไทยแลนด์ #日本 #العربية", ["हिन्दी", "ไทยแลนด์", "日本", "العربية"]),
        ("#☕ #tea☕️time #👩‍👩‍👧", ["☕", "tea☕️time", "👩‍👩‍👧"]),
        ("＃全角 and ﹟small", ["全角", "small"]),
        ("https://example.org/a#b (https://example.org/#c) www.example.org/#d #e", ["e"]),
        ("mailto:a@b?subject=#x mau:/p2p/#y [words #w](https://example.org/#z)", ["w"]),
        ("[words](/page#z) <a href='#q'>#r</a>", ["r"]),
        ("`#code` and ``#x ` #y`` but #z", ["z"]),
        ("` a lone tick #x", ["x"]),
        ("```\n#code\n```\n#text\n~~~ python\n# comment\n#more\n~~~\n#end", ["text", "end"]),
        ("````\n```\n#code\n````\n#text", ["text"]),
        ("```\n#never closed", []),
        ("#", []),
        ("#" + "x" * MAX_TAG + " #" + "y" * (MAX_TAG + 1), ["x" * MAX_TAG]),
    ],
)
def test_tags_are_found_in_prose(text: str, tags: list[str]) -> None:
    assert text_tags(text) == tags


def test_keywords_are_tags_in_every_shape_in_which_they_are_written() -> None:
    assert tags_of({"keywords": "Green  tea, cake; #More\nlast"}) == ("green tea", "cake", "more", "last")
    assert tags_of({"schema:keywords": ["a", {"@type": "DefinedTerm", "name": "b"}, {"@value": "c"}, 4]}) == (
        *"abc",
    )
    assert tags_of(
        {"type": "Note", "tag": [{"type": "Hashtag", "name": "#Tea"}, {"type": "Mention"}, "x"]}
    ) == ("tea",)
    assert tags_of({"articleBody": "#b", "keywords": ["a", "B"]}) == ("a", "b")
    assert tags_of(None) == ()


def test_more_than_so_many_are_not_read() -> None:
    assert len(tags_of({"keywords": [str(n) + "x" for n in range(1000)]})) == MAX_TAGS


def test_two_spellings_are_one_tag() -> None:
    assert fold_tag("#Café") == fold_tag("cafe\u0301") == fold_tag(" ＃CAFÉ ")
    assert fold_tag("☕️") == fold_tag("☕")
    assert fold_tag("ﬁne") == "fine"


def test_the_tags_of_the_text_go_into_keywords_and_those_that_are_there_stay() -> None:
    document = {
        "@type": "SocialMediaPosting",
        "articleBody": "#Tea and #cake",
        "keywords": ["CAKE", "kettle"],
    }
    assert with_keywords(document)["keywords"] == ["CAKE", "kettle", "Tea"]
    assert with_keywords(with_keywords(document)) == with_keywords(document)
    assert with_keywords({"articleBody": "#tea", "keywords": "a, b"})["keywords"] == ["a", "b", "tea"]
    assert with_keywords({"articleBody": "#a", "keywords": "a, b"})["keywords"] == "a, b"
    assert with_keywords({"articleBody": "none"}) == {"articleBody": "none"}
    assert with_keywords({"keywords": {"name": "x"}, "text": "#x"}) == {
        "keywords": {"name": "x"},
        "text": "#x",
    }


def test_a_tag_that_leaves_the_text_leaves_the_keywords_unless_it_stood_there_by_itself() -> None:
    before = with_keywords({"articleBody": "#tea #cake", "keywords": ["kettle"]})
    after = with_keywords({**before, "articleBody": "#cake"}, before)
    assert after["keywords"] == ["kettle", "cake"]
    gone = with_keywords({"articleBody": "nothing", "keywords": ["tea"]}, {"articleBody": "#tea"})
    assert gone == {"articleBody": "nothing"}


@given(st.text(alphabet="#`~ab1_ \n\\/&<>()[]:.☕\u0301\u200d", max_size=200))
def test_whatever_is_written_is_no_error_and_what_is_found_is_found_again(text: str) -> None:
    for tag in text_tags(text):
        assert 0 < len(fold_tag(tag)) <= MAX_TAG
        assert fold_tag(fold_tag(tag)) == fold_tag(tag)
    document = with_keywords({"articleBody": text})
    assert set(tags_of(document)) == set(tags_of({"articleBody": text}))


@pytest.mark.parametrize(
    "text", ["`" * 400_000, "` `` " * 80_000, "<" * 400_000, "#" * 400_000, "](" * 200_000, "#a" * 200_000]
)
def test_a_hostile_text_takes_no_long_time(text: str) -> None:
    began = time.process_time()
    text_tags(text)
    assert time.process_time() - began < 5
