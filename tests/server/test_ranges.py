"""Which bytes a Range asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.server.ranges import MAX_SPANS, Span, Unsatisfiable, multipart, parse_range


@pytest.mark.parametrize(
    ("header", "spans"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=10-19", [(10, 20)]),
        ("bytes=90-", [(90, 100)]),
        ("bytes=-5", [(95, 100)]),
        ("bytes=-1000", [(0, 100)]),
        ("bytes=0-999", [(0, 100)]),
        (f"bytes=5-{'9' * 5000}", [(5, 100)]),
        ("BYTES=0-1", [(0, 2)]),
        ("bytes= 0-1 , 5-6 ", [(0, 2), (5, 7)]),
        ("bytes=0-1,,5-6,", [(0, 2), (5, 7)]),
        ("bytes=0-1,200-300", [(0, 2)]),
        ("bytes=0-49,50-99", [(0, 50), (50, 100)]),
        ("bytes=99-", [(99, 100)]),
        ("bytes=00000000000000000000001-2", [(1, 3)]),
        ("bytes=0-1,-0", [(0, 2)]),
    ],
)
def test_ranges_of_a_hundred_bytes(header: str, spans: list[tuple[int, int]]) -> None:
    assert parse_range(header, 100) == [Span(*span) for span in spans]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5",
        "bytes=5-4",
        "lines=0-1",
        "bytes=0-1;2-3",
        "bytes=,",
        "bytes=0x1-2",
        "bytes=1 -2",
        "bytes=٠-١",
        "bytes=-5-6",
        "bytes=0-10,5-20",
        "bytes=50-60,0-10",
        "bytes=" + ",".join(f"{n}-{n}" for n in range(MAX_SPANS + 1)),
    ],
)
def test_a_range_that_is_none_or_no_use_is_ignored(header: str) -> None:
    assert parse_range(header, 100) is None


@pytest.mark.parametrize(
    "header", ["bytes=100-", "bytes=99999-", "bytes=-0", "bytes=100-200,300-", f"bytes={'9' * 5000}-"]
)
def test_a_range_beyond_the_end_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, 100)


def test_an_empty_file_has_no_parts() -> None:
    assert parse_range("bytes=0-", 0) is None


@given(st.text(alphabet="bytes=0123456789-, *x", max_size=40), st.integers(0, 1000))
def test_whatever_is_asked_lies_inside(header: str, size: int) -> None:
    for text in (header, "bytes=" + header):
        try:
            spans = parse_range(text, size)
        except Unsatisfiable:
            continue
        for span in spans or ():
            assert 0 <= span.start < span.end <= size
        assert sum(span.length for span in spans or ()) <= size


def test_the_frame_of_several_parts_has_the_announced_length() -> None:
    content = bytes(range(100))
    spans = [Span(0, 2), Span(5, 7)]
    heads, end, length = multipart(spans, 100, "application/octet-stream", "b")
    body = b"".join(head + content[s.start : s.end] for head, s in zip(heads, spans, strict=True)) + end
    assert len(body) == length
    assert body.startswith(
        b"\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 0-1/100\r\n\r\n\0\1"
    )
    assert body.endswith(b"\r\n--b--\r\n")
