"""What reaches the terminal: data on stdout, words on stderr, and nothing that steers the terminal.

Text that others chose can hold escape sequences, characters that reverse the reading direction, and
characters that cannot be seen. Here they are shown as what they are (``\\x1b``, ``\\u202e``); nothing else
in this program prints.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import click

from mau.fingerprint import Fingerprint

# Controls (C0, DEL, C1), format characters (Cf: direction, zero width, tags), line and paragraph separators,
# lone surrogates, and the letters and marks that show nothing. Spelt out: asking unicodedata about every code
# point would take half a second. A test compares this with unicodedata.
_UNSEEN = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_FIELD = re.compile(f"[{_UNSEEN}]")
_WIDE = "WF"


def clean(text: str) -> str:
    """One field of one line: what cannot be seen is escaped, line feeds too. Twice is the same as once."""
    return _FIELD.sub(_escape, text)


def clean_lines(text: str) -> str:
    """As `clean`, for a text of several lines: line feeds stay, tabs become spaces.

    The two joiners stay between characters beyond ASCII: emoji, Persian and Indic words need them.
    """
    return _FIELD.sub(_escape_but_lines, text.replace("\r\n", "\n").expandtabs(4))


def _escape(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape", "surrogatepass").decode("ascii")


def _escape_but_lines(match: re.Match[str]) -> str:
    character = match.group()
    if character == "\n":
        return character
    if character in "\u200c\u200d":
        around = (
            match.string[max(match.start() - 1, 0) : match.start()],
            match.string[match.end() : match.end() + 1],
        )
        if all(one > "\x7f" and not _FIELD.match(one) for one in around):
            return character
    return _escape(match)


def width(text: str) -> int:
    """How many columns a cleaned text takes: two for East Asian wide characters, none for combining marks."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def say(words: str = "", *, bold: bool = False) -> None:
    """Words for a person: to stderr."""
    click.echo(_styled(words, bold), err=True)


def data(text: str, *, bold: bool = False) -> None:
    """What was asked for: a text with a line feed after it, to stdout."""
    click.echo(_styled(text, bold))


def prompt(words: str) -> None:
    """A question whose answer follows in the same line: to stderr."""
    click.echo(clean(words), nl=False, err=True)


def picture(lines: Iterable[str], *, black_on_white: bool) -> None:
    """Rows of block characters to stdout, such as a QR code; with its own colours where they are wanted."""
    for line in lines:
        cleaned = clean(line)
        click.echo(click.style(cleaned, fg="black", bg="bright_white") if black_on_white else cleaned)


def drawing(lines: Iterable[str]) -> None:
    """What `mau_cli.pictures` draws, to stdout: its escape sequences are ours, so they are not cleaned."""
    for line in lines:
        click.echo(line)


def _styled(text: str, bold: bool) -> str:
    """Cleaned first: the only escape sequences are ours, and click leaves them out where no terminal is."""
    cleaned = clean_lines(text)
    return click.style(cleaned, bold=True) if bold else cleaned


def has_styles() -> bool:
    """Whether stdout shows bold and the like: as click decides it, which knows what NO_COLOR says."""
    context = click.get_current_context(silent=True)
    color = None if context is None else context.color
    return sys.stdout.isatty() if color is None else color


def spans(line: Iterable[tuple[str, Mapping[str, bool]]]) -> None:
    """One line to stdout, of texts that each have their styles (those of `click.style`)."""
    cleaned = ((clean_lines(text).replace("\n", "\\n"), style) for text, style in line)
    click.echo("".join(click.style(text, **style) if style else text for text, style in cleaned))


def raw(content: bytes) -> None:
    """The bytes of a file to stdout: as they are into a pipe or a file, cleaned on a terminal."""
    if sys.stdout.isatty():
        data(content.decode("utf-8", "backslashreplace"))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def emit_json(value: object) -> None:
    """One JSON document to stdout. Pure ASCII, so the strings in it arrive whole and steer no terminal."""
    _echo_json(value, indent=2)


def emit_json_line(value: object) -> None:
    """As `emit_json`, in one line: for lists without an end (JSON lines)."""
    _echo_json(value, indent=None)


def _echo_json(value: object, indent: int | None) -> None:
    click.echo(json_text(value, indent))


def json_text(value: object, indent: int | None = None) -> str:
    """What `emit_json_line` prints, for another program's input."""
    text = json.dumps(value, ensure_ascii=True, indent=indent, default=_plain, allow_nan=False)
    return text.replace("\x7f", "\\u007f")  # the one control character that json lets pass


def _plain(value: object) -> object:
    """What JSON does not know. Deliberately short: a value that is not listed here is a mistake, not text."""
    if isinstance(value, Fingerprint):
        return value.hex
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def table(rows: Iterable[Sequence[object]], header: Sequence[str] = ()) -> None:
    """Rows to stdout in columns two spaces apart. The header is words and goes to stderr."""
    lines = [[clean(str(cell)) for cell in row] for row in rows]
    if not lines:
        return
    head = [clean(cell) for cell in header]
    size = max(map(len, [*lines, head]))
    widths = [
        max((width(line[column]) for line in [*lines, head] if column < len(line)), default=0)
        for column in range(size)
    ]
    if head:
        click.echo(_line(head, widths), err=True)
    for line in lines:
        click.echo(_line(line, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (room - width(cell)) for cell, room in zip(cells, widths, strict=False))
    return "  ".join(padded).rstrip()
