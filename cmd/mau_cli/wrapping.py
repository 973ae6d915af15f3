"""Lines that are no wider than a terminal, made of texts in several styles. Pure.

Columns are those of `output.width`: two for East Asian wide characters, none for what combines with the one
before. Lines break at spaces and beside wide characters; what is longer than a line is cut, so that nothing
that others wrote begins where it was not put.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Final

from mau_cli.output import clean_lines, width

LEAST: Final = 8
"""Columns that a text has at least, however much stands before it."""


class Style(IntFlag):
    """How a text looks where the terminal can show it."""

    PLAIN = 0
    BOLD = 1
    ITALIC = 2
    UNDERLINE = 4
    DIM = 8
    STRUCK = 16


Span = tuple[str, Style]
Line = list[Span]

_PARTS: Final = re.compile(
    # Spaces; one wide character; a run of others. The ranges hold all that is wide, and some more.
    "( +)|([\u1100-\u115f\u231a-\u27bf\u2b1b-\u2b55\u2e80-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff"
    "\ufe10-\ufe6b\uff01-\uff60\uffe0-\uffe6\U00016fe0-\U0001b2fb\U0001f004-\U0001faff\U00020000-\U0003fffd])"
    "|([^ \u1100-\u115f\u231a-\u27bf\u2b1b-\u2b55\u2e80-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff"
    "\ufe10-\ufe6b\uff01-\uff60\uffe0-\uffe6\U00016fe0-\U0001b2fb\U0001f004-\U0001faff\U00020000-\U0003fffd]+)"
)
_NOT_FIRST: Final = frozenset(
    "、。，．・：；？！゛゜ー）］｝〉》」』】〕〗々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
)
"""Wide characters before which no line breaks."""
_MARKS: Final = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u06d6-\u06ed\u0e31"
    "\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    "\ufe20-\ufe2f"
)
_PILE: Final = re.compile(f"([{_MARKS}]{{6}})[{_MARKS}]+")
"""More marks on one letter than any language has: they reach into the lines above and below."""


@dataclass(slots=True)
class _Unit:
    """What is not broken; `space` stands before it where it is not the first of a line."""

    spans: list[Span] = field(default_factory=list)
    space: str = ""
    columns: int = 0
    wide: bool = False


def wrapped(spans: Iterable[Span], columns: int, first: str = "", rest: str | None = None) -> list[Line]:
    """The lines of some texts without line feeds; `first` is before the first, `rest` before others."""
    rest = " " * width(first) if rest is None else rest
    lines: list[Line] = []
    line, used = [(first, Style.PLAIN)] if first else [], 0
    room = max(columns - width(first), LEAST)
    rest_room = max(columns - width(rest), LEAST)

    def end() -> None:
        nonlocal line, used, room
        lines.append(line)
        line, used, room = [(rest, Style.PLAIN)] if rest else [], 0, rest_room

    for unit in _units(spans):
        space = unit.space if used else ""
        if used and used + len(space) + unit.columns > room:
            end()
            space = ""
        if space:
            # Styled as what is on both sides of it, where these are the same.
            style = unit.spans[0][1]
            _append(line, space, style if line and line[-1][1] == style else Style.PLAIN)
            used += len(space)
        if unit.columns <= room - used:
            for text, style in unit.spans:
                _append(line, text, style)
            used += unit.columns
            continue
        for text, style in unit.spans:
            for part in _cut(text, room - used, rest_room):
                taken = width(part)
                if used and used + taken > room:
                    end()
                _append(line, part, style)
                used += taken
    lines.append(line)
    return lines


def calmed(text: str) -> str:
    """A text of several lines, cleaned, and with at most six marks on one letter."""
    return _PILE.sub(r"\1", clean_lines(text))


def wrapped_text(text: str, columns: int, indent: str = "") -> list[str]:
    """The lines of a text of several lines, cleaned; each begins with `indent` and with its own spaces."""
    lines: list[str] = []
    for line in calmed(text).split("\n"):
        bare = line.lstrip(" ")
        before = indent + " " * max(
            min(len(line) - len(bare), columns // 2, columns - LEAST - len(indent)), 0
        )
        lines += [plain(one) for one in wrapped([(bare, Style.PLAIN)], columns, before)]
    return lines


def cut_lines(text: str, columns: int, style: Style) -> Iterator[Line]:
    """The lines of a text as they are, cut where they are too long: code."""
    for line in calmed(text).split("\n"):
        for part in _cut(line, columns, columns) or [""]:
            yield [(part, style)]


def plain(line: Line) -> str:
    """A line without its styles, and without spaces at its end."""
    return "".join(text for text, _ in line).rstrip()


def _append(line: Line, text: str, style: Style) -> None:
    if line and line[-1][1] == style:
        line[-1] = line[-1][0] + text, style
    else:
        line.append((text, style))


def _units(spans: Iterable[Span]) -> Iterator[_Unit]:
    unit = _Unit()
    space = ""
    for text, style in spans:
        for blank, wide, other in _PARTS.findall(text):
            if blank:
                if unit.spans:
                    yield unit
                unit, space = _Unit(), blank
                continue
            part = wide or other
            begins = unit.spans and (wide or unit.wide) and part not in _NOT_FIRST
            if begins and not (_joined(unit.spans[-1][0]) if wide else _combines(part[0])):
                yield unit
                unit = _Unit()
            if not unit.spans:
                unit.space, space = space, ""
            unit.spans.append((part, style))
            unit.columns += 2 if wide and unicodedata.east_asian_width(wide) == "W" else width(part)
            unit.wide = bool(wide)
    if unit.spans:
        yield unit


def _joined(text: str) -> bool:
    """Whether the next character is one picture with this."""
    return text.endswith("\u200d")


def _combines(character: str) -> bool:
    return unicodedata.category(character) in {"Mn", "Me", "Cf"}


def _cut(text: str, first: int, rest: int) -> list[str]:
    """A text in parts of at most so many columns; whole when it fits a line of its own."""
    if width(text) <= max(first, rest):
        return [text] if text else []
    parts, begin, used, room = [], 0, 0, max(first, 1)
    for position, character in enumerate(text):
        columns = width(character)
        if used + columns > room and position > begin:
            parts.append(text[begin:position])
            begin, used, room = position, 0, max(rest, 1)
        used += columns
    parts.append(text[begin:])
    return parts
