"""Where a listing goes on: only the one form counts, and nothing that a peer writes is followed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.fingerprint import Fingerprint
from mau.wire.links import next_cursor

AUTHOR = Fingerprint(bytes(range(20)))
OTHER = Fingerprint(bytes(20))
PATH = f"/p2p/{AUTHOR}?limit=10&cursor=abc"


@pytest.mark.parametrize(
    "headers",
    [
        [f'<{PATH}>; rel="next"'],
        [f"<{PATH}>;rel=next"],
        [f"<{PATH}> ; REL = NEXT"],
        [f'</p2p/{AUTHOR}?cursor=zzz>; rel="prev", <{PATH}>; rel="next"'],
        [f'</p2p/{AUTHOR}?cursor=zzz>; rel="prev"', f'<{PATH}>; rel="next"'],
        [f'<{PATH}>; title="a, b; <c>; \\"rel=prev\\""; rel="up next"'],
        [f'<{PATH}>; rel="next"; rel="prev"'],
        [f'<https://example.org/>; rel="describedby", , <{PATH}>; rel="next",'],
        [f'<{PATH}>; rel="next", <{PATH}>; rel="next"'],
    ],
)
def test_the_next_cursor_is_read(headers: list[str]) -> None:
    assert next_cursor(headers, AUTHOR) == "abc"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["nonsense"],
        [f"{PATH}; rel=next"],
        [f"<{PATH}>"],
        [f'<{PATH}>; rel="prev"'],
        [f'<{PATH}>; rel="nextish"'],
        [f'<{PATH}>; rel="prev"; rel="next"'],
        [f'<{PATH}>; rel="next"; anchor="/elsewhere"'],
        [f'<{PATH}>; rel="next'],
        [f'<{PATH}; rel="next"'],
        [f'<{PATH}>; rel="next", and more'],
        [f'</p2p/{OTHER}?cursor=abc>; rel="next"'],
        [f'<https://evil.example{PATH}>; rel="next"'],
        [f'<//evil.example{PATH}>; rel="next"'],
        ['<?cursor=abc>; rel="next"'],
        [f'</p2p/{AUTHOR}>; rel="next"'],
        [f'</p2p/{AUTHOR}?limit=10>; rel="next"'],
        [f'</p2p/{AUTHOR}?cursor=>; rel="next"'],
        [f'</p2p/{AUTHOR}?cursor=a%20b>; rel="next"'],
        [f'</p2p/{AUTHOR}?cursor={"x" * 257}>; rel="next"'],
        [f'</p2p/{AUTHOR}?cursor=a&cursor=b>; rel="next"'],
        [f'</p2p/{AUTHOR}/x.pgp?cursor=abc>; rel="next"'],
        [f'</p2p/{AUTHOR}/../{OTHER}?cursor=abc>; rel="next"'],
        [f'<{PATH}>; rel="next", </p2p/{AUTHOR}?cursor=other>; rel="next"'],
        [f'<{PATH}>; rel="next"', f'</p2p/{OTHER}?cursor=abc>; rel="next"'],
        [f'<{PATH}>; rel="next"', " " * 5000],
    ],
)
def test_anything_else_is_no_link(headers: list[str]) -> None:
    assert next_cursor(headers, AUTHOR) is None


@given(st.lists(st.text(alphabet='<>;,="\\ relnextabc/?&' + PATH, max_size=60), max_size=4))
def test_whatever_stands_there_it_is_a_cursor_or_none(headers: list[str]) -> None:
    found = next_cursor(headers, AUTHOR)
    assert found is None or found.replace("-", "_").isidentifier() or found.isalnum()
