"""Which names are refused, and how the ones that people type are completed (spec/tree.md N)."""

from __future__ import annotations

import unicodedata
from datetime import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mau.errors import InvalidName, UsageError
from mau.tree.names import (
    check_group,
    check_name,
    check_post_name,
    check_sha256,
    clashes,
    fold,
    is_post_name,
    post_name,
    random_name,
    versions_name,
)

BAD = [
    "",
    ".",
    "..",
    ".pgp",
    ".mau",
    ".hidden.pgp",
    "../x",
    "..\\x",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "a\0b",
    "a\nb",
    "a\x1fb",
    "a\x7fb",
    "a\x85b",
    "a\x9fb",
    "a\u2028b",
    "a\u2029b",
    "a\ud800b",
    "\udcff",
    "x.pgp.versions",
    "x.pgp.versions.pgp",
    "x.pgp.version",
    "x.PGP.Versions",
    "x.PGP.Versions.pgp",
    "x" * 243,
    "x" * 243 + ".pgp",
    "é" * 122,
]
GOOD = [
    "x",
    "x.json",
    "x.json.pgp",
    "account.pgp",
    "x.PGP",
    "a b",
    "-rf",
    "été.txt",
    "e\u0301te\u0301.txt",
    "日本語",
    "x.versions",
    "x..y",
    "version",
    "x" * 242,
    "x" * 242 + ".pgp",
    "é" * 121,
    "🦉.pgp",
    "pgp.versions",
]


@pytest.mark.parametrize("name", BAD)
def test_bad_names_are_refused(name: str) -> None:
    for check in (check_name, check_post_name, post_name):
        with pytest.raises(InvalidName) as caught:
            check(name)
        assert str(caught.value).isprintable()
    assert not is_post_name(name)


@pytest.mark.parametrize("name", GOOD)
def test_good_names_stay_as_they_are(name: str) -> None:
    assert check_name(name) is name
    assert is_post_name(name) == name.endswith(".pgp")


@given(st.text(st.characters(codec=None), max_size=300))
@example("x.pgp.versions.pgp")
def test_a_name_taken_is_one_visible_segment_with_room_for_every_suffix(name: str) -> None:
    try:
        check_name(name)
    except InvalidName:
        return
    full = name.removesuffix(".pgp") + ".pgp"
    assert 0 < len(versions_name(full).encode()) <= 255
    assert not full.startswith(".")
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in "/\\" for c in full)
    assert not full.endswith(".versions")


def test_what_a_person_types_gets_nfc_and_pgp() -> None:
    assert post_name("e\u0301") == "é.pgp"
    assert post_name("x.json") == "x.json.pgp"
    assert post_name("x.json.pgp") == "x.json.pgp"
    with pytest.raises(InvalidName):
        check_post_name("x.json")


def test_clashes_are_case_and_normal_form_only() -> None:
    assert clashes("X.pgp", ["x.pgp", "y.pgp"]) == "x.pgp"
    assert clashes("e\u0301.pgp", ["é.pgp"]) == "é.pgp"
    assert clashes("E\u0301.pgp", ["é.pgp"]) == "é.pgp"
    assert clashes("STRASSE.pgp", ["straße.pgp"]) == "straße.pgp"
    assert clashes("e\u0301.pgp", ["e.pgp", "x.pgp"]) is None
    assert clashes("x.pgp", ["X.pgp", "x.pgp"]) is None, "what is held clashes with nothing"
    assert clashes("x.pgp", iter([])) is None


@given(st.text(max_size=20))
def test_case_and_normal_form_never_change_the_key(name: str) -> None:
    for form in ("NFC", "NFD"):
        assert fold(unicodedata.normalize(form, name)) == fold(name)
    assert fold(name.casefold()) == fold(name)


def test_a_random_name_tells_the_date_only() -> None:
    now = datetime(2026, 11, 20, 12, 30)
    names = {random_name(now, suffix) for suffix in ("json", ".json") for _ in range(500)}
    assert len(names) == 1000
    for name in names:
        assert name.startswith("2026-11-20-")
        assert name.endswith(".json")
        assert len(name) == len("2026-11-20-k3v9x2qa.json")
    assert "." not in random_name(now)


@pytest.mark.parametrize("name", ["family", "a/b/c", "Fußball", "my friends"])
def test_groups_nest(name: str) -> None:
    assert check_group(name) == name


BAD_GROUPS = ["", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/..", ".a", "@a", "known", "Known", "a/known"]
BAD_GROUPS += ["x.pgp", "account.pgp", "a\0", "a\nb", "a\\b", "\ud800", "x" * 256]


@pytest.mark.parametrize("name", BAD_GROUPS)
def test_bad_groups_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_group(name)


def test_a_group_is_normalised() -> None:
    assert check_group("e\u0301") == "é"


@pytest.mark.parametrize(
    "text", ["", "a" * 63, "A" * 64, "g" * 64, "a" * 65, "../" + "a" * 61, "a" * 64 + "\n"]
)
def test_a_version_is_named_by_its_sha256(text: str) -> None:
    with pytest.raises(InvalidName):
        check_sha256(text)
    assert check_sha256("0a" * 32) == "0a" * 32
