"""What a post states: one reader for all shapes, held against PyLD, and one error for whatever is hostile."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mau.content.address import PUBLIC_IRI, person_iri, post_iri, resolve_iri
from mau.content.binding import (
    AUDIENCE_NOTATION,
    FILENAME_NOTATION,
    MAX_AUDIENCE,
    MAX_FILE_AUDIENCE,
    NAME_NOTATION,
    PUBLIC,
    UNBOUND,
    Audience,
    Statement,
    audience_iris,
    audience_of,
    bind_document,
    notations_for,
    read_statement,
)
from mau.content.jsonld import MAX_DEPTH, MAX_DOCUMENT, expand
from mau.errors import AddressMalformed, MalformedPost, Renamed, UsageError
from mau.fingerprint import Fingerprint

A = Fingerprint(b"\xaa" * 20)
B = Fingerprint(b"\xbb" * 20)
C = Fingerprint(b"\xcc" * 20)
NAME = "x.json.pgp"
ID = post_iri(A, NAME)
PERSON = {one: {"@id": person_iri(one)} for one in (A, B, C)}


def read(document: Any, author: Fingerprint = A) -> Statement:
    return read_statement(author, {}, json.dumps(document).encode())


def doc(**words: Any) -> dict[str, Any]:
    return {"@context": "https://schema.org", "@type": "SocialMediaPosting", **words}


def for_(*people: Fingerprint) -> frozenset[Fingerprint]:
    return frozenset(people)


# --- documents ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audience", [PUBLIC, for_(A), for_(A, B), for_(B, C)])
def test_what_we_write_we_read(audience: Audience) -> None:
    bound = bind_document({"@type": "Thing", "articleBody": "x"}, A, NAME, audience)
    stated = audience if audience is PUBLIC else for_(A, *audience)
    assert read(bound) == Statement(NAME, stated)
    assert list(bound) == ["@context", "@type", "@id", "audience", "articleBody"]


@pytest.mark.parametrize(
    "context", ["https://schema.org", "https://schema.org/", "http://schema.org", ["http://schema.org/"]]
)
def test_the_spellings_of_schema_org_are_one(context: Any) -> None:
    assert read({"@context": context, "@id": ID, "audience": PERSON[B]}) == Statement(NAME, for_(A, B))


@pytest.mark.parametrize(
    "document",
    [
        {"@id": ID, "audience": [PERSON[B]]},
        {"@context": "https://example.org/own", "@id": ID, "audience": [PERSON[B]]},
        {"@context": {"@vocab": "http://schema.org/"}, "@id": ID, "audience": [PERSON[B]]},
        {
            "@context": ["https://schema.org", {"audience": "http://example.org/x"}],
            "@id": ID,
            "audience": [PERSON[B]],
        },
        doc(**{"@id": ID, "audience": [{"@context": {"x": "@id"}, "x": person_iri(B)}]}),
        doc(**{"@id": ID, "audience": PERSON[B], "@graph": []}),
        doc(**{"@id": ID, "audience": PERSON[B], "@set": []}),
        doc(**{"@id": ID, "audience": PERSON[B], "@value": "x"}),
        doc(**{"@id": ID, "audience": PERSON[B], "@unknown": "x"}),
        doc(**{"@id": ID, "@nest": {"audience": PERSON[B]}}),
        [doc(**{"@id": ID})],
        "text",
        7,
    ],
)
def test_unbound_is_what_has_words_that_are_not_understood(document: Any) -> None:
    assert read(document) == UNBOUND


def test_documents_beyond_the_caps_are_unbound() -> None:
    bound = doc(**{"@id": ID, "audience": [PERSON[B]]})
    deep: Any = "x"
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert read({**bound, "x": deep}) == UNBOUND
    assert read({**bound, "x": "y" * MAX_DOCUMENT}) == UNBOUND
    assert read_statement(A, {}, None) == UNBOUND
    assert read_statement(A, {}, b"\xff\xfe{") == UNBOUND


@pytest.mark.parametrize(
    "iri",
    [
        ID,
        f"/p2p/{A}/{NAME}",
        NAME,
        f"./{NAME}",
        f"../{A}/{NAME}",
        "x%2ejson.pgp",
        f"mau://h:1/p2p/{A}/{NAME}",
    ],
)
@pytest.mark.parametrize("word", ["@id", "id"])
def test_the_name_in_every_spelling(iri: str, word: str) -> None:
    assert read(doc(**{word: iri})) == Statement(NAME, None)


@pytest.mark.parametrize(
    "word", ["audience", "schema:audience", "http://schema.org/audience", "https://schema.org/audience"]
)
@pytest.mark.parametrize(
    "value",
    [
        PERSON[B],
        [PERSON[B]],
        [PERSON[A], PERSON[B], PERSON[B]],
        {"id": person_iri(B)},
        {"@id": f"/p2p/{B}"},
        {"@id": f"mau://host:1/p2p/{B}"},
        person_iri(B),
        [f"/p2p/{B}"],
        {"@type": "Person", "@id": person_iri(B), "name": "Bob"},
        {"@type": "Person", "id": person_iri(B), "name": {"@value": "Bob"}},
        [PERSON[B], {"@id": "https://example.org/group"}, {"@type": "Audience", "name": "all"}, "parents"],
        {"@set": [PERSON[B]]},
        {"@list": [PERSON[B]]},
        [[PERSON[B]], None, 3],
        {"@value": person_iri(B)},
        {"@id": person_iri(B), "@index": "x"},
    ],
)
def test_the_audience_in_every_shape(word: str, value: Any) -> None:
    assert read(doc(**{"@id": ID, word: value})) == Statement(NAME, for_(A, B))


@pytest.mark.parametrize(
    "value", [{"@id": PUBLIC_IRI}, [PUBLIC_IRI], PUBLIC_IRI, [PERSON[B], {"id": PUBLIC_IRI}]]
)
def test_the_public_takes_in_everybody(value: Any) -> None:
    assert read(doc(**{"@id": ID, "audience": value})) == Statement(NAME, PUBLIC)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        "everybody",
        7,
        {"@type": "Audience", "audienceType": "parents"},
        {"@id": "https://example.org/#public"},
        "https://example.org/bob",
        {"@id": "_:b"},
        {"@value": "x"},
        {"@id": "as:Public"},
        f"mau is fun for {B}",
    ],
)
def test_an_audience_that_names_nobody_of_mau_is_none(value: Any) -> None:
    assert read(doc(**{"@id": ID, "audience": value})) == Statement(NAME, None)


@pytest.mark.parametrize("iri", ["https://example.org/posts/1", "urn:x:y", "_:b0", "schema:x", "x:y.pgp"])
def test_an_address_elsewhere_is_shown_and_binds_no_name(iri: str) -> None:
    assert read(doc(**{"@id": iri, "audience": PERSON[B]})) == Statement(None, for_(A, B), iri)


@pytest.mark.parametrize(
    "iri", [post_iri(B, NAME), f"../{B}/x.pgp", person_iri(A), "", f"{ID}.version/{'0' * 64}", f"/p2p/{B}"]
)
def test_an_address_of_something_else_in_mau_is_renamed(iri: str) -> None:
    with pytest.raises(Renamed):
        read(doc(**{"@id": iri}))


@pytest.mark.parametrize(
    "words",
    [
        {"@id": 7},
        {"@id": None},
        {"@id": [ID]},
        {"@id": {"@id": ID}},
        {"@id": "mau:x"},
        {"@id": f"{ID}#fragment"},
        {"@id": "a b"},
        {"@id": "\ud800"},
        {"@id": f"mau:/p2p/{A}/\ud800.pgp"},
        {"@id": ID, "id": ID},
        {"audience": PERSON[B], "schema:audience": PERSON[B]},
        {"audience": {"@id": 7}},
        {"audience": {"@id": None}},
        {"audience": {"@id": [person_iri(B)]}},
        {"audience": {"@id": person_iri(B), "id": person_iri(C)}},
        {"audience": {"@id": ID}},
        {"audience": {"@id": "bob"}},
        {"audience": "mau:bob"},
        {"audience": "/p2p/bob"},
        {"audience": {"@list": [{"@id": person_iri(B), "@value": "x"}]}},
        {"audience": [{"@id": f"mau:/p2p/{number:040x}"} for number in range(MAX_AUDIENCE)]},
    ],
)
def test_broken_statements_are_malformed(words: dict[str, Any]) -> None:
    with pytest.raises(MalformedPost):
        read(doc(**words))


@pytest.mark.parametrize(
    "text",
    [
        f'{{"@context":"https://schema.org","@id":"{ID}","@id":"{ID}"}}',
        '{"@context":"https://schema.org","@context":"https://schema.org"}',
        '{"@context":"https://example.org","@context":"https://schema.org","@id":"x.pgp"}',
        '{"@context":"https://schema.org","audience":[],"audience":[]}',
        f'{{"@context":"https://schema.org","audience":{{"@id":"{person_iri(B)}","@id":"{person_iri(C)}"}}}}',
        '{"@context":"https://schema.org","audience":{"@set":[{"@id":"x","@id":"y"}]}}',
    ],
)
def test_a_deciding_word_given_twice_is_malformed(text: str) -> None:
    with pytest.raises(MalformedPost):
        read_statement(A, {}, text.encode())


def test_other_words_may_be_given_twice() -> None:
    text = f'{{"@context":"https://schema.org","@id":"{ID}","x":1,"x":2,"y":{{"@id":1,"@id":2,"@context":{{}}}}}}'
    assert read_statement(A, {}, text.encode()) == Statement(NAME, None)


def test_a_key_that_json_writes_otherwise_is_the_same_key() -> None:
    text = '{"@context":"https://schema.org","\\u0040id":"x.pgp","@id":"y.pgp"}'
    with pytest.raises(MalformedPost):
        read_statement(A, {}, text.encode())


# --- the same by PyLD --------------------------------------------------------------------------------------

iris = st.sampled_from(
    [
        ID,
        NAME,
        "./y.pgp",
        f"../{B}",
        f"/p2p/{B}",
        person_iri(B),
        person_iri(C),
        PUBLIC_IRI,
        "https://example.org",
        "_:b",
        "@x",
        "",
        "schema:x",
        "bob",
        "a b",
    ]
)
addressees = st.recursive(
    iris
    | st.none()
    | st.integers()
    | st.builds(lambda iri: {"@id": iri}, iris)
    | st.builds(lambda iri: {"id": iri, "name": "x"}, iris)
    | st.builds(lambda iri: {"@value": iri}, iris),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.builds(lambda value: {"@set": value}, inner)
        | st.builds(lambda value: {"@list": value}, inner)
    ),
    max_leaves=5,
)
documents = st.fixed_dictionaries(
    {"@context": st.just("https://schema.org"), "@type": st.just("Thing")},
    optional={
        "@id": iris,
        "id": iris,
        "audience": addressees,
        "schema:audience": addressees,
        "articleBody": st.text(),
    },
)


def _by_pyld(document: dict[str, Any]) -> Statement:
    """An independent reading: the whole document expanded, then only its addresses looked at."""
    [node] = expand(document, f"mau:/p2p/{A}/")
    iri = node.get("@id")
    name = elsewhere = None
    if iri is not None:
        address = resolve_iri(iri, A)
        if address is None:
            elsewhere = iri
        elif address.author != A or address.name is None:
            raise Renamed
        else:
            name = address.name
    found: list[str] = []
    waiting = list(node.get("http://schema.org/audience", []))
    while waiting:
        value = waiting.pop()
        if "@list" in value:
            waiting.extend(value["@list"])
        elif isinstance(value.get("@id"), str):
            found.append(value["@id"])
        elif isinstance(value.get("@value"), str) and value["@value"].startswith(
            ("mau:", "/p2p/", "https://www.w3")
        ):
            found.append(value["@value"])
    if PUBLIC_IRI in found:  # who else is named changes nothing
        return Statement(name, PUBLIC, elsewhere)
    people = [resolve_iri(one, A) for one in found]
    if any(one is not None and one.name is not None for one in people):
        raise MalformedPost
    known = for_(*(one.author for one in people if one is not None))
    return Statement(name, for_(A, *known) if known else None, elsewhere)


@settings(max_examples=400)
@given(documents)
def test_pyld_reads_the_same(document: dict[str, Any]) -> None:
    try:
        expected: Any = _by_pyld(document)
    except Renamed:
        expected = (Renamed, MalformedPost)
    except (MalformedPost, AddressMalformed):
        expected = MalformedPost
    try:
        stated = read(document)
    except (MalformedPost, Renamed) as error:
        twice = (
            len({"@id", "id"} & set(document)) > 1 or len({"audience", "schema:audience"} & set(document)) > 1
        )
        assert twice or (not isinstance(expected, Statement) and isinstance(error, expected))
        return
    if isinstance(expected, Statement) and expected.elsewhere is not None:
        assert stated.elsewhere is not None  # shown as it was written, not expanded
        assert (stated.name, stated.audience) == (expected.name, expected.audience)
    else:
        assert stated == expected


# --- notations ---------------------------------------------------------------------------------------------


def notes(**values: str | tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    keys = {"id": NAME_NOTATION, "audience": AUDIENCE_NOTATION}
    return {keys[key]: (value,) if isinstance(value, str) else value for key, value in values.items()}


@pytest.mark.parametrize("audience", [PUBLIC, for_(A), for_(A, B, C)])
@pytest.mark.parametrize("name", ["x.pgp", "Fr\u00fchling 1.jpg.pgp", "%20.pgp"])
def test_notations_we_write_we_read(name: str, audience: Audience) -> None:
    written = notations_for(A, name, audience, "orig \u00e4.jpg")
    assert written[FILENAME_NOTATION] == "orig \u00e4.jpg"
    assert written[NAME_NOTATION].isascii()
    read_back = read_statement(A, {key: (value,) for key, value in written.items()}, b"bytes")
    assert read_back == Statement(name, audience)


def test_notations_decide_over_the_content() -> None:
    inside = json.dumps(doc(**{"@id": post_iri(B, "y.pgp"), "audience": PUBLIC_IRI})).encode()
    assert read_statement(A, notes(id=ID, audience=person_iri(B)), inside) == Statement(NAME, for_(A, B))
    assert read_statement(A, notes(id=ID), inside) == Statement(NAME, None)
    assert read_statement(A, notes(audience=PUBLIC_IRI), inside) == Statement(None, PUBLIC)


def test_other_notations_say_nothing() -> None:
    other = {"salt@notations.openpgpjs.org": ("x", "y"), FILENAME_NOTATION: ("a", "b")}
    assert read_statement(A, other, json.dumps(doc(**{"@id": ID})).encode()) == Statement(NAME, None)


@pytest.mark.parametrize(
    "notations",
    [
        notes(id=(ID, ID)),
        notes(id=ID, audience=(PUBLIC_IRI, PUBLIC_IRI)),
        notes(id=ID, audience=()) | notes(id=(ID, "x")),
        notes(id=""),
        notes(id="https://example.org/x"),
        notes(id="mau:x"),
        notes(id=f"{ID} {ID}"),
        notes(audience=""),
        notes(audience="bob"),
        notes(audience="https://example.org/bob"),
        notes(audience=f"/p2p/{B}"),
        notes(audience=ID),
        notes(audience=f"{person_iri(B)}  {person_iri(C)}"),
        notes(audience=f"{person_iri(B)} {PUBLIC_IRI}"),
        notes(audience=f"{person_iri(B)} https://example.org/"),
        notes(audience=" ".join(f"mau:/p2p/{number:040x}" for number in range(MAX_AUDIENCE))),
    ],
)
def test_broken_notations_are_malformed(notations: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises((MalformedPost, Renamed)) as caught:
        read_statement(A, notations, None)
    assert caught.type is (Renamed if notations == notes(id="") else MalformedPost)


@pytest.mark.parametrize("iri", [post_iri(B, NAME), person_iri(A), f"{ID}.version/{'0' * 64}"])
def test_a_notation_with_another_address_is_renamed(iri: str) -> None:
    with pytest.raises(Renamed):
        read_statement(A, notes(id=iri), None)


# --- anything ----------------------------------------------------------------------------------------------

hostile = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | iris,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "@id",
                    "id",
                    "@type",
                    "@set",
                    "@list",
                    "@value",
                    "@graph",
                    "@nest",
                    "@context",
                    "@reverse",
                    "@index",
                    "@language",
                    "@included",
                    "@json",
                    "audience",
                    "x",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=400)
@given(
    st.dictionaries(
        st.sampled_from(
            ["@id", "id", "audience", "schema:audience", "@nest", "@graph", "@type", "@included", "@reverse"]
        ),
        hostile,
    ),
    st.binary(max_size=6),
    st.integers(0, 400),
)
def test_hostile_documents_end_in_a_statement_or_one_error(
    document: dict[str, Any], noise: bytes, at: int
) -> None:
    data = json.dumps(doc(**document)).encode("utf-8")
    for one in (data, data[:at] + noise + data[at:], data[:at] + noise + data[at + len(noise) :]):
        with contextlib.suppress(MalformedPost, Renamed):
            assert isinstance(read_statement(A, {}, one), Statement)


@given(
    st.dictionaries(
        st.sampled_from([NAME_NOTATION, AUDIENCE_NOTATION, FILENAME_NOTATION]),
        st.lists(st.text() | iris, max_size=2).map(tuple),
    ),
    st.binary() | st.none(),
)
def test_hostile_notations_end_in_a_statement_or_one_error(
    notations: dict[str, tuple[str, ...]], data: bytes | None
) -> None:
    with contextlib.suppress(MalformedPost, Renamed):
        assert isinstance(read_statement(A, notations, data), Statement)


# --- writing -----------------------------------------------------------------------------------------------


def test_an_audience_has_its_author_and_an_upper_limit() -> None:
    people = [Fingerprint(number.to_bytes(20, "big")) for number in range(MAX_AUDIENCE)]
    assert audience_of(A, []) == for_(A)
    assert len(audience_of(A, people[1:])) == MAX_AUDIENCE
    with pytest.raises(UsageError, match="999 people, not 1000"):
        audience_of(A, people)
    assert len(audience_iris(A, audience_of(A, people[1:]))) == MAX_AUDIENCE
    notations_for(A, "x.pgp", frozenset(people[:MAX_FILE_AUDIENCE]) - {people[0]})
    with pytest.raises(UsageError, match="149 people, not 150"):
        notations_for(A, "x.pgp", frozenset(people[:MAX_FILE_AUDIENCE]))


def test_binding_a_document_takes_what_it_stated_before_away() -> None:
    before = {
        "@context": "http://schema.org",
        "id": "y.pgp",
        "schema:audience": PUBLIC_IRI,
        "name": "x",
        "@type": "Thing",
    }
    bound = bind_document(before, A, NAME, for_(A, B))
    assert read(bound) == Statement(NAME, for_(A, B))
    assert bound["@context"] == "http://schema.org"
    assert bound["name"] == "x"


@pytest.mark.parametrize(
    "document", [{"@context": "https://example.org"}, {"@context": None}, {"@graph": []}, {"@nest": {}}]
)
def test_what_cannot_be_bound_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        bind_document(document, A, NAME, PUBLIC)
