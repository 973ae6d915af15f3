"""What a DeleteAction says, and that nothing else is one (spec/messages.md M70-M75)."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.address import person_iri, post_iri
from mau.content.binding import PUBLIC, UNBOUND, Audience, Statement, bind_document
from mau.content.jsonld import parse
from mau.deletion.document import MAX_NAMED, Delete, compose_delete, is_delete, read_delete
from mau.errors import MalformedPost, UsageError
from mau.fingerprint import Fingerprint

ALICE, BOB = Fingerprint(b"a" * 20), Fingerprint(b"b" * 20)
NAME, TARGET = "2026-11-21-k3v9x2qa.json.pgp", "kettle ü.json.pgp"
SUMS = ["a" * 64, "b" * 64]
STATED = Statement(NAME, PUBLIC)


def document(sums: list[str] = SUMS, audience: Audience = PUBLIC, **changed: Any) -> dict[str, Any]:
    """As it comes: written, bound, and read again."""
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    composed = compose_delete(ALICE, TARGET, sums, now)
    composed["object"] = composed["object"] | changed
    return read(json.dumps(bind_document(composed, ALICE, NAME, audience)))


def read(text: str) -> dict[str, Any]:
    found = parse(text.encode())
    assert found is not None
    return found


def test_what_is_written_is_what_is_read() -> None:
    people = frozenset({ALICE, BOB})
    written = document(audience=people)
    assert list(written) == ["@context", "@type", "@id", "audience", "agent", "endTime", "object"]
    assert written["agent"] == {"@id": person_iri(ALICE)}
    assert written["object"] == {"@type": "MediaObject", "@id": post_iri(ALICE, TARGET), "sha256": SUMS}
    found = read_delete(ALICE, Statement(NAME, people), 77, written)
    assert found == Delete(ALICE, NAME, TARGET, frozenset(SUMS), 77, people)


@pytest.mark.parametrize(
    "kind", ["DeleteAction", "schema:DeleteAction", ["Thing", "http://schema.org/DeleteAction"]]
)
def test_its_type_may_be_spelled_in_other_ways(kind: object) -> None:
    found = document() | {"@type": kind}
    assert is_delete(found)
    assert read_delete(ALICE, STATED, 1, found) is not None


def test_one_sum_needs_no_list_and_none_is_allowed() -> None:
    one = read_delete(ALICE, STATED, 1, document(sha256=SUMS[0]))
    none = read_delete(ALICE, STATED, 1, document(sha256=[]))
    assert one is not None
    assert none is not None
    assert (one.sha256s, none.sha256s) == ({SUMS[0]}, frozenset())


@pytest.mark.parametrize(
    "iri",
    [
        post_iri(BOB, TARGET),
        person_iri(ALICE),
        f"{post_iri(ALICE, TARGET)}.version/{SUMS[0]}",
        post_iri(ALICE, NAME),
        post_iri(ALICE, "keyring.json.pgp"),
        post_iri(ALICE, "draft.txt"),
        post_iri(ALICE, ".hidden.pgp"),
        "https://example.org/kettle",
        7,
    ],
)
def test_what_is_about_anything_but_a_post_of_its_author_deletes_nothing(iri: object) -> None:
    found = document(**{"@id": iri})
    assert is_delete(found)
    assert read_delete(ALICE, STATED, 1, found) is None


def test_only_its_own_words_bind_it() -> None:
    assert read_delete(ALICE, UNBOUND, 1, document()) is None
    # Bound by notations: a file that its author passed on, whatever stands in it.
    assert read_delete(ALICE, Statement("other.pgp", PUBLIC), 1, document()) is None
    assert read_delete(ALICE, Statement(NAME, frozenset({ALICE})), 1, document()) is None
    assert read_delete(ALICE, STATED, 1, None) is None
    assert read_delete(ALICE, STATED, 1, document() | {"@type": "SocialMediaPosting"}) is None
    assert read_delete(ALICE, STATED, 1, document() | {"object": [document()["object"]] * 2}) is None
    assert read_delete(ALICE, STATED, 1, document(**{"@context": {"sha256": None}})) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"@id": "mau:/p2p/nobody"},
        {"sha256": ["A" * 64]},
        {"sha256": ["a" * 63]},
        {"sha256": [7]},
        {"sha256": {"a": "b"}},
        {"sha256": ["a" * 64] * (MAX_NAMED + 1)},
        {"id": post_iri(ALICE, TARGET)},
    ],
)
def test_what_is_said_brokenly_is_malformed(changed: dict[str, Any]) -> None:
    with pytest.raises(MalformedPost):
        read_delete(ALICE, STATED, 1, document(**changed))


def test_what_is_said_twice_is_malformed() -> None:
    text = json.dumps(document())
    with pytest.raises(MalformedPost):
        read_delete(ALICE, STATED, 1, read(text.replace('"endTime"', '"object": {}, "endTime"')))
    with pytest.raises(MalformedPost):
        read_delete(ALICE, STATED, 1, read(text.replace('"sha256"', '"sha256": [], "sha256"')))


def test_a_million_sums_are_no_document_and_soon_put_away() -> None:
    composed = bind_document(compose_delete(ALICE, TARGET, SUMS, datetime.now(UTC)), ALICE, NAME, PUBLIC)
    composed["object"]["sha256"] = [f"{number:064x}" for number in range(1_000_000)]
    began = time.monotonic()
    assert parse(json.dumps(composed).encode()) is None
    composed["object"]["sha256"] = composed["object"]["sha256"][: MAX_NAMED * 3]
    with pytest.raises(MalformedPost, match="more than"):
        read_delete(ALICE, STATED, 1, read(json.dumps(composed)))
    assert time.monotonic() - began < 10
    with pytest.raises(UsageError):
        compose_delete(
            ALICE, TARGET, [f"{number:064x}" for number in range(MAX_NAMED + 1)], datetime.now(UTC)
        )


JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.sampled_from([*SUMS, NAME])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["@id", "id", "@type", "sha256", "object", "@context", "@value", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["object", "@id", "@type", "id", "agent"]), JSON, max_size=4))
def test_whatever_else_stands_in_it_has_one_way_out(changed: dict[str, Any]) -> None:
    try:
        found = read_delete(ALICE, STATED, 1, document() | changed)
    except MalformedPost:
        return
    assert found is None or (found.author, found.target != NAME, len(found.sha256s) <= MAX_NAMED) == (
        ALICE,
        True,
        True,
    )
