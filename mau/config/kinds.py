"""What the value of a setting may be, and how it is read from words and from TOML (spec/config.md C6). Pure.

A kind turns a text, or a value of TOML, into the value that the program works with, and back. What does not
fit raises DoesNotFit with the reason; who asked knows the key and the place, and says so.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Generic, TypeVar

from mau.errors import AddressMalformed
from mau.hostport import parse_listen, parse_loopback, parse_web_listen

T_co = TypeVar("T_co", covariant=True)

FRIENDS = "friends"
ME = "me"
PUBLIC = "public"
_DIGITS = re.compile(r"[0-9]{1,18}")
_SIZE = re.compile(
    r"(?P<number>[0-9]{1,9}|[0-9]{1,17}(?= ?B?$)) ?(?P<unit>[KMGT]i?B|B)?", re.ASCII | re.IGNORECASE
)
_UNITS: dict[str, int] = {
    "B": 1,
    **{f"{letter}B": 1000**power for power, letter in enumerate("KMGT", 1)},
    **{f"{letter}IB": 1024**power for power, letter in enumerate("KMGT", 1)},
}


class DoesNotFit(ValueError):
    """The value is not one of this kind; the message, where there is one, says more than the kind's form."""


class Kind(Generic[T_co]):
    """One kind of value. ``form`` says what is allowed, in words that go on "... belongs there"."""

    form: str
    secret: bool = False
    """Whether the value is never shown whole, in errors neither."""

    def parse(self, text: str) -> T_co:
        """Read what `mau config set` or a string in the file says."""
        raise NotImplementedError

    def from_environment(self, text: str) -> T_co:
        """Read what a variable says."""
        return self.parse(text)

    def from_toml(self, value: object) -> T_co:
        """Read what stands in the file."""
        if not isinstance(value, str):
            raise DoesNotFit(f"not {toml_words(value)}")
        return self.parse(value)

    def to_toml(self, value: object) -> str | int | list[str]:
        """What is written into the file."""
        return str(value)

    def show(self, value: object) -> str | int | list[str]:
        """What may be shown of it."""
        return str(value)


class Choice(Kind[T_co]):
    """One of several words."""

    def __init__(self, *choices: T_co) -> None:
        self.choices = choices
        *most, last = map(str, choices)
        self.form = f"{', '.join(most)} or {last}"

    def parse(self, text: str) -> T_co:
        for choice in self.choices:
            if choice == text:
                return choice
        raise DoesNotFit


class Listen(Kind[str]):
    """Where to listen."""

    form = "HOST:PORT, [IPV6]:PORT or :PORT"

    def parse(self, text: str) -> str:
        try:
            parse_listen(text)
        except AddressMalformed as error:
            raise DoesNotFit(str(error)) from None
        return text.strip()


class WebListen(Kind[str]):
    """Where to listen for browsers."""

    form = "HOST:PORT or http://HOST:PORT, as for server.listen,"

    def parse(self, text: str) -> str:
        try:
            parse_web_listen(text)
        except AddressMalformed as error:
            raise DoesNotFit(str(error)) from None
        return text.strip()


class LoopbackListen(Kind[str]):
    """Where to listen for this machine alone."""

    form = "127.0.0.1:PORT, [::1]:PORT or localhost:PORT"

    def parse(self, text: str) -> str:
        try:
            parse_loopback(text)
        except AddressMalformed as error:
            raise DoesNotFit(str(error)) from None
        return text.strip()


class Whole(Kind[int]):
    """A whole number of at least ``least`` and at most ``most``; with ``off`` also 0, which is no limit."""

    def __init__(self, least: int, most: int, *, off: bool = False) -> None:
        self.least, self.most, self.off = least, most, off
        self.form = f"a whole number from {least} to {most}{', or 0,' if off else ''}"

    def parse(self, text: str) -> int:
        if not _DIGITS.fullmatch(text):
            raise DoesNotFit
        return self._checked(int(text))

    def from_toml(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise DoesNotFit(f"not {'a fraction' if isinstance(value, float) else toml_words(value)}")
        return self._checked(value)

    def _checked(self, value: int) -> int:
        if not (self.least <= value <= self.most or (self.off and value == 0)):
            raise DoesNotFit
        return value

    def to_toml(self, value: object) -> int:
        return self.show(value)

    def show(self, value: object) -> int:
        assert isinstance(value, int)  # noqa: S101 - what parse made
        return value


class Size(Kind[int]):
    """A number of bytes, with or without its unit; 0 is no limit."""

    form = "bytes, such as 500000, 500 MB or 2 GiB, or 0,"

    def parse(self, text: str) -> int:
        found = _SIZE.fullmatch(text.strip())
        if found is None:
            raise DoesNotFit
        unit: int = _UNITS[(found["unit"] or "B").upper()]
        return int(found["number"]) * unit

    def from_toml(self, value: object) -> int:
        if isinstance(value, str):
            return self.parse(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise DoesNotFit(f"not {'a fraction' if isinstance(value, float) else toml_words(value)}")
        if not 0 <= value < 10**18:
            raise DoesNotFit
        return value

    def to_toml(self, value: object) -> int | str:
        return self.show(value)

    def show(self, value: object) -> int | str:
        assert isinstance(value, int)  # noqa: S101 - what parse made
        for unit in ("TiB", "GiB", "MiB", "KiB"):
            length = _UNITS[unit.upper()]
            if value and value % length == 0 and value // length < 10**9:
                return f"{value // length} {unit}"
        return value


class Switch(Kind[bool]):
    """Yes or no, in TOML's words."""

    form = "true or false"

    def parse(self, text: str) -> bool:
        if text not in ("true", "false"):
            raise DoesNotFit
        return text == "true"

    def from_toml(self, value: object) -> bool:
        return value if isinstance(value, bool) else super().from_toml(value)

    def to_toml(self, value: object) -> bool:
        return bool(value)

    def show(self, value: object) -> str:
        return "true" if value else "false"


class PathText(Kind[str]):
    """Where something lies. In the file it may not depend on where the program is started."""

    form = "an absolute path, or one that begins with ~/,"

    def parse(self, text: str) -> str:
        if not (text.startswith(("/", "~/")) or text == "~"):
            raise DoesNotFit
        return self.from_environment(_writable(text))

    def from_environment(self, text: str) -> str:
        if not text or "\0" in text:
            raise DoesNotFit
        return text


class LogPlace(PathText):
    """Where lines are appended."""

    form = "an absolute path, one that begins with ~/, or - for standard output,"

    def parse(self, text: str) -> str:
        return text if text == "-" else super().parse(text)


class AlgorithmWord(PathText):
    """What orders a timeline."""

    form = "the name of an algorithm, or an absolute path or one that begins with ~/,"

    def parse(self, text: str) -> str:
        return super().parse(text) if "/" in text or text.endswith(".py") else self.from_environment(text)


class Command(Kind[str]):
    """A program with its arguments, in the quoting of the shell. Arguments may be secrets."""

    form = "a command with its words"
    secret = True

    def parse(self, text: str) -> str:
        try:
            words = shlex.split(_writable(text))
        except ValueError as error:
            raise DoesNotFit(str(error).lower()) from None
        if not words or not words[0] or "\0" in text:
            raise DoesNotFit
        return text

    def show(self, value: object) -> str:
        """Its first word."""
        first, *others = shlex.split(str(value))
        return f"{first} ..." if others else first


class Audience(Kind[tuple[str, ...]]):
    """For whom: words as `--to` takes them, ``friends`` and ``me``; never everybody.

    A text is a list of words with commas between them. A list in the file is taken as it is, so that a name
    with a comma in it can be written.
    """

    form = "friends, me, @GROUP or a friend's name, or several of them,"

    def parse(self, text: str) -> tuple[str, ...]:
        return self._checked([word for word in map(str.strip, text.split(",")) if word])

    def from_toml(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            return super().from_toml(value)
        words = []
        for one in value:
            if not isinstance(one, str):
                raise DoesNotFit(f"not {toml_words(one)} in the list")
            words.append(one.strip())
        return self._checked(words)

    @staticmethod
    def _checked(words: Sequence[str]) -> tuple[str, ...]:
        if not words or not all(words):
            raise DoesNotFit
        checked = []
        for word in map(_writable, words):
            key = word.casefold()
            if key == PUBLIC:
                raise DoesNotFit(f"{PUBLIC} can never be a default; say --public each time")
            checked.append(key if key in (FRIENDS, ME) else word)
        return tuple(dict.fromkeys(checked))

    def to_toml(self, value: object) -> str | list[str]:
        words = self.show(value)
        return words[0] if len(words) == 1 and "," not in words[0] else words

    def show(self, value: object) -> list[str]:
        assert isinstance(value, tuple)  # noqa: S101 - what parse made
        return [str(word) for word in value]


def toml_words(value: object) -> str:
    """What sort of thing of TOML a value is."""
    match value:
        case str():
            return "a string"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "a table"
    return "a date or time"


def _writable(text: str) -> str:
    """DoesNotFit for what no UTF-8 file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DoesNotFit("not UTF-8") from None
    return text
