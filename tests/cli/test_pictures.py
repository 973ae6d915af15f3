"""Pictures on a terminal: drawn as it can, asked only when somebody sits there; else a line of words."""

from __future__ import annotations

import re

import pytest

from mau_cli.pictures import picture_lines, placeholder, size_of
from mau_cli.terminal import Answer, Terminal, Way, many_colours, read_answer, way_of
from tests.pictures.samples import MARK, jpeg


@pytest.mark.parametrize(
    ("environ", "way"),
    [
        ({}, "never"),
        ({"TERM": "dumb"}, "never"),
        ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, "never"),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm"),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "ghostty"}, None),
        ({"TERM": "xterm-kitty", "TMUX": "socket,1,0"}, None),
        ({"TERM": "linux"}, "blocks"),
        ({"TERM": "xterm-256color"}, None),
    ],
)
def test_what_the_environment_says(environ: dict[str, str], way: Way | None) -> None:
    assert way_of(environ) == way


def test_colours_that_the_environment_promises() -> None:
    assert many_colours({"TERM": "xterm-256color", "COLORTERM": "truecolor"})
    assert not many_colours({"TERM": "xterm-256color"})


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"", Answer()),
        (b"\x1b[?62;4;22c", Answer(sixel=True)),
        (b"\x1b[?4;22c", Answer()),  # the first number is the class of the terminal
        (b"\x1b_Gi=31;OK\x1b\\\x1b[6;20;9t\x1b[?62;c", Answer(kitty=True, cell=(9, 20))),
        (b"\x1b_Gi=31;ENOENT\x1b\\\x1b[6;0;9t\x1b[?62c", Answer()),
        (b"typed meanwhile\x1b[6;9999;9999t", Answer()),
    ],
)
def test_what_terminals_answer(data: bytes, answer: Answer) -> None:
    assert read_answer(data) == answer


@pytest.mark.parametrize("way", ["blocks", "sixel", "iterm", "kitty"])
def test_nothing_of_the_file_reaches_the_terminal(way: Way) -> None:
    lines = picture_lines(jpeg(), "image/jpeg", 40, terminal=Terminal(way, True, (8, 16)))
    assert lines is not None
    drawn = "".join(lines)
    assert MARK.decode() not in drawn
    assert (
        re.sub(
            r"\x1b\[[0-9;]*[A-Zm]|\x1b[78]|\x1b[P_][^\x1b]*\x1b\\|\x1b\]1337;[^\x07]*\x07", "", drawn
        ).strip("\r\u2580")
        == ""
    )


def test_a_picture_is_no_larger_than_its_room() -> None:
    lines = picture_lines(jpeg(), "image/jpeg", 24, rows=5, indent=4, terminal=Terminal("blocks"))
    assert lines is not None
    assert len(lines) == 5
    assert all(line.startswith("    ") and line.count("\u2580") == 15 for line in lines)
    small = picture_lines(jpeg(), "image/jpeg", 80, terminal=Terminal("kitty", cell=(10, 20)))
    assert small is not None
    assert "c=6,r=2" in small[-1]  # 60 x 40 pixels, no larger than it is
    assert small[:-1] == ["", ""]


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff" + bytes(100), b"<svg/>", jpeg()[:400]])
def test_what_cannot_be_decoded_is_not_drawn(data: bytes) -> None:
    assert picture_lines(data, "image/jpeg", 40, terminal=Terminal("blocks")) is None


def test_without_a_terminal_nothing_is_drawn() -> None:
    assert picture_lines(jpeg(), "image/jpeg", 40) is None


def test_what_there_would_be_to_see() -> None:
    assert placeholder("picture", "a slope", 1200, 800, 348160) == "[picture: a slope, 1200 x 800, 340.0 KiB]"
    assert placeholder("file") == "[file]"
    assert [size_of(said) for said in ("348160 B", "340 KiB", "", "large")] == [348160, 348160, 0, 0]
