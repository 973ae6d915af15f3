"""Which of several languages somebody reads (spec/content.md CT40-CT46)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.languages import chosen, is_language, lookup, of_locale, texts_of, texts_of_map


def value(text: object, language: object) -> dict[str, object]:
    return {"@value": text, "@language": language}


THREE = [value("Hallo", "de"), value("Olá", "pt-BR"), value("Hello", "en")]


@pytest.mark.parametrize(
    ("held", "wanted", "default", "text", "language"),
    [
        ("x", [], "", "x", ""),
        ("x", ["de"], "en", "x", "en"),
        (["a", "b"], ["de"], "", "a\nb", ""),
        (THREE, ["en"], "", "Hello", "en"),
        (THREE, ["EN-gb", "de"], "", "Hello", "en"),
        (THREE, ["pt"], "", "Olá", "pt-BR"),
        (THREE, ["pt-PT"], "", "Olá", "pt-BR"),
        (THREE, ["fr", "de-AT-1996"], "", "Hallo", "de"),
        (THREE, ["fr"], "", "Hallo", "de"),
        (THREE, [], "", "Hallo", "de"),
        (["Ciao", *THREE], ["fr"], "", "Ciao", ""),
        (["Ciao", *THREE], ["it", "de"], "it", "Ciao", "it"),
        (["Ciao", *THREE], ["de"], "it", "Hallo", "de"),
        ([value("a", "en"), value("b", "EN")], ["en"], "", "a\nb", "en"),
        (value("x", "not a language"), ["de"], "", "x", ""),
        (value("x", None), ["de"], "", "x", ""),
        (value(7, "de"), ["de"], "", "", ""),
        ({"@value": ["x"]}, [], "", "", ""),
        (7, [], "", "", ""),
        ([None, 7, {}, []], [], "", "", ""),
    ],
)
def test_what_is_read(held: Any, wanted: list[str], default: str, text: str, language: str) -> None:
    assert chosen(texts_of(held), wanted, default) == (text, language)


def test_lookup_makes_a_range_shorter_until_it_fits() -> None:
    offered = ["zh", "zh-Hant", "zh-Hant-TW", "en"]
    assert lookup(["zh-Hant-CN-x-private1"], offered) == "zh-Hant"
    assert lookup(["zh-Hans"], offered) == "zh"
    assert lookup(["fr", "en-US"], offered) == "en"
    assert lookup(["fr"], offered) is None
    assert lookup(["zh-x"], ["zh-TW"]) == "zh-TW"


def test_a_map_of_languages() -> None:
    assert texts_of_map({"de": "a", "@none": "b", "en": ["c", 7, "d"], "fr": {}}) == [
        ("a", "de"),
        ("b", ""),
        ("c", "en"),
        ("d", "en"),
    ]
    assert texts_of_map(["x"]) == []


@pytest.mark.parametrize(
    ("environ", "languages"),
    [
        ({"LANG": "de_AT.UTF-8"}, ("de-AT",)),
        ({"LANG": "de_AT.UTF-8", "LC_MESSAGES": "pt_BR"}, ("pt-BR",)),
        ({"LANG": "de_AT", "LC_MESSAGES": "pt_BR", "LC_ALL": "en_GB@x"}, ("en-GB",)),
        ({"LANG": "de_AT", "LC_ALL": ""}, ("de-AT",)),
        ({"LANG": "de_AT.UTF-8", "LANGUAGE": "gsw:de:en"}, ("gsw", "de", "en", "de-AT")),
        ({"LANG": "C.UTF-8", "LANGUAGE": "de"}, ()),
        ({"LC_ALL": "POSIX", "LANG": "de"}, ()),
        ({"LANG": "../../etc"}, ()),
        ({}, ()),
    ],
)
def test_languages_of_a_locale(environ: dict[str, str], languages: tuple[str, ...]) -> None:
    assert of_locale(environ) == languages
    assert all(map(is_language, languages))


tags = st.sampled_from(
    ["de", "de-AT", "DE-at-1996", "en", "en-GB", "pt-BR", "zh-Hant-TW", "zh", "x-de", "sl-x-a"]
)


@given(st.lists(tags), st.lists(tags, min_size=1))
def test_lookup_finds_what_is_offered_or_nothing(wanted: list[str], offered: list[str]) -> None:
    found = lookup(wanted, offered)
    assert found is None or found in offered
    if found is None:
        assert not {one.partition("-")[0].lower() for one in wanted} & {one.lower() for one in offered}
    if wanted and wanted[0] in offered:
        assert found is not None
        assert found.lower() == wanted[0].lower()
