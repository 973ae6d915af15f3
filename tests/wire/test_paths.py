"""HTTP paths and listings: what is read, what is refused, and that both ends agree."""

from __future__ import annotations

import contextlib
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import InvalidName, PeerMisbehaved
from mau.fingerprint import Fingerprint
from mau.tree.names import check_name
from mau.wire.listing import Item, dump_listing, parse_listing
from mau.wire.paths import (
    BadPath,
    UnknownPath,
    UnsupportedOperation,
    file_path,
    key_path,
    list_path,
    parse,
    version_path,
)
from mau.wire.targets import FileTarget, KeyTarget, ListTarget, VersionTarget

FPR = Fingerprint(bytes(range(20)))
OTHER = Fingerprint(bytes(20))
SUM = "ab" * 32


def is_name(text: str) -> bool:
    try:
        check_name(text + ".pgp")
    except InvalidName:
        return False
    return True


names = st.text(min_size=1, max_size=60).filter(is_name).map(lambda stem: stem + ".pgp")


# --- paths -------------------------------------------------------------------------------------------------


@given(names)
def test_every_name_comes_back_from_its_path(name: str) -> None:
    assert parse(file_path(FPR, name)) == FileTarget(FPR, name)
    assert parse(version_path(FPR, name, SUM)) == VersionTarget(FPR, name, SUM)
    assert file_path(FPR, name).isascii()


def test_a_listing_is_found_with_and_without_a_slash_a_query_and_an_origin() -> None:
    path = list_path(FPR)
    for spelling in (
        path,
        path + "/",
        path + "?after=1",
        path + "/?",
        f"https://peer:1{path}",
        f"HTTP://p{path}",
    ):
        assert parse(spelling) == ListTarget(FPR)


@given(st.binary(min_size=20, max_size=20).map(Fingerprint))
def test_every_key_is_found_by_its_path(owner: Fingerprint) -> None:
    assert parse(key_path(owner)) == KeyTarget(owner)
    assert parse(f"https://peer:1{key_path(owner)}&x") == KeyTarget(owner)
    assert parse(f"/pks/lookup?search=0X{owner.hex.upper()}&op=get") == KeyTarget(owner)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_question_for_a_key_is_one_or_an_error(operation: str, search: str) -> None:
    for query in (operation, f"op={operation}&search={search}", f"op=get&search={quote(search)}"):
        try:
            target = parse(f"/pks/lookup?{query.replace('#', '')}")
        except BadPath:
            continue
        assert isinstance(target, KeyTarget)
        assert target.owner.hex in search.lower()


def test_what_key_servers_do_besides_is_told_from_what_is_not_there() -> None:
    for operation in ("index", "vindex", "", "GET"):
        with pytest.raises(UnsupportedOperation):
            parse(f"/pks/lookup?op={operation}&search=0x{FPR}")
    with pytest.raises(UnknownPath):
        parse("/pks/lookup?op=get&search=somebody")


@pytest.mark.parametrize("folder", [".version", ".versions"])
@pytest.mark.parametrize("ending", ["", ".pgp"])
def test_a_version_has_four_spellings(folder: str, ending: str) -> None:
    path = f"/p2p/{FPR}/pic%20%C3%A9%201.bin.pgp{folder}/{SUM}{ending}"
    assert parse(path) == VersionTarget(FPR, "pic é 1.bin.pgp", SUM)


def test_a_name_with_percent_signs_is_decoded_once() -> None:
    assert parse(f"/p2p/{FPR}/100%2525.pgp") == FileTarget(FPR, "100%25.pgp")


def test_raw_utf8_in_a_request_line_is_understood() -> None:
    raw = f"/p2p/{FPR}/é.pgp".encode()
    assert parse(raw.decode("ascii", "surrogateescape")) == FileTarget(FPR, "é.pgp")
    assert parse(raw.decode()) == FileTarget(FPR, "é.pgp")


@pytest.mark.parametrize(
    "path",
    [
        "/p2p/abc",
        f"/p2p/{FPR.hex.upper()}",
        f"/p2p/{FPR}a",
        "/p2p/",
        "/p2p//",
        f"/p2p/{FPR}//",
        f"/p2p/{FPR}/../x",
        f"/p2p/{FPR}/..%2f..%2fetc",
        f"/p2p/{FPR}/a%00.pgp",
        f"/p2p/{FPR}/%zz.pgp",
        f"/p2p/{FPR}/%f.pgp",
        f"/p2p/{FPR}/%ff.pgp",
        f"/p2p/{FPR}/%ed%a0%80.pgp",
        f"/p2p/{FPR}/x.pgp/",
        f"/p2p/{FPR}/x.pgp/{SUM}",
        f"/p2p/{FPR}/x.pgp.version/{SUM[:-1]}",
        f"/p2p/{FPR}/x.pgp.version/{SUM.upper()}",
        f"/p2p/{FPR}/x.version/{SUM}",
        f"/p2p/{FPR}/x.pgp.version/{SUM}/",
        f"/p2p/{FPR}#x",
    ],
)
def test_what_is_no_path_is_said_to_be_none(path: str) -> None:
    with pytest.raises(BadPath) as caught:
        parse(path)
    assert not isinstance(caught.value, UnknownPath)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "*",
        "/p2p",
        "p2p/x",
        "/index.html",
        f"/{FPR}",
        f"//p2p/{FPR}",
        f"/p2p/{FPR}/tobob.json",
        f"/p2p/{FPR}/.",
        f"/p2p/{FPR}/..",
        f"/p2p/{FPR}/.pgp",
        f"/p2p/{FPR}/.hidden.pgp",
        f"/p2p/{FPR}/a%5Cb.pgp",
        f"/p2p/{FPR}/x.pgp.versions",
        f"/p2p/{FPR}/x.pgp.versions.pgp",
        f"/p2p/{FPR}/%0a.pgp",
        f"/p2p/{FPR}/{'a' * 300}.pgp",
        f"/p2p/{FPR}/..pgp.version/{SUM}",
    ],
)
def test_where_nothing_can_be_nothing_is_found(path: str) -> None:
    with pytest.raises(UnknownPath):
        parse(path)


@given(st.text(max_size=80))
def test_any_text_is_a_target_or_refused(tail: str) -> None:
    for path in (tail, "/p2p/" + tail, f"/p2p/{FPR}/{tail}"):
        try:
            target = parse(path)
        except BadPath:
            continue
        if not isinstance(target, ListTarget):
            assert check_name(target.name) == target.name
            assert "/" not in target.name


# --- listings ----------------------------------------------------------------------------------------------


@given(st.dictionaries(names, st.integers(0, 2**63 - 1), max_size=8))
def test_a_listing_says_what_was_put_in(sizes: dict[str, int]) -> None:
    items = [Item(name, size, SUM) for name, size in sizes.items()]
    body = dump_listing(FPR, items)
    assert parse_listing(body, FPR).items == items
    for entry, item in zip(json.loads(body), items, strict=True):
        assert entry == {"path": f"/p2p/{FPR}/{item.name}", "name": item.name, "size": item.size, "sum": SUM}


@pytest.mark.parametrize(
    "shape",
    [
        [{"path": f"/p2p/{FPR}/é x.pgp", "size": 3, "sum": SUM}],
        [{"name": "é x.pgp", "size": 3, "sum": SUM}],
        [{"name": "é x.pgp", "path": f"/p2p/{FPR}/é x.pgp", "size": 3, "sum": SUM, "more": [1]}],
        {"files": [{"path": "é x.pgp", "size": 3, "sum": SUM}]},
        {"files": [{"path": "é x", "size": 3, "sum": SUM}]},
        {"files": [{"path": f"/p2p/{FPR}/é x.pgp", "size": 3, "sum": SUM}]},
    ],
)
def test_the_shapes_of_all_implementations_are_read(shape: object) -> None:
    assert parse_listing(json.dumps(shape).encode(), FPR).items == [Item("é x.pgp", 3, SUM)]


@pytest.mark.parametrize("body", [b"[]", b"null", b" [ ] ", b'{"files": null}', b'{"files": []}'])
def test_empty_is_empty(body: bytes) -> None:
    listing = parse_listing(body, FPR)
    assert (listing.items, listing.refused) == ([], [])


GOOD = {"name": "x.pgp", "size": 1, "sum": SUM}


@pytest.mark.parametrize(
    "entry",
    [
        3,
        None,
        [],
        "x.pgp",
        {},
        {**GOOD, "name": "../x.pgp"},
        {**GOOD, "name": "x"},
        {**GOOD, "name": ""},
        {**GOOD, "name": 7},
        {**GOOD, "name": "\ud800.pgp"},
        {**GOOD, "name": "a\u202e\n.pgp"},
        {**GOOD, "name": ".mau.pgp"},
        {**GOOD, "name": "x.pgp.versions.pgp"},
        {**GOOD, "name": "a" * 300 + ".pgp"},
        {**GOOD, "path": f"/p2p/{OTHER}/x.pgp"},
        {**GOOD, "path": f"/p2p/{FPR}/y.pgp"},
        {**GOOD, "path": "x.pgp"},
        {**GOOD, "path": 5},
        {**GOOD, "path": f"/p2p/{FPR}/../x.pgp"},
        {**GOOD, "size": -1},
        {**GOOD, "size": 1.0},
        {**GOOD, "size": True},
        {**GOOD, "size": "1"},
        {**GOOD, "size": 2**63},
        {"name": "x.pgp", "sum": SUM},
        {**GOOD, "sum": SUM.upper()},
        {**GOOD, "sum": SUM[1:]},
        {**GOOD, "sum": None},
        {**GOOD, "sum": SUM + "\n"},
    ],
)
def test_a_bad_item_is_refused_alone(entry: object) -> None:
    other = {"name": "other.pgp", "size": 0, "sum": SUM}
    listing = parse_listing(json.dumps([entry, other]).encode(), FPR)
    assert listing.items == [Item("other.pgp", 0, SUM)]
    assert len(listing.refused) == 1
    assert listing.refused[0][1]


def test_a_name_listed_twice_counts_once() -> None:
    listing = parse_listing(json.dumps([GOOD, {**GOOD, "size": 2}]).encode(), FPR)
    assert listing.items == [Item("x.pgp", 1, SUM)]
    assert listing.refused == [("x.pgp", "listed twice")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"3",
        b'"x"',
        b"true",
        b"{}",
        b'{"files": 3}',
        b"\xff[]",
        b"[" * 100_000,
        b"[1" * 50_000,
        b"[" + b"9" * 5000 + b"]",
        b"[" + b"{}," * 100_000 + b"{}]",
        b"[" + b"0," * 100_000 + b"0]",
    ],
)
def test_what_is_no_listing_is_the_peers_fault(body: bytes) -> None:
    with pytest.raises(PeerMisbehaved):
        parse_listing(body, FPR)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_listing_or_the_peers_fault(body: bytes) -> None:
    with contextlib.suppress(PeerMisbehaved):
        parse_listing(body, FPR)


def test_a_long_honest_listing_is_no_bomb() -> None:
    items = [Item(f"{number}, {{[ {quote('é')}.pgp", number, SUM) for number in range(20_000)]
    assert parse_listing(dump_listing(FPR, items), FPR).items == items
