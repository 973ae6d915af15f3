"""Pages: a document is shown, changed and made again, and nothing of it is lost on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mau.content import yamltext
from mau.content.frontmatter import document_of, doubtful_words, hidden_words, page_of, read_page
from mau.content.kinds import KINDS, THING
from mau.content.templates import raw_template, template, without_empty
from mau.errors import PageMalformed

RECIPE = KINDS["Recipe"]
POST = KINDS["SocialMediaPosting"]

letters = st.characters(codec="utf-8") | st.sampled_from("\ud800\udfff\x00\x85\u2028")
texts = st.text(letters, max_size=30) | st.sampled_from(
    [
        "NO",
        "null",
        "1.10",
        "0123",
        "a: b",
        "- x",
        "#tag",
        "x\ny",
        "<!-- lang: de -->",
        "---",
        "\r\n",
        "é",
        " x ",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
tagged = st.builds(
    lambda language, text: {"@language": language, "@value": text}, st.sampled_from(["de", "en"]), texts
)
WORDS = sorted({word.name for kind in KINDS.values() for word in kind.words})
SPECIAL = [
    "name",
    "headline",
    "articleBody",
    "text",
    "description",
    "type",
    "title",
    "tags",
    "for",
    "to",
    "attach",
]
documents = st.builds(
    lambda kind, words: {**kind, **words},
    st.fixed_dictionaries({}, optional={"@type": st.sampled_from([*KINDS, "Poem"]) | values}),
    st.dictionaries(
        st.sampled_from(WORDS + SPECIAL) | texts,
        values | texts | st.lists(texts, max_size=3) | st.lists(tagged, min_size=1, max_size=3) | tagged,
        max_size=8,
    ),
)


def dumped(value: Any) -> str:
    return json.dumps(value)


@given(documents)
def test_a_page_that_is_left_as_it_is_makes_the_same_document(document: dict[str, Any]) -> None:
    text = page_of(document).encode("utf-8", "replace").decode()  # as it stands in a file
    assert dumped(document_of(read_page(text), THING, document)) == dumped(document)


@given(documents, texts)
def test_what_a_page_does_not_show_survives_every_change(document: dict[str, Any], text: str) -> None:
    page = read_page(page_of({"@type": "Article", **document}))
    changed = document_of(
        type(page)({"type": "Article", "title": text}, text, {}), POST, {"@type": "Article", **document}
    )
    for word in hidden_words({"@type": "Article", **document}):
        if word not in {"headline", "articleBody"}:
            assert dumped(changed[word]) == dumped(document[word])


@given(st.dictionaries(texts, values, max_size=5))
def test_what_is_written_is_read_as_the_same(mapping: dict[str, Any]) -> None:
    assume(all(map(yamltext.writable, mapping.values())))
    read = yamltext.resolved(yamltext.read(yamltext.write(mapping))[0])
    assert dumped(read) == dumped(mapping)


@given(st.text(max_size=200) | st.text(alphabet="-#:[]{}&*!|>'\"%@?,\n ab", max_size=200))
def test_any_text_is_a_page_or_a_page_that_is_malformed(text: str) -> None:
    for one in (text, f"---\n{text}\n---\n"):
        try:
            document_of(read_page(one), POST)
        except PageMalformed as error:
            assert str(error)


def made(text: str, kind: str = "SocialMediaPosting", base: dict[str, Any] | None = None) -> dict[str, Any]:
    return document_of(read_page(text), KINDS[kind], base)


def test_a_text_alone_is_a_page() -> None:
    assert made("Hello\n") == {"@type": "SocialMediaPosting", "articleBody": "Hello"}
    assert made("\ufeff---\r\ntitle: A\r\n---\r\n\r\nB\r\nC\r\n") == {
        "@type": "SocialMediaPosting",
        "headline": "A",
        "articleBody": "B\nC",
    }


def test_words_take_texts_as_they_were_typed() -> None:
    page = (
        "---\ntype: Recipe\ntitle: 1.10\nrecipeYield: 04\n"
        "recipeCuisine: NO\nrecipeCategory: 2026-11-21\n---\n"
    )
    assert made(page) == {
        "@type": "Recipe",
        "name": "1.10",
        "recipeYield": "04",
        "recipeCuisine": "NO",
        "recipeCategory": "2026-11-21",
    }


def test_unknown_words_take_what_json_makes_of_them() -> None:
    page = "---\na: 1\nb: '1'\nc: true\nd: yes\ne: [null, 2.5, 0x10]\nf: {g: 2026-11-21}\nh:\n---\n"
    assert made(page) == {
        "@type": "SocialMediaPosting",
        "a": 1,
        "b": "1",
        "c": True,
        "d": "yes",
        "e": [None, 2.5, "0x10"],
        "f": {"g": "2026-11-21"},
    }


def test_values_become_what_schema_org_has_for_them() -> None:
    page = (
        "---\ntype: Review\nitemReviewed: The Third Man\nreviewRating: 4/5\n"
        "tags: tea, garden\nlanguage: en\n---\nGood"
    )
    assert made(page) == {
        "@type": "Review",
        "itemReviewed": {"@type": "Thing", "name": "The Third Man"},
        "reviewRating": {"@type": "Rating", "ratingValue": 4, "bestRating": 5},
        "keywords": ["tea", "garden"],
        "inLanguage": "en",
        "reviewBody": "Good",
    }


def test_a_text_in_several_languages() -> None:
    page = (
        "---\ntitle: {de: Tee, en: Tea}\n---\n\nvorher\n\n"
        "<!-- lang: de -->\nA\n\\<!-- lang: en -->\n<!--lang:en-->\n\nB\n"
    )
    document = made(page)
    assert document["headline"] == [
        {"@language": "de", "@value": "Tee"},
        {"@language": "en", "@value": "Tea"},
    ]
    assert document["articleBody"] == [
        "vorher",
        {"@language": "de", "@value": "A\n<!-- lang: en -->"},
        {"@language": "en", "@value": "B"},
    ]
    assert dumped(made(page_of(document))) == dumped(document)


BASE: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "Recipe",
    "@id": "mau:/p2p/x",
    "name": "Tea",
    "nutrition": {"@type": "NutritionInformation", "calories": "2"},
    "recipeIngredient": ["water", "tea"],
    "recipeInstructions": {"@type": "HowToSection", "itemListElement": []},
    "keywords": "hot, wet",
    "description": "Hot.\r\n",
}


def test_only_what_was_changed_changes() -> None:
    page = page_of(BASE)
    assert "HowTo" not in page
    changed = made(page.replace("title: Tea", "title: Cold tea"), "Recipe", BASE)
    assert changed == {**BASE, "name": "Cold tea"}
    assert list(changed) == list(BASE)
    changed = made(page.replace("Hot.", "Cold."), "Recipe", BASE)
    assert changed == {**BASE, "description": "Cold."}
    changed = made(page.replace("tags: [hot, wet]", "tags: [cold]"), "Recipe", BASE)
    assert changed == {**BASE, "keywords": ["cold"]}


def test_what_is_taken_out_is_gone() -> None:
    page = page_of(BASE).replace("title: Tea\n", "").replace("Hot.", "").replace("tags: [hot, wet]", "tags:")
    changed = made(page, "Recipe", BASE)
    assert changed == {
        word: value for word, value in BASE.items() if word not in {"name", "description", "keywords"}
    }


def test_another_type_takes_title_and_text_along() -> None:
    changed = made(page_of(BASE).replace("type: Recipe", "type: Article"), "Recipe", BASE)
    assert (changed["@type"], changed["headline"], changed["articleBody"]) == ("Article", "Tea", "Hot.\r\n")
    assert not {"name", "description"} & changed.keys()
    assert changed["nutrition"] == BASE["nutrition"]


def test_a_hidden_word_that_is_typed_is_said_anew() -> None:
    page = page_of(BASE).replace("title: Tea\n", "title: Tea\nrecipeInstructions: [Boil]\n")
    assert made(page, "Recipe", BASE) == {**BASE, "recipeInstructions": ["Boil"]}


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("---\ntitle: x\n", "line 1: the words that begin with --- end nowhere"),
        ("---\ntitle: a: b\n---\n", "line 2: a second colon"),
        ("---\n\ntitle: x\ntitle: y\n---\n", "line 4: 'title' is there twice"),
        ("---\na: &x b\n---\n", "line 2: no & and *"),
        ("---\na: b\nc: *x\n---\n", "line 3: no & and *"),
        ("---\na: !!python/object:os.system x\n---\n", "line 2: no !"),
        ("---\n%YAML 1.1\n---\n", "line"),
        ("---\n- a\n---\n", "line 2: between the --- lines"),
        ("---\na: [1, 2\nb: 3\n---\n", "line"),
        ("---\n\ta: b\n---\n", "line 2: a tab"),
        ("---\n" + "a:\n" + "".join(" " * depth + "- \n" for depth in range(1, 40)) + "---\n", "deep"),
        ("---\na: " + "[" * 60_000 + "\n---\n", "deep"),
        ("---\na: " + "x" * 70_000 + "\n---\n", "64 KiB"),
        ("---\na: \x01\n---\n", "line 2: a character"),
        ("---\nname: x\n'@id': y\n---\n", "line 3: `@id` cannot stand in a page; write `name:`"),
        ("---\naudience: x\n---\n", "write `for:`"),
        ("---\nheadline: x\ntitle: y\n---\n", "line 3: `title` says the same as `headline`"),
        ("---\narticleBody: x\n---\nText", "line 2: the text below is the `articleBody`"),
        ("---\ntags: #tea\n---\n", "line 2: tags are written without #"),
        ("---\ntags: tea, #garden\n---\n", "line 2: tags are written without #"),
        ("---\ntags: [{a: b}]\n---\n", "line 2: `tags` takes words"),
        ("---\ntype: [1]\n---\n", "line 2: `type` takes a word"),
        ("---\ntype: recipe\n---\n", "line 2: there is no 'recipe'; write `type: Recipe`"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(page: str, says: str) -> None:
    with pytest.raises(PageMalformed) as error:
        made(page)
    assert says in str(error.value)


def test_a_word_that_was_mistyped_is_told() -> None:
    page = read_page("---\ntype: Recipe\nrecipeIngredients: x\ntitel: y\nodd: z\nurl: u\n---\n")
    told = doubtful_words(page, POST)
    assert told == [
        "line 3: `recipeIngredients` is no word of a Recipe; did you mean `recipeIngredient`?",
        "line 4: `titel` is no word of a Recipe; did you mean `title`?",
    ]
    assert doubtful_words(page, POST, {"titel": 1, "recipeIngredients": 2}) == []


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    with pytest.raises(PageMalformed, match="line 2"):
        made("---\n" + "\n".join(lines) + "\n---\n")


@pytest.mark.parametrize("name", [*KINDS, "Thing"])
def test_every_template_is_a_page_that_says_nothing_yet(name: str) -> None:
    kind = KINDS.get(name, THING)
    assert made(template(kind)) == {"@type": name}
    page = read_page(template(kind, envelope={"for": ["bob", "@tea"], "name": "x"}))
    assert page.meta == {"type": name, "for": ["bob", "@tea"], "name": "x"}
    assert without_empty(json.loads(raw_template(kind))) == {"@context": "https://schema.org", "@type": name}
