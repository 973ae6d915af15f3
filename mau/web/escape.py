"""Text that somebody chose, made harmless in HTML, XML and a script of data (spec/web.md W22-W24). Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote

# What XML 1.0 cannot hold, and HTML should not: controls, surrogates, noncharacters.
_ILLEGAL = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
# Turn the text around, or what follows it.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_REPLACED = "\ufffd"
# In JSON these stand in strings only; escaped there, nothing ends a script, begins a comment or a line.
_IN_SCRIPT = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029\x7f\x85"}


def legal(text: str) -> str:
    """The text with U+FFFD for each character that a document may not hold, and one kind of line end."""
    return _ILLEGAL.sub(_REPLACED, text.replace("\r\n", "\n").replace("\r", "\n"))


def plain(text: str) -> str:
    """Text for HTML and XML, between tags and in attributes."""
    return escape(legal(text), quote=True)


def line(text: str) -> str:
    """As `plain`, for one line among others: white space is one space, and nothing turns the line around."""
    return plain(_TURNING.sub(_REPLACED, " ".join(text.split())))


def script_data(json_text: str) -> str:
    """A JSON text as the content of a script element: the same value, and nothing in it ends the element."""
    return json_text.translate(_IN_SCRIPT)


def segment(name: str) -> str:
    """A name in a link: whatever stands in it, it is one segment of a relative path."""
    return quote(name, safe="")


def rfc3339(seconds: int) -> str:
    """A Unix time as Atom and HTML write it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
