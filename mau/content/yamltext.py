"""YAML as it stands between the ``---`` lines of a page: a small part of YAML 1.2 (spec/writing.md P20-P29).

Mappings, lists and scalars, nothing else: no anchors and aliases (a few of them unfold without end), no tags
(they make objects), no key twice. What a plain scalar means is JSON's meaning: ``true``, ``false``, ``null``
and JSON's numbers; ``NO``, ``0123`` and ``2026-11-21`` are the texts that they look like. A word that takes
text takes a plain scalar as it was typed, so `read` leaves it a text of its own class, `Plain`; `resolved`
says what it is for a word that takes anything. Pure.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from mau.errors import PageMalformed

MAX_TEXT: Final = 64 * 1024
"""Characters between the ``---`` lines; the parser takes two seconds for the worst of that length."""
MAX_DEPTH: Final = 16
MAX_KEY: Final = 200  # characters; YAML ends at 1024

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
_CONSTANTS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None, "~": None, "": None}
_PLAIN_START: Final = re.compile(r"[^\W_]|[./(+]")
_NOT_PLAIN: Final = re.compile(r": |:$| #| $|^\.\.\.")
_FLOW: Final = re.compile(r"[,\[\]{}]")


class Plain(str):
    """A scalar without quotes: a text for a word that takes text, else what JSON makes of it."""

    __slots__ = ()


# --- reading -----------------------------------------------------------------------------------------------


def read(text: str, *, line: int = 1) -> tuple[dict[str, Any], dict[str, int]]:
    """The mapping that `text` is, and in which line each of its words stands.

    `line` is the number of its first line, for messages. An empty value is None. PageMalformed.
    """
    if len(text) > MAX_TEXT:
        raise PageMalformed(f"there are more than {MAX_TEXT // 1024} KiB between the --- lines")
    reading = _Reading(line)
    for kind, value, at in _events(text, line):
        reading.take(kind, value, at)
    if reading.result is None or reading.result == "":
        return {}, {}
    if not isinstance(reading.result, dict):
        raise PageMalformed(
            f"line {line}: between the --- lines stand words and what they are, as in `title: Tea`"
        )
    return reading.result, reading.lines


def resolved(value: Any) -> Any:
    """A value of `read` with every plain scalar as what JSON makes of it."""
    if isinstance(value, Plain):
        if value in _CONSTANTS:
            return _CONSTANTS[value]
        return _number(value)
    if isinstance(value, dict):
        return {key: resolved(one) for key, one in value.items()}
    return [resolved(one) for one in value] if isinstance(value, list) else value


def _number(text: str) -> int | float | str:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return str(text)
    if match[1] is None and match[2] is None:
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else str(text)


@dataclass(slots=True)
class _Reading:
    """Builds values from events, without recursion."""

    line: int
    result: Any = None
    lines: dict[str, int] = field(default_factory=dict)
    _open: list[dict[str, Any] | list[Any]] = field(default_factory=list)
    _keys: list[str | None] = field(default_factory=list)

    def take(self, kind: str, value: str, at: int) -> None:
        """One event: a scalar, or a mapping or list that begins or ends."""
        if kind == "end":
            self._open.pop()
            self._keys.pop()
            return
        here = self._open[-1] if self._open else None
        if isinstance(here, dict) and self._keys[-1] is None:
            self._key(here, kind, value, at)
            return
        made: Any = (
            {} if kind == "map" else [] if kind == "list" else value if value or kind == "text" else None
        )
        if isinstance(here, dict):
            here[str(self._keys[-1])] = made
            self._keys[-1] = None
        elif here is not None:
            here.append(made)
        else:
            self.result = made
        if kind in {"map", "list"}:
            self._open.append(made)
            self._keys.append(None)
            if len(self._open) > MAX_DEPTH:
                raise PageMalformed(f"line {at}: nested more than {MAX_DEPTH} deep")

    def _key(self, here: dict[str, Any], kind: str, value: str, at: int) -> None:
        if kind not in {"plain", "text"} or (not value and kind == "plain"):
            raise PageMalformed(f"line {at}: a word belongs before the colon")
        if value in here:
            raise PageMalformed(f"line {at}: {value!r:.80} is there twice")
        here[value] = None
        self._keys[-1] = str(value)
        if len(self._open) == 1:
            self.lines[str(value)] = at


def _events(text: str, line: int) -> Iterator[tuple[str, str, int]]:
    """(kind, value, line) of each event that counts: map, list, end, plain, text."""
    from ruamel.yaml import YAML  # 30 ms
    from ruamel.yaml import events as yaml
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    documents = 0
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            at = line + event.start_mark.line
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise PageMalformed(f"line {at}: no & and * here; a text that begins so belongs in quotes")
            if getattr(event, "tag", None):
                raise PageMalformed(f"line {at}: no ! here; a text that begins so belongs in quotes")
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1 or event.version or event.tags:
                    raise PageMalformed(f"line {at}: no %, --- or ... between the --- lines")
            elif isinstance(event, yaml.ScalarEvent):
                if event.style is None:
                    yield "plain", Plain(event.value), at
                else:
                    yield "text", _joined(event.value), at
            elif isinstance(event, yaml.MappingStartEvent):
                yield "map", "", at
            elif isinstance(event, yaml.SequenceStartEvent):
                yield "list", "", at
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                yield "end", "", at
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = line + (mark.line if mark is not None else 0)
        raise PageMalformed(f"line {at}: {_words(error.problem or error.context)}") from None
    except ReaderError as error:
        at = line + text.count("\n", 0, int(error.position))
        raise PageMalformed(f"line {at}: a character that cannot stand there") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise PageMalformed(f"line {line}: not to be read ({type(error).__name__})") from None


_HELP: Final = {
    "mapping values are not allowed here": "a second colon: a text with a colon in it belongs in quotes",
    "could not find expected ':'": "a colon is missing after the word",
    "found character '\\t' that cannot start any token": "a tab; indent with spaces",
    "found unexpected end of stream": "a quote or a bracket that does not end",
}


def _words(problem: object) -> str:
    text = str(problem or "not to be read")
    return _HELP.get(text, text)


def _joined(text: str) -> str:
    r"""JSON writes letters beyond the first plane as two escapes, ``\ud83d\ude00``: they are one letter."""
    if not any("\ud800" <= one <= "\udfff" for one in text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


# --- writing -----------------------------------------------------------------------------------------------


def write(mapping: dict[str, Any]) -> str:
    """A mapping as lines that `read` and `resolved` turn into the same again. ValueError."""
    return "".join(_member(key, value, "") for key, value in mapping.items())


def writable(value: Any) -> bool:
    """Whether `write` has a form for a JSON value (not: too deep, too long, too many digits)."""
    try:
        text = write({"x": value})
        return len(text) <= MAX_TEXT // 4 and same(resolved(read(text)[0]), {"x": value})
    except (ValueError, PageMalformed, RecursionError):
        return False


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: 1, 1.0 and true are not."""
    return json.dumps(resolved(one)) == json.dumps(resolved(other))


def _member(key: str, value: Any, indent: str) -> str:
    word = _scalar(key)
    if len(word) > MAX_KEY:
        raise ValueError("a word that is too long")
    return f"{indent}{word}:{_value(value, indent)}"


def _value(value: Any, indent: str) -> str:
    """What stands after a colon or a hyphen, with the line feed that ends it."""
    deeper = indent + "  "
    if len(deeper) > 2 * MAX_DEPTH:
        raise ValueError("nested too deep")
    if isinstance(value, dict) and value:
        return "\n" + "".join(_member(key, one, deeper) for key, one in value.items())
    if isinstance(value, list) and value:
        if _short(value):
            return f" [{', '.join(_scalar(one) for one in value)}]\n"
        return "\n" + "".join(f"{deeper}-{_element(one, deeper)}" for one in value)
    if isinstance(value, str) and _literal(value):
        lines = "".join(f"{deeper}{line}\n" if line else "\n" for line in value.split("\n"))
        return f" |-\n{lines}"
    return f" {_scalar(value)}\n"


def _element(value: Any, indent: str) -> str:
    if isinstance(value, dict) and value:
        # The first word stands beside the hyphen, the others below it.
        return _value(value, indent)[1 + len(indent) + 1 :]
    return _value(value, indent)


def _short(values: list[Any]) -> bool:
    """Words that read better in one line: ``[tea, travel]``."""
    if any(isinstance(one, dict | list) for one in values):
        return False
    words = [_scalar(one) for one in values]
    return sum(map(len, words)) <= 60 and not any(" " in one or _FLOW.search(one) for one in words)


def _literal(text: str) -> bool:
    """Several lines that stand as they are, below ``|-``."""
    lines = text.split("\n")
    return (
        len(lines) > 1
        and bool(lines[0])
        and bool(lines[-1])
        and not lines[0][0].isspace()
        and all(line.isprintable() and not line.isspace() for line in lines)
    )


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value if _is_plain(value) else _quoted(value)
    if value is None or isinstance(value, bool | dict | list):
        return json.dumps(value)
    if isinstance(value, int | float) and math.isfinite(value):
        text = json.dumps(value)
        if type(_number(text)) is type(value):
            return text
    raise ValueError("no value of JSON, or a number with more digits than are read")


def _is_plain(text: str) -> bool:
    return (
        bool(_PLAIN_START.match(text))
        and text.isprintable()
        and not _NOT_PLAIN.search(text)
        and text not in _CONSTANTS
        and _number(text) == text
    )


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(one if one.isprintable() else _escape(one) for one in quoted)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
