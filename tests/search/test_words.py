"""Words, questions and the index: whatever is written, what is asked for is found and nothing breaks."""

from __future__ import annotations

import unicodedata
from contextlib import closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import UsageError
from mau.fingerprint import Fingerprint
from mau.search.folding import MAX_TOKEN, fold, tokens
from mau.search.query import Query, Term, expression, names_meant, parse_query
from mau.search.snippet import AROUND, snippet_of
from mau.search.texts import Texts
from mau.search.words import WordIndex, Words

ANN = Fingerprint(b"\x01" * 20)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def entry(name: str, body: str, time: int = 1000, who: str = "") -> Words:
    return Words(ANN.hex, name, "ab" * 32, time, body, "", who, "Article")


def found(index: WordIndex, words: str) -> list[str]:
    return [known.name for known in index.find(expression(parse_query(words)), None, None)]


@given(TEXT)
def test_folding_knows_neither_case_nor_normal_form(text: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert fold(unicodedata.normalize(form, text)) == fold(text)
    assert fold(text.casefold()) == fold(text)


@given(TEXT)
def test_tokens_are_letters_between_spaces(text: str) -> None:
    for token in tokens(text):
        assert 0 < len(token) <= MAX_TOKEN
        assert all(unicodedata.category(one)[0] in "LNMSC" for one in token) and '"' not in token


def test_what_is_a_letter_to_those_who_write_it_stays() -> None:
    assert tokens("Ærø Łódź ΆΣΟΣ ёлка İstanbul ﬁne") == ["aero", "lodz", "ασοσ", "елка", "istanbul", "fine"]
    assert tokens("が か") == ["が", "か"]
    assert fold("שָׁלוֹם") == fold("שלום") and fold("مَرحَبا") == fold("مرحبا")
    assert tokens("ไม้เอก")[0] == "ไ" and tokens("한국어") == ["한", "국", "어"]
    assert tokens("a\u00adb\u200bc snake_case don't 🎉x") == ["abc", "snake", "case", "don", "t", "🎉", "x"]


@given(TEXT, TEXT)
def test_any_text_is_found_by_each_of_its_words_and_never_breaks_the_question(text: str, other: str) -> None:
    with closing(WordIndex()) as index:
        index.add([entry("one", text), entry("two", other)])
        for word in text.split():
            with suppress(UsageError):
                query = parse_query([word.replace('"', " ").lstrip("-").rstrip("*")])
                names = [one.name for one in index.find(expression(query), None, None)]
                assert "one" in names or not query
        with suppress(UsageError):
            query = parse_query(other)
            list(index.find(expression(query, [frozenset({ANN.hex})] * len(query.wanted)), None, None))


def test_questions_as_people_write_them() -> None:
    assert parse_query('blue "big Bicycle" -rust -"old car" trav*') == Query(
        (Term(("blue",)), Term(("big", "bicycle")), Term(("trav",), prefix=True)),
        (Term(("rust",), without=True), Term(("old", "car"), without=True)),
    )
    assert parse_query(["big bicycle", "-old car", 'a "b c"']) == Query(
        (Term(("big", "bicycle")), Term(("a",)), Term(("b", "c"))), (Term(("old", "car"), without=True),)
    )
    assert not parse_query('"" - * "')
    for wrong in ("-rust", "ab*", " ".join(f"w{number}" for number in range(40))):
        with pytest.raises(UsageError):
            parse_query(wrong)


def test_newest_first_whatever_the_order_of_coming_and_what_is_replaced_goes() -> None:
    with closing(WordIndex()) as index:
        index.add([entry("b", "tea", 200), entry("a", "tea", 100), entry("c", "tea", 300)])
        index.add([entry("d", "tea", 250), entry("e", "tea", 250), entry("a", "coffee", 50)])
        assert found(index, "tea") == ["c", "e", "d", "b"]
        assert found(index, "coffee") == ["a"]
        assert [known.name for known in index.find("", 200, 300)] == ["e", "d", "b"]
        assert (len(index), index.gone) == (5, 1)
        index.add([entry("b", "milk", 200), entry("b", "tea", 150)])
        assert found(index, "milk") == [] and found(index, "tea")[-1] == "b", "the last one counts"
        image, held = index.image(), found(index, "tea")
    with closing(WordIndex(image)) as again:
        assert found(again, "tea") == held
        again.remove([number for number, _, name, _ in again.known() if name == "c"])
        assert found(again, "tea") == held[1:]
    for wrong in (b"", b"x" * 5000, image[:4096]):
        with pytest.raises(ValueError, match="image"):
            WordIndex(wrong)


def test_people_are_meant_by_a_part_of_their_name() -> None:
    called = [("11", "Ann Marie"), ("22", "anna"), ("33", "Bob")]
    assert names_meant(Term(("ann",)), called) == {"11"}
    assert names_meant(Term(("ann",), prefix=True), called) == {"11", "22"}
    assert names_meant(Term(("ann", "marie")), called) == {"11"}


@given(TEXT, st.sampled_from(["tea", '"green tea"', "te*", "京都"]))
def test_the_line_is_one_line_around_it(text: str, words: str) -> None:
    query = parse_query(words.replace("te*", "tea*"))
    line = snippet_of(Texts(f"{text} green tea 東京都 {text}"), query)
    assert len(line) <= 2 * AROUND + 40 and len(line.splitlines()) <= 1
    assert "tea" in line.lower() or "京" in line
