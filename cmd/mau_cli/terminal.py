"""What the terminal can draw: what the environment says of it, and what it answers when it is asked."""

from __future__ import annotations

import contextlib
import os
import re
import select
import struct
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Way = Literal["never", "blocks", "sixel", "iterm", "kitty"]

_PATIENCE: Final = (
    0.3  # seconds that a terminal is given to answer; one far away answers later, and is not asked
)
_MOST: Final = 1000  # bytes of an answer
_CELL: Final = (8, 16)  # pixels of a character where nobody says
_KITTY: Final = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"  # can you draw one pixel? Draw it nowhere
_CELL_SIZE: Final = "\x1b[16t"
_ATTRIBUTES: Final = "\x1b[c"  # every terminal answers this one, so it is asked last
_ATTRIBUTES_ANSWER: Final = re.compile(rb"\x1b\[\?([0-9;]*)c")
_KITTY_ANSWER: Final = re.compile(rb"\x1b_Gi=31;OK\x1b\\")
_CELL_ANSWER: Final = re.compile(rb"\x1b\[6;([0-9]{1,4});([0-9]{1,4})t")
_SIXEL: Final = b"4"  # among the attributes
_BY_PROGRAM: Final[dict[str, Way]] = {"iTerm.app": "iterm", "WezTerm": "iterm", "ghostty": "kitty"}


@dataclass(frozen=True, slots=True)
class Terminal:
    """How pictures are drawn, in how many colours, and how many pixels a character has (width, height)."""

    way: Way
    many_colours: bool = False
    cell: tuple[int, int] = _CELL


@dataclass(frozen=True, slots=True)
class Answer:
    """What a terminal answered; ``cell`` is None when it did not say."""

    kitty: bool = False
    sixel: bool = False
    cell: tuple[int, int] | None = None


NOTHING: Final = Terminal("never")


def way_of(environ: Mapping[str, str]) -> Way | None:
    """How the environment says that pictures are drawn; None when the terminal itself must be asked. Pure."""
    term = environ.get("TERM", "")
    if environ.get("NO_COLOR") or term in {"", "dumb"}:
        return "never"
    if term == "linux":
        return "blocks"
    if environ.get("TMUX") or term.startswith(("screen", "tmux")):
        return None  # what it runs in draws nothing that it does not know of
    if term in {"xterm-kitty", "xterm-ghostty"} or environ.get("KITTY_WINDOW_ID"):
        return "kitty"
    if environ.get("LC_TERMINAL") == "iTerm2":
        return "iterm"
    return _BY_PROGRAM.get(environ.get("TERM_PROGRAM", ""))


def many_colours(environ: Mapping[str, str]) -> bool:
    """Whether the terminal takes colours of 24 bits; else it has 256. Pure."""
    term = environ.get("TERM", "")
    known = environ.get("COLORTERM", "") in {"truecolor", "24bit"}
    return known or term.endswith("-direct") or term in {"xterm-kitty", "xterm-ghostty", "foot", "alacritty"}


def read_answer(data: bytes) -> Answer:
    """What a terminal answered to our questions. Pure."""
    attributes = _ATTRIBUTES_ANSWER.search(data)
    cell = _CELL_ANSWER.search(data)
    size = None if cell is None else (int(cell[2]), int(cell[1]))
    return Answer(
        kitty=_KITTY_ANSWER.search(data) is not None,
        sixel=attributes is not None and _SIXEL in attributes[1].split(b";")[1:],
        cell=size if size is not None and all(2 <= side <= 200 for side in size) else None,
    )


@lru_cache(maxsize=1)
def this_terminal(wanted: str = "auto") -> Terminal:
    """The terminal that stdout is; `wanted` is the setting reader.pictures. Asked at most once."""
    if wanted == "never" or not sys.stdout.isatty() or not _writes_blocks(sys.stdout.encoding):
        return NOTHING
    way = way_of(os.environ)
    if way == "never":
        return NOTHING
    answer = Answer()
    if wanted in {"kitty", "sixel", "iterm", "blocks"}:
        way = wanted  # type: ignore[assignment]
    elif way is None:
        answer = _asked()
        way = "kitty" if answer.kitty else "sixel" if answer.sixel else "blocks"
    return Terminal(way or "blocks", many_colours(os.environ), answer.cell or _cell_size() or _CELL)


def _writes_blocks(encoding: str) -> bool:
    return encoding.lower().replace("-", "") == "utf8"


def _cell_size() -> tuple[int, int] | None:
    """What the system knows of the window; many terminals tell it no pixels."""
    import fcntl

    try:
        answer = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
    except OSError:
        return None
    rows, columns, wide, high = struct.unpack("HHHH", answer)
    if not (rows and columns and wide and high):
        return None
    cell = wide // columns, high // rows
    return cell if all(2 <= side <= 200 for side in cell) else None


def _asked() -> Answer:
    """Ask, when somebody sits there and we are in front; what is typed meanwhile is lost."""
    try:
        with _keyboard() as keyboard:
            os.write(keyboard, (_KITTY + _CELL_SIZE + _ATTRIBUTES).encode("ascii"))
            return read_answer(_read(keyboard))
    except (OSError, termios.error):
        return Answer()


@contextlib.contextmanager
def _keyboard() -> Iterator[int]:
    """The terminal that is stdin and stdout both, without echo. OSError when there is none."""
    if not sys.stdin.isatty():
        raise OSError("nobody sits there")
    keyboard = os.open(os.ttyname(sys.stdout.fileno()), os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if os.tcgetpgrp(keyboard) != os.getpgrp():
            raise OSError("in the background")
        before = termios.tcgetattr(keyboard)
        tty.setcbreak(keyboard, termios.TCSADRAIN)
        try:
            yield keyboard
        finally:
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
    finally:
        os.close(keyboard)


def _read(keyboard: int) -> bytes:
    """What is answered, until the last answer or the end of our patience."""
    end = time.monotonic() + _PATIENCE
    data = b""
    while len(data) < _MOST and not _ATTRIBUTES_ANSWER.search(data):
        ready, _, _ = select.select([keyboard], [], [], max(0.0, end - time.monotonic()))
        more = os.read(keyboard, 200) if ready else b""
        if not more:
            break
        data += more
    return data
