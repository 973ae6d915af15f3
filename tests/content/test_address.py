"""Addresses: every spelling of one thing is one value, everything else is None or one error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.address import Address, base_iri, person_iri, post_iri, resolve_iri
from mau.errors import AddressMalformed, InvalidName
from mau.fingerprint import Fingerprint
from mau.tree.names import check_post_name

A = Fingerprint(b"\xaa" * 20)
B = Fingerprint(b"\xbb" * 20)
SHA = "0123456789abcdef" * 4


def _valid(name: str) -> bool:
    try:
        check_post_name(name)
    except InvalidName:
        return False
    return True


post_names = st.text(min_size=1, max_size=60).map(lambda stem: stem + ".pgp").filter(_valid)


@given(post_names)
def test_a_post_is_found_again_under_the_address_we_write(name: str) -> None:
    iri = post_iri(A, name)
    assert iri.isascii()
    assert " " not in iri
    assert resolve_iri(iri, B) == Address(A, name)


@given(post_names)
def test_a_version_is_found_again_under_the_address_we_write(name: str) -> None:
    address = Address(A, name, SHA)
    assert resolve_iri(str(address), B) == address


@given(post_names, st.data())
def test_escaping_more_than_is_needed_changes_nothing(name: str, data: st.DataObject) -> None:
    encoded = "".join(
        f"%{byte:02{data.draw(st.sampled_from('xX'))}}"
        if data.draw(st.booleans()) or byte > 126
        else chr(byte)
        for byte in name.encode()
        if byte not in b'%?#<>"{}|\\^` '
    )
    expected = "".join(char for char in name if char not in '%?#<>"{}|\\^` ')
    if expected not in {"", ".", ".."}:
        assert resolve_iri(f"mau:/p2p/{A}/{encoded}", A) == Address(A, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"mau:/p2p/{B}", Address(B)),
        (f"mau:/p2p/{B}/", Address(B)),
        (f"MAU:/p2p/{B}/x.pgp", Address(B, "x.pgp")),
        (f"mau:/p2p/{B}/x.pgp", Address(B, "x.pgp")),
        (f"mau://example.org:8080/p2p/{B}/x.pgp", Address(B, "x.pgp")),
        (f"mau://[2001:db8::1]:8080/p2p/{B}/x.pgp", Address(B, "x.pgp")),
        (f"mau:///p2p/{B}/x.pgp", Address(B, "x.pgp")),
        (f"//example.org/p2p/{B}/x.pgp", Address(B, "x.pgp")),
        (f"/p2p/{B}/x.pgp", Address(B, "x.pgp")),
        (f"/p2p/{B}/x.pgp.version/{SHA}", Address(B, "x.pgp", SHA)),
        (f"../{B}/x.pgp", Address(B, "x.pgp")),
        ("x.pgp", Address(A, "x.pgp")),
        ("./x.pgp", Address(A, "x.pgp")),
        ("x%20y.pgp", Address(A, "x y.pgp")),
        ("gr\u00fc\u00dfe.pgp", Address(A, "gr\u00fc\u00dfe.pgp")),
        ("x", Address(A, "x")),
        ("", Address(A)),
        (".", Address(A)),
        ("x.pgp.version", Address(A, "x.pgp.version")),
    ],
)
def test_spellings(text: str, expected: Address) -> None:
    assert resolve_iri(text, A) == expected


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/p2p/x",
        "http://example.org",
        "urn:uuid:0",
        "mailto:a@b",
        "_:b0",
        "x:y.pgp",
        "MAUI:/p2p/",
        "data:,x",
    ],
)
def test_other_schemes_are_somebody_elses(text: str) -> None:
    assert resolve_iri(text, A) is None


@pytest.mark.parametrize(
    "text",
    [
        "mau:",
        "mau:/",
        "mau:/p2p",
        "mau:/p2p/",
        "mau:/p2p/me",
        f"mau:/p2p/{str(B).upper()}",
        f"mau:/p2p/{B}0",
        f"mau:p2p/{B}",
        f"mau:/P2P/{B}",
        f"mau:/p2p/{B}/a/b",
        f"mau:/p2p/{B}/x.pgp/",
        f"mau:/p2p/{B}/x.pgp.version/{SHA[:-1]}",
        f"mau:/p2p/{B}/x.pgp.version/{SHA.upper()}",
        f"mau:/p2p/{B}/x.pgp.versions/{SHA}",
        f"mau:/p2p/{B}/.version/{SHA}",
        f"mau:/p2p/{B}/x.pgp?y",
        f"mau:/p2p/{B}/x.pgp#y",
        f"mau:/p2p/{B}/x.pgp#",
        f"mau:/p2p/{B}/..",
        f"mau:/p2p/{B}/%2e%2e",
        f"mau:/p2p/{B}/../x",
        f"mau:/p2p/{B}/a%2Fb",
        f"mau:/p2p/{B}/a%00b",
        f"mau:/p2p/{B}/a%ffb",
        f"mau:/p2p/{B}/a%zzb",
        f"mau:/p2p/{B}/a%",
        f"mau:/p2p/{B}/a b.pgp",
        f"mau:/p2p/{B}/a\nb.pgp",
        f"mau:/p2p/{B}/a\\b.pgp",
        f"mau:/p2p/{B}/\ud800.pgp",
        f"mau://a/b@c/p2p/{B}",
        f"mau://us er@host/p2p/{B}",
        " mau:/p2p/x",
        "#me",
        "?x",
        "a b",
        "../x.pgp",
        "/",
        "1x:y",
    ],
)
def test_broken_addresses_are_refused(text: str) -> None:
    with pytest.raises(AddressMalformed):
        resolve_iri(text, A)


@given(st.text() | st.text(alphabet="mau:/p2%.aABbfF0?#").map(lambda tail: f"mau:/p2p/{B}" + tail))
def test_any_text_is_an_address_or_none_or_one_error(text: str) -> None:
    try:
        address = resolve_iri(text, A)
    except AddressMalformed:
        return
    if address is not None:
        assert resolve_iri(str(address), B) == address
        assert address.name is None or not {"/", "\0"} & set(address.name)


def test_person_and_base() -> None:
    assert person_iri(A) == f"mau:/p2p/{A}"
    assert base_iri(A) == f"mau:/p2p/{A}/"
    assert str(Address(A)) == person_iri(A)
