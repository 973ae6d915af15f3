"""What a path in an archive stands for: understood or refused, never repaired (spec/backup.md B10-B14)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.backup.members import Place, place_of, prefix_of, split_path
from mau.errors import InvalidName
from mau.fingerprint import Fingerprint

FPR = Fingerprint(bytes(range(20)))
F = FPR.hex
SUM = "ab" * 32


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (".mau/account.pgp", Place("account")),
        (f".mau/{F}.pgp", Place("key", FPR)),
        (f".mau/known/{F}.pgp", Place("key", FPR, group="known")),
        (f".mau/work/team/{F}.pgp", Place("key", FPR, group="work/team")),
        (f"revocation-{F}.asc", Place("revocation", FPR)),
        (f"{F}/x.pgp", Place("post", FPR, False, "x.pgp")),
        (f".{F}/ü.json.pgp", Place("post", FPR, True, "ü.json.pgp")),
        (f"{F}/x.pgp.versions/{SUM}.pgp", Place("version", FPR, False, "x.pgp", SUM)),
        (f"{F}/x.pgp.versions/{SUM}", Place("version", FPR, False, "x.pgp", SUM)),
        (f"{F}/x.pgp.versions/other", Place("other", FPR, inner=("x.pgp.versions", "other"))),
        (f"{F}/draft", Place("other", FPR, inner=("draft",))),
        (f"{F}/sub/x.pgp", Place("other", FPR, inner=("sub", "x.pgp"))),
        (f"{F}/.mau-0123456789abcdef.tmp", Place("derived")),
        (f"{F}/.mau.lock", Place("derived")),
        (".index/current", Place("derived")),
        (".mau-0123456789abcdef.tmp", Place("derived")),
    ],
)
def test_each_part_of_a_tree_is_known_by_its_path(path: str, place: Place) -> None:
    assert place_of(split_path(path), directory=False) == place


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../x",
        f"{F}/../x.pgp",
        f"{F}/x.pgp/../../y",
        "etc/passwd",
        f"{F.upper()}/x.pgp",
        ".mau/x.pgp",
        ".mau/account.pgp.bak",
        f".mau/{F}",
        f".mau/.hidden/{F}.pgp",
        f".mau/a.pgp/{F}.pgp",
        f"{F}/.x.pgp",
        f"{F}/a\x1bb.pgp",
        f"{F}/{'x' * 250}.pgp",
        f"{F}/x.pgp.versions.pgp",
        f"{F}/a\nb",
        f"{F}/{'a/' * 40}x",
        f"{F}",
        ".mau",
        ".config/x",
        "revocation-x.asc",
    ],
)
def test_whatever_else_is_refused(path: str) -> None:
    with pytest.raises(InvalidName):
        place_of(split_path(path), directory=False)


def test_what_stands_before_the_tree_is_found_by_where_dot_mau_lies() -> None:
    paths = [split_path(path) for path in ("./home/me/Mau/.mau/account.pgp", f"home/me/Mau/{F}/x", "x/y")]
    assert prefix_of(paths) == ("home", "me", "Mau")
    assert prefix_of([split_path(f"./{F}/x.pgp")]) == ()
    assert prefix_of([split_path("etc/passwd")]) is None


@given(st.text(alphabet=f"/.a\x00ü\n{F}", max_size=60), st.booleans())
def test_a_place_never_leads_anywhere_but_down(path: str, directory: bool) -> None:
    try:
        place = place_of(split_path(path), directory=directory)
    except InvalidName:
        return
    if place is not None:
        for part in (place.name, *place.inner, *place.group.split("/")):
            assert "/" not in part
            assert part not in (".", "..")
            assert "\0" not in part
