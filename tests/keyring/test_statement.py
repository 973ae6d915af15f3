"""The keyring statement as a document (spec/keyring.md K2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import KeyringDamaged, UsageError
from mau.fingerprint import Fingerprint
from mau.keyring import statement as statements
from mau.keyring.names import check_local_name, name_key
from mau.keyring.statement import Entry, Statement

ME = Fingerprint(bytes(20))
_SHA = st.binary(min_size=32, max_size=32).map(bytes.hex)


def may_be_name(text: str) -> bool:
    try:
        return check_local_name(text) == text
    except UsageError:
        return False


_ENTRIES = st.lists(
    st.builds(
        Entry,
        st.binary(min_size=20, max_size=20).filter(any).map(Fingerprint),
        st.text(min_size=1, max_size=20).filter(may_be_name),
        st.binary(max_size=50),
        st.dictionaries(st.sampled_from(["", "work", "work/team", "known"]), _SHA, min_size=1),
    ),
    max_size=6,
    unique_by=(lambda entry: entry.fingerprint, lambda entry: name_key(entry.local_name)),
)


@given(_ENTRIES, st.integers(1, 1 << 40))
def test_what_is_written_is_read(entries: list[Entry], counter: int) -> None:
    statement = Statement(counter, {entry.fingerprint: entry for entry in entries})
    assert statements.load(statements.dump(statement, ME), ME) == statement


def test_it_is_a_bound_post_for_me_alone() -> None:
    document = json.loads(statements.dump(Statement(1), ME))
    assert document["@id"] == f"mau:/p2p/{ME}/keyring.json.pgp"
    assert document["audience"] == [{"@id": f"mau:/p2p/{ME}"}]


@given(_ENTRIES, st.integers(0, 99), st.integers(0, 99))
def test_the_counter_only_grows(entries: list[Entry], counter: int, above: int) -> None:
    following = Statement(counter).changed(entries, above=above)
    assert following.counter > max(counter, above)


def test_who_has_no_place_is_not_stated() -> None:
    entry = Entry(Fingerprint(b"\1" * 20), "Bob", b"", {})
    assert not Statement().changed([entry]).entries


def _document() -> dict[str, Any]:
    entry = Entry(Fingerprint(b"\1" * 20), "Bob", b"key", {"": "0" * 64})
    other = Entry(Fingerprint(b"\2" * 20), "Carol", b"key", {"": "0" * 64})
    statement = Statement(1, {entry.fingerprint: entry, other.fingerprint: other})
    loaded: dict[str, Any] = json.loads(statements.dump(statement, ME))
    return loaded


def _people(document: dict[str, Any]) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = document["https://mau.invalid/ns#keyring"]["@value"]["people"]
    return people


def _set(path: str, value: Any) -> Any:
    def change(document: dict[str, Any]) -> None:
        document[path] = value

    return change


def _person(field: str, value: Any) -> Any:
    def change(document: dict[str, Any]) -> None:
        _people(document)[0][field] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _set("@id", f"mau:/p2p/{ME}/other.json.pgp"),
        _set("@id", f"mau:/p2p/{'1' * 40}/keyring.json.pgp"),
        _set("audience", []),
        _set("audience", [{"@id": f"mau:/p2p/{ME}"}, {"@id": f"mau:/p2p/{'1' * 40}"}]),
        _set("@type", "SocialMediaPosting"),
        _set("https://mau.invalid/ns#keyring", []),
        _set("https://mau.invalid/ns#keyring", {"@value": {"counter": "1", "people": []}}),
        _set("https://mau.invalid/ns#keyring", {"@value": {"counter": True, "people": []}}),
        _set("https://mau.invalid/ns#keyring", {"@value": {"counter": 0, "people": []}}),
        _set("https://mau.invalid/ns#keyring", {"@value": {"counter": 1, "people": None}}),
        _person("fingerprint", "XX"),
        _person("fingerprint", ME.hex),
        _person("fingerprint", "02" * 20),
        _person("name", "CAROL"),
        _person("name", "me"),
        _person("name", 7),
        _person("key", "***"),
        _person("key", 7),
        _person("places", {}),
        _person("places", []),
        _person("places", {"": "short"}),
        _person("places", {"": None}),
    ],
)
def test_anything_else_is_damaged(change: Any) -> None:
    document = _document()
    statements.load(json.dumps(document).encode(), ME)
    change(document)
    with pytest.raises(KeyringDamaged):
        statements.load(json.dumps(document).encode(), ME)


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_any_bytes_are_damaged_and_nothing_worse(data: bytes) -> None:
    with pytest.raises(KeyringDamaged):
        statements.load(data, ME)


def test_nesting_without_end_is_damaged() -> None:
    with pytest.raises(KeyringDamaged):
        statements.load(b"[" * 100_000, ME)
