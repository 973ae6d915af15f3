"""What people are shown of a document (spec/content.md CT60-CT78)."""

from __future__ import annotations

from typing import Any

import pytest

from mau.content.address import Address
from mau.content.links import Reference
from mau.content.shown import Shown, shown, words_of
from mau.content.spoken import Speaker, duration_words, label_of, moment_words, stars
from mau.fingerprint import Fingerprint

FPR = Fingerprint(b"a" * 20)
ME = f"mau:/p2p/{FPR.hex}"
SIGNED = 1_767_225_600  # 2026-01-01


def see(document: dict[str, Any], *languages: str) -> Shown:
    return shown(FPR, {"@context": "https://schema.org", **document}, languages, signed_at=SIGNED)


def told(document: dict[str, Any], *languages: str) -> dict[str, Any]:
    return {fact.label: fact.items or fact.value for fact in see(document, *languages).facts}


def test_a_recipe_has_ingredients_and_steps() -> None:
    recipe = {
        "@type": "Recipe",
        "name": "Bread",
        "description": "A *good* one.",
        "prepTime": "PT1H20M",
        "recipeIngredient": ["500 g flour", "water"],
        "recipeInstructions": [
            {"@type": "HowToStep", "text": "Knead."},
            {
                "@type": "HowToSection",
                "name": "Bake",
                "itemListElement": [{"text": "Heat"}, {"text": "Wait"}],
            },
        ],
        "author": {"@id": ME},
        "datePublished": "2026-01-01T09:00:00Z",
        "keywords": ["bread", "easy, quick"],
    }
    seen = see(recipe)
    assert (seen.title, seen.body, seen.markup) == ("Bread", "A *good* one.", "markdown")
    assert told(recipe) == {
        "Preparation": "1 h 20 min",
        "Ingredients": ("500 g flour", "water"),
        "Steps": ("Knead.", "Bake:", "Heat", "Wait"),
        "Tags": "#bread #easy #quick",
    }
    assert "1. Knead." in seen.text
    assert "- water" in seen.text
    assert told({**recipe, "recipeInstructions": "Knead.\nBake."})["Steps"] == "Knead.\nBake."


def test_an_event_has_time_and_place() -> None:
    hall = {
        "@type": "Place",
        "name": "Town hall",
        "address": {"streetAddress": "Market 1", "postalCode": "1000"},
    }
    event = {"@type": "Event", "name": "Choir", "startDate": "2026-12-24T18:00:00Z", "location": hall}
    assert told(event) == {"Begins": "2026-12-24 18:00 UTC", "Where": "Town hall, Market 1, 1000"}
    assert told({**event, "location": "the lake"})["Where"] == "the lake"


def test_a_review_has_stars() -> None:
    review = {"@type": "Review", "reviewBody": "Good", "itemReviewed": {"@type": "Movie", "name": "M"}}
    facts = told({**review, "reviewRating": {"@type": "Rating", "ratingValue": "3.5"}})
    assert facts == {"Of": "M", "Rating": "★★★½☆ (3.5 of 5)"}
    assert told({**review, "reviewRating": {"ratingValue": 80, "bestRating": 100}})["Rating"] == "80 of 100"
    assert told({**review, "reviewRating": "fine"})["Rating"] == "fine"


def test_a_question_has_its_answers() -> None:
    question = {
        "@type": "Question",
        "name": "Tea?",
        "suggestedAnswer": [{"text": "Yes", "upvoteCount": 2}, "No"],
        "answerCount": 3,
        "acceptedAnswer": {"@type": "Answer", "text": "Yes"},
    }
    assert told(question) == {"Choices": ("Yes (2)", "No"), "Answers": "3", "Accepted answer": "Yes"}


def test_a_collection_has_what_is_in_it_and_a_person_addresses() -> None:
    parts = [{"@id": f"{ME}/a.pgp"}, {"name": "B", "url": "https://b.example"}, "c"]
    assert told({"@type": "Collection", "name": "x", "hasPart": parts}) == {
        "In it": (f"{ME}/a.pgp", "B (https://b.example)", "c")
    }
    person = {
        "@type": "Person",
        "name": "Al",
        "url": ["https://a.example", "https://b.example"],
        "email": "a@b",
    }
    assert told(person) == {"Mail": "a@b", "Address": ("https://a.example", "https://b.example")}


def test_an_answer_says_what_it_answers() -> None:
    parent = {"@id": f"{ME}/x.pgp", "sha256": "0" * 64}
    assert told({"@type": "Comment", "text": "y", "parentItem": parent}) == {"In answer to": f"{ME}/x.pgp"}


def test_unknown_types_and_words_are_shown() -> None:
    ride = {
        "@type": "RideOffer",
        "name": "To Lisbon",
        "departureTime": "2026-12-01T08:00",
        "freeSeats": 3,
        "pets": False,
        "stops": [{"town": "Porto"}, {"town": "Coimbra", "minutes": 10}],
        "schema:price": {"@value": "12", "@type": "xsd:decimal"},
        "https://other.example/ns#fooBar": None,
    }
    seen = see(ride)
    assert (seen.type, seen.title) == ("RideOffer", "To Lisbon")
    assert told(ride) == {
        "Departure time": "2026-12-01 08:00",
        "Free seats": "3",
        "Pets": "no",
        "Stops": ("Town: Porto", "Town: Coimbra; Minutes: 10"),
        "Price": "12",
    }
    assert see({"x": {"y": {"z": 1}}}).facts[0].value == "Y: Z: 1"


def test_words_with_prefixes_are_read_and_the_plain_one_counts_first() -> None:
    assert (
        see({"@type": "schema:Article", "http://schema.org/headline": "t", "schema:articleBody": "b"}).title
        == "t"
    )
    assert see({"schema:name": "prefixed", "name": "plain"}).title == "plain"
    assert see({"name": "plain", "schema:name": "prefixed"}).title == "plain"


def test_languages_of_title_text_and_facts() -> None:
    def both(german: str, english: str) -> list[dict[str, str]]:
        return [{"@value": german, "@language": "de"}, {"@value": english, "@language": "en"}]

    event = {
        "@type": "Event",
        "name": both("Chor", "Choir"),
        "description": both("Lied", "Song"),
        "location": both("Rathaus", "Town hall"),
    }
    for languages, words in (
        (["de-AT"], ("Chor", "Lied", "de", "Rathaus")),
        (["fr", "en"], ("Choir", "Song", "en", "Town hall")),
        ([], ("Chor", "Lied", "de", "Rathaus")),
    ):
        seen = see(event, *languages)
        assert (seen.title, seen.body, seen.language, seen.facts[0].value) == words
    for word in ("Chor", "Choir", "Lied", "Song"):
        assert word in words_of(FPR, event)


def test_who_and_when_are_told_only_where_the_signature_does_not() -> None:
    post = {"@type": "Article", "headline": "x", "articleBody": "y"}
    assert told({**post, "author": {"@id": ME}, "datePublished": "2026-01-01T23:00:00+00:00"}) == {}
    assert told({**post, "author": {"name": "Al"}, "datePublished": "2019-05-06T00:00:00Z"}) == {
        "By": "Al",
        "Published": "2019-05-06 00:00 UTC",
    }
    assert {fact.word for fact in shown(FPR, {**post, "datePublished": "2026-01-01"}).facts} == {
        "datePublished"
    }


def test_the_text_is_markdown_unless_it_says_otherwise() -> None:
    assert see({"text": "*x*"}).markup == "markdown"
    assert see({"text": "*x*", "encodingFormat": "text/plain;charset=utf-8"}).markup == "plain"
    page = see({"text": "<p>x</p><script>y</script>", "encodingFormat": "text/html"})
    assert (page.markup, page.body) == ("plain", "x")


def test_media() -> None:
    picture = {
        "@type": "ImageObject",
        "contentUrl": f"{ME}/garden.jpg.pgp",
        "sha256": "0" * 64,
        "encodingFormat": "image/jpeg",
        "name": "garden.jpg",
        "description": "Beans",
        "width": 1600,
        "height": {"@type": "QuantitativeValue", "value": 1200},
        "contentSize": "340 KiB",
        "thumbnail": {"contentUrl": f"{ME}/garden-small.jpg.pgp", "sha256": "1" * 64},
    }
    found = see(
        {"associatedMedia": picture, "image": [f"{ME}/garden.jpg.pgp", "https://e.example/x.png"]}
    ).media
    first = found[0]
    assert first.reference == Reference(Address(FPR, "garden.jpg.pgp"), "0" * 64)
    assert first.thumbnail == Reference(Address(FPR, "garden-small.jpg.pgp"), "1" * 64)
    assert (first.kind, first.name, first.alt, first.width, first.height) == (
        "image",
        "garden.jpg",
        "Beans",
        1600,
        1200,
    )
    assert (first.size, first.url) == ("340 KiB", "")
    assert [(one.kind, one.url) for one in found[2:]] == [("image", "https://e.example/x.png")]
    assert [one.kind for one in see({**picture, "@type": "AudioObject", "@id": f"{ME}/x.pgp"}).media] == [
        "audio"
    ]
    assert (
        see({"image": ["data:image/png;base64,AAAA", "javascript:x", "mau:/p2p/x", 7, {}, f"{ME}"]}).media
        == ()
    )


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (moment_words("2026-01-01T10:00:00Z"), "2026-01-01 10:00 UTC"),
        (moment_words("2026-01-01T10:00:30+00:00"), "2026-01-01 10:00:30 UTC"),
        (moment_words("2026-01-01T10:00:00.123+00:00"), "2026-01-01 10:00 UTC"),
        (moment_words("2026-01-01T10:00+00:00"), "2026-01-01 10:00 UTC"),
        (moment_words("2026-01-01T10:00Z"), "2026-01-01 10:00 UTC"),
        (moment_words("2026-01-01 10:00"), "2026-01-01 10:00"),
        (moment_words("2026-01-01T10:00:00+02:00"), "2026-01-01 10:00+02:00"),
        (moment_words("2026-01-01"), "2026-01-01"),
        (moment_words("soon"), "soon"),
        (duration_words("P1DT2H"), "1 day 2 h"),
        (duration_words("PT0S"), "0 s"),
        (duration_words("long"), "long"),
        (stars({"ratingValue": 0}), "☆☆☆☆☆ (0 of 5)"),
        (stars({"ratingValue": 4.9}), "★★★★★ (4.9 of 5)"),
        (stars("x"), ""),
        (label_of("recipeYield"), "Recipe yield"),
        (label_of("schema:isbn"), "Isbn"),
        (label_of("targetURL"), "Target URL"),
        (
            Speaker().spoken([1, 2.5, True, None, 1e400, 10**5000]),
            "1, 2.5, yes" + 2 * ", a number without bounds",
        ),
        (Speaker().spoken({"@list": ["a", "b"]}), "a, b"),
    ],
)
def test_single_values(said: str, words: str) -> None:
    assert said == words
