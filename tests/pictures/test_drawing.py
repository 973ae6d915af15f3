"""What is sent to a terminal: pixels of ours in sequences of ours, and lines that it can scroll."""

from __future__ import annotations

import io
import re
import zlib
from base64 import standard_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mau.pictures.blocks import block_lines
from mau.pictures.graphics import framed, iterm, kitty, sixel
from mau.pictures.pixels import Pixels

_STEP = re.compile(rb'"1;1;(\d+);(\d+)|#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)(.)|([$-])|([?-~])')


def of_sixels(image: str) -> tuple[int, int, list[list[int]]]:
    """A small sixel decoder: width, height, and the number of each pixel's colour."""
    assert image.startswith("\x1bP")
    assert image.endswith("\x1b\\")
    data = image[2:-2].partition("q")[2].encode("ascii")
    width = height = column = band = colour = at = 0
    drawn: list[list[int]] = []
    while at < len(data):
        step = _STEP.match(data, at)
        assert step is not None, data[at:]
        at = step.end()
        if step[1]:
            width, height = int(step[1]), int(step[2])
            drawn = [[-1] * width for _ in range(height)]
        elif step[7]:
            colour = int(step[7])
        elif step[10]:
            column, band = 0, band + (step[10] == b"-")
        elif step[8] or step[11]:
            bits = (step[9] or step[11])[0] - 63
            run = int(step[8] or 1)
            for row in range(6):
                if bits >> row & 1:
                    drawn[6 * band + row][column : column + run] = [colour] * run
            column += run
    return width, height, drawn


@given(st.integers(1, 40), st.integers(1, 20), st.integers(1, 6), st.randoms(use_true_random=False))
def test_sixels_are_the_pixels(width: int, height: int, colours: int, chance: st.DataObject) -> None:
    data = bytes(chance.randrange(colours) for _ in range(width * height))  # type: ignore[attr-defined]
    palette = bytes(range(3 * colours))
    wide, high, drawn = of_sixels(sixel(Pixels(width, height, data, 1, palette)))
    assert (wide, high) == (width, height)
    assert bytes(one for row in drawn for one in row) == data


def test_kitty_gets_the_pixels_in_pieces_and_keeps_its_cursor() -> None:
    data = bytes(value * 7 % 256 for value in range(100 * 50 * 3))
    noise = Pixels(100, 50, bytes(zlib.crc32(bytes((one,))) % 256 for one in data), 3)
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", kitty(noise, 12, 3))
    assert "".join(f"\x1b_G{keys};{text}\x1b\\" for keys, text in pieces) == kitty(noise, 12, 3)
    assert zlib.decompress(standard_b64decode("".join(text for _, text in pieces))) == noise.data
    assert set(pieces[0][0].split(",")) >= {
        "a=T",
        "f=24",
        "o=z",
        "q=2",
        "C=1",
        "s=100",
        "v=50",
        "c=12",
        "r=3",
    }
    assert all(len(text) <= 4096 for _, text in pieces)


@pytest.mark.parametrize("channels", [3, 4])
def test_iterm_gets_a_png_of_ours(channels: int) -> None:
    pixels = Pixels(5, 4, bytes(range(20 * channels)), channels)
    found = re.fullmatch(
        r"\x1b\]1337;File=inline=1;size=(\d+);width=5;height=2;[^:]*:(.*)\x07", iterm(pixels, 5, 2)
    )
    assert found is not None
    data = standard_b64decode(found[2])
    assert len(data) == int(found[1])
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (5, 4)
        assert picture.tobytes() == pixels.data


def test_half_blocks_are_two_pixels_each() -> None:
    red, blue, grey = (255, 0, 0), (0, 0, 255), (128, 128, 128)
    pixels = Pixels(2, 3, bytes(value for one in (red, red, blue, blue, grey, grey) for value in one), 3)
    first, second = block_lines(pixels, many_colours=True)
    assert first == "\x1b[38;2;255;0;0;48;2;0;0;255m\u2580\u2580\x1b[0m"
    assert second == "\x1b[38;2;128;128;128;48;2;0;0;0m\u2580\u2580\x1b[0m"
    first, second = block_lines(pixels, many_colours=False)
    assert first == "\x1b[38;5;196;48;5;21m\u2580\u2580\x1b[0m"
    assert second == "\x1b[38;5;244;48;5;16m\u2580\u2580\x1b[0m"


def test_what_shines_through_lies_on_black() -> None:
    (line,) = block_lines(Pixels(1, 1, bytes((255, 255, 255, 0)), 4), many_colours=True)
    assert line == "\x1b[38;2;0;0;0;48;2;0;0;0m\u2580\x1b[0m"


def test_room_is_made_before_something_is_drawn_into_it() -> None:
    assert framed("IMAGE", 3, 4) == ["", "", "", "\x1b7\x1b[3A\r\x1b[4CIMAGE\x1b8"]
