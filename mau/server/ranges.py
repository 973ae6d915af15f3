"""Parts of a file: the bytes a ``Range`` asks for, the frame around several parts (RFC 9110 14). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

MAX_SPANS = 8
"""More ranges than this in one request are answered with the whole file: reading it once is cheaper."""

_SPEC = re.compile(r"(?P<first>[0-9]*)-(?P<last>[0-9]*)")
_HUGE_DIGITS = 19
_HUGE = 10**_HUGE_DIGITS


class Unsatisfiable(Exception):
    """No byte of the file is in the ranges: 416."""


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from ``start`` up to, not including, ``end``."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """In bytes."""
        return self.end - self.start

    def content_range(self, size: int) -> str:
        """The value of Content-Range for this part of ``size`` bytes."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


def whole(size: int) -> Span:
    """All of a file."""
    return Span(0, size)


def parse_range(header: str, size: int) -> list[Span] | None:
    """The parts that a Range header asks for of a file of ``size`` bytes, in its order.

    None means the header is to be ignored: another unit, malformed, or a set that is no use (more than
    MAX_SPANS, or parts that overlap or go backwards, which only cost). Raises Unsatisfiable.
    """
    unit, equals, text = header.strip(" \t").partition("=")
    if unit.lower() != "bytes" or not equals or size == 0:
        return None
    spans: list[Span] = []
    specs = [spec for spec in (part.strip(" \t") for part in text.split(",")) if spec]
    if not specs or len(specs) > MAX_SPANS:
        return None
    for spec in specs:
        match = _SPEC.fullmatch(spec)
        if match is None or spec == "-":
            return None
        if not match["first"]:
            length = min(_number(match["last"]), size)
            if length:
                spans.append(Span(size - length, size))
            continue
        first = _number(match["first"])
        last = _number(match["last"]) if match["last"] else size - 1
        if match["last"] and last < first:
            return None
        if first < size:
            spans.append(Span(first, min(last + 1, size)))
    if not spans:
        raise Unsatisfiable
    if any(later.start < earlier.end for earlier, later in pairwise(spans)):
        return None
    return spans


def _number(digits: str) -> int:
    """Digits as a number; absurdly long ones are simply far beyond any file."""
    digits = digits.lstrip("0")
    return _HUGE if len(digits) > _HUGE_DIGITS else int(digits or "0")


def multipart(
    spans: list[Span], size: int, content_type: str, boundary: str
) -> tuple[list[bytes], bytes, int]:
    """The frame of multipart/byteranges: what stands before each part, what ends it, and the bytes in all."""
    heads = [
        (
            f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\n"
            f"Content-Range: {span.content_range(size)}\r\n\r\n"
        ).encode("ascii")
        for span in spans
    ]
    end = f"\r\n--{boundary}--\r\n".encode("ascii")
    total = sum(map(len, heads)) + sum(span.length for span in spans) + len(end)
    return heads, end, total
