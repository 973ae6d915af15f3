"""Dates, entity tags and conditional requests (RFC 9110 sections 5.6.7, 8.8.3 and 13). Pure.

One deviation, on purpose: ``If-Modified-Since`` never makes a 304 (spec/http.yaml). A date has whole seconds,
so it cannot tell two contents of one second apart, and another implementation's client takes a 304 for a
failure. Only ``If-None-Match`` gets 304.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import lru_cache

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG_DAY = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT",  # the one to write
        rf"{_LONG_DAY}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT",  # RFC 850
        rf"{_DAY} {_MONTH} (?P<day>[ 0-9][0-9]) {_TIME} (?P<year>[0-9]{{4}})",  # asctime
    )
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_TAGS = re.compile(rf"[ \t]*,*[ \t]*(?:{_TAG.pattern}[ \t]*(?:,[ \t]*)*)+", re.ASCII)
_LEAP_SECOND = 60


@lru_cache(1024)
def http_date(seconds: int) -> str:
    """Unix seconds as an HTTP date."""
    return formatdate(seconds, usegmt=True)


def parse_date(text: str, now: int) -> int:
    """Unix seconds of an HTTP date in any of its three forms, from year 1 (negative) on; else ValueError.

    ``now`` decides the century of a two-digit year: at most 50 years ahead.
    """
    for form in _FORMS:
        match = form.fullmatch(text)
        if match is not None:
            break
    else:
        raise ValueError("not an HTTP date")
    year = int(match["year"])
    if len(match["year"]) == 2:
        this_year = (_EPOCH + timedelta(seconds=now)).year
        year += this_year - this_year % 100
        if year > this_year + 50:
            year -= 100
    second = int(match["second"])
    moment = datetime(
        year,
        _MONTHS.index(match["month"]) + 1,
        int(match["day"]),
        int(match["hour"]),
        int(match["minute"]),
        second - (second == _LEAP_SECOND),
        tzinfo=UTC,
    )
    return timegm(moment.utctimetuple())


def quoted(tag: str) -> str:
    """A strong entity tag as it stands in a header."""
    return f'"{tag}"'


def tag_matches(header: str, tag: str, *, weak: bool) -> bool:
    """Whether the list of entity tags (or ``*``) names the strong tag ``tag``; nonsense names nothing.

    ``weak`` is the comparison of If-None-Match (``W/"x"`` counts), otherwise that of If-Match.
    """
    if header.strip(" \t") == "*":
        return True
    if not _TAGS.fullmatch(header):
        return False
    return any(found == tag and (weak or not weakness) for weakness, found in _TAG.findall(header))


def failed_condition(headers: Mapping[str, str], *, tag: str, modified: int, now: int) -> int | None:
    """The status that a conditional GET or HEAD ends with before its range is looked at: 412, 304 or None."""
    if_match = headers.get("If-Match")
    if if_match is not None:
        if not tag_matches(if_match, tag, weak=False):
            return 412
    elif "If-Unmodified-Since" in headers and _modified_after(headers["If-Unmodified-Since"], modified, now):
        return 412
    if_none_match = headers.get("If-None-Match")
    if if_none_match is not None and tag_matches(if_none_match, tag, weak=True):
        return 304
    return None


def range_applies(headers: Mapping[str, str], *, tag: str) -> bool:
    """Whether there is a ``Range`` to honour: If-Range must name the strong tag, a date is not enough."""
    if_range = headers.get("If-Range")
    return "Range" in headers and (if_range is None or if_range.strip(" \t") == quoted(tag))


def _modified_after(date: str, modified: int, now: int) -> bool:
    try:
        return modified > parse_date(date, now)
    except ValueError:
        return False  # a date that is none is as good as not sent
