"""What is sealed of invites and requests is read as it was written, and anything else is nothing."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from mau.fingerprint import Fingerprint
from mau.invite.facts import (
    Invite,
    Request,
    dump_invite,
    dump_request,
    hashed,
    id_of,
    load_invite,
    load_request,
)
from mau.invite.link import Link

GUEST = Fingerprint(bytes(range(20)))
moments = st.integers(0, 2**40)
notes = st.text(max_size=200)


@given(moments, moments, st.integers(1, 100), notes, st.integers(0, 200))
def test_an_invite(made: int, expires: int, uses: int, note: str, used: int) -> None:
    digest = hashed("token")
    left = max(0, uses - used)
    assert load_invite(digest, dump_invite(made, expires, uses, note), used) == Invite(
        id_of(digest), made, expires, uses, left, note
    )


@given(st.binary(), moments, notes, st.sampled_from(["", "Bob", "Zoë & co"]))
def test_a_request(certificate: bytes, asked: int, note: str, name: str) -> None:
    link = Link(GUEST, name, (("::1", 1), ("host", 2)), ((GUEST, ("host", 3)),))
    request = Request(certificate, asked, "abcdef01", note, link)
    assert load_request(GUEST, dump_request(request)) == request
    assert load_request(Fingerprint(bytes(20)), dump_request(request)) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=6)
)


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_anything_else(value: bytes) -> None:
    found = load_invite(hashed("token"), value, 0)
    assert found is None or len(json.loads(value)) == 4
    assert load_request(GUEST, value) is None
