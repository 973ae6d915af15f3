"""What RFC 9110 says about conditions and ranges, as a table and a few rules written from its text alone.

A *cell* is one value of a header field and what that value means for the file in question; nothing here reads
a header. Where Mau goes another way on purpose, the rule of spec/http.yaml stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Says(Enum):
    """What a field means for the file in question, before anything is decided."""

    NOTHING = auto()
    """It is not there, or RFC 9110 tells a recipient to ignore such a value."""
    TRUE = auto()
    FALSE = auto()


@dataclass(frozen=True)
class Cell:
    """A value, with ``{tag}``, ``{before}``, ``{same}`` and ``{after}`` to be filled in; None is no field."""

    value: str | None
    says: Says


@dataclass(frozen=True)
class Wanted:
    """A value of Range, and the parts of a file that it means; ``parts`` None: to be ignored."""

    value: str | None
    parts: tuple[tuple[int, int], ...] | None = None
    beyond: bool = False
    """No byte of the file is in it."""


ABSENT = Cell(None, Says.NOTHING)

# 13.1.1: strong comparison; "*" is true where there is something.
IF_MATCH = {
    "none": (ABSENT,),
    "true": (
        Cell("{tag}", Says.TRUE),
        Cell("*", Says.TRUE),
        Cell('"x", {tag}', Says.TRUE),
        Cell('W/"x" ,{tag},', Says.TRUE),
    ),
    "false": (Cell('"x"', Says.FALSE), Cell("W/{tag}", Says.FALSE), Cell('"", W/{tag}', Says.FALSE)),
}
# 13.1.2: weak comparison; the condition is true when *no* tag matches, and false for "*".
IF_NONE_MATCH = {
    "none": (ABSENT,),
    "true": (Cell('"x"', Says.TRUE), Cell('W/"x", "y"', Says.TRUE)),
    "false": (
        Cell("{tag}", Says.FALSE),
        Cell("W/{tag}", Says.FALSE),
        Cell("*", Says.FALSE),
        Cell('"x", W/{tag}', Says.FALSE),
    ),
}
# 13.1.3: true when modified after the date. H42: Mau ignores the field altogether, of files.
IF_MODIFIED_SINCE = {
    "none": (ABSENT,),
    "true": (Cell("{before}", Says.TRUE), Cell("Mon, 01 Jan 0001 00:00:00 GMT", Says.TRUE)),
    "false": (Cell("{same}", Says.FALSE), Cell("{after}", Says.FALSE)),
    "ignored": (Cell("yesterday", Says.NOTHING), Cell("0", Says.NOTHING)),
}
# 13.1.4: true when not modified after the date.
IF_UNMODIFIED_SINCE = {
    "none": (ABSENT,),
    "true": (Cell("{same}", Says.TRUE), Cell("{after}", Says.TRUE)),
    "false": (Cell("{before}", Says.FALSE), Cell("Sun Nov  6 08:49:37 1994", Says.FALSE)),
    "ignored": (Cell("tomorrow", Says.NOTHING), Cell("Sun, 31 Feb 2021 00:00:00 GMT", Says.NOTHING)),
}
# 13.1.5: strong comparison; a date must be the Last-Modified exactly. H44: Mau takes no date.
IF_RANGE = {
    "none": (ABSENT,),
    "true": (Cell("{tag}", Says.TRUE),),
    "false": (
        Cell('"x"', Says.FALSE),
        Cell("W/{tag}", Says.FALSE),
        Cell("{before}", Says.FALSE),
        Cell("{after}", Says.FALSE),
        Cell("{same}", Says.FALSE),  # H44; RFC 9110 lets it be true
    ),
}


def ranges(size: int) -> dict[str, tuple[Wanted, ...]]:
    """Section 14.1.2 for a file of ``size`` bytes (a hundred or more): first and last byte of each part."""
    last = size - 1
    return {
        "none": (Wanted(None),),
        "one": (
            Wanted("bytes=0-0", ((0, 0),)),
            Wanted("bytes=10-19", ((10, 19),)),
            Wanted("bytes=5-", ((5, last),)),
            Wanted("Bytes=20-999999999", ((20, last),)),
            Wanted("bytes=0-1,999999999-", ((0, 1),)),
        ),
        "several": (
            Wanted("bytes=0-1,5-6", ((0, 1), (5, 6))),
            Wanted("bytes=0-0, 10-19 ,-1", ((0, 0), (10, 19), (last, last))),
        ),
        "suffix": (
            Wanted("bytes=-5", ((size - 5, last),)),
            Wanted("bytes=-999999999", ((0, last),)),
        ),
        "unsatisfiable": (
            Wanted(f"bytes={size}-", beyond=True),
            Wanted("bytes=-0", beyond=True),
            Wanted("bytes=999999998-999999999,-0", beyond=True),
        ),
        "malformed": (Wanted("bytes=9-8"), Wanted("bytes=a-b"), Wanted("bytes"), Wanted("bytes=1-2-3")),
        "other unit": (Wanted("lines=0-1"), Wanted("none")),
        # 14.2 lets a server ignore what is no use; H43 says of which Mau does.
        "useless": (
            Wanted("bytes=0-9,5-20"),
            Wanted("bytes=50-60,0-10"),
            Wanted("bytes=" + ",".join(f"{n}-{n}" for n in range(9))),
        ),
    }


@dataclass(frozen=True)
class Asked:
    """One request, as far as it matters here."""

    method: str
    if_match: Cell
    if_none_match: Cell
    if_modified_since: Cell
    if_unmodified_since: Cell
    if_range: Cell
    range: Wanted


def status_of(asked: Asked, *, served: bool) -> int:
    """Section 13.2.2, step by step, for GET and HEAD of one file."""
    if not served:
        return 404  # 13.2.1: conditions are for what would be answered with success
    if asked.if_match.value is not None:  # step 1
        if asked.if_match.says is Says.FALSE:
            return 412
    elif asked.if_unmodified_since.says is Says.FALSE:  # step 2
        return 412
    if asked.if_none_match.says is Says.FALSE:  # step 3
        return 304
    # Step 4, If-Modified-Since, is left out: H42.
    if asked.method != "GET" or asked.range.value is None:  # 14.2: no range with HEAD
        return 200
    if asked.if_range.says is Says.FALSE:  # step 5
        return 200
    if asked.range.beyond:
        return 416
    return 206 if asked.range.parts is not None else 200
