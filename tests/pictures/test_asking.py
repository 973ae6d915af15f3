"""A picture is decoded by another process, which ends before it uses too much; what it says is checked."""

from __future__ import annotations

import io
import resource
import struct
import zlib

import pytest
from PIL import Image, ImageOps

from mau.errors import PictureRefused
from mau.pictures.asking import clean_picture, measure_picture, view_picture
from mau.pictures.limits import FOREIGN, Limits
from tests.pictures.samples import MARK, SAMPLES, SIZE, chunk, jpeg, pixels, png, two_in_one, webp

# Corners of the upright picture: left above is dark, right below is bright.
_SMALL = Limits(pixels=1_000_000, memory=300 << 20, cpu=2, wall=30, file=1 << 20, answer=1 << 20)


def decoded(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def alike(one: Image.Image, other: Image.Image) -> bool:
    if one.size != other.size:
        return False
    pairs = zip(one.tobytes(), other.tobytes(), strict=True)
    return max(abs(a - b) for a, b in pairs) < 40


@pytest.mark.parametrize("orientation", [2, 3, 6, 7])
def test_a_picture_that_exif_turns_is_turned(orientation: int) -> None:
    whole, small = clean_picture(jpeg(orientation), "image/jpeg")
    turned = decoded(whole.data)
    assert alike(turned, ImageOps.exif_transpose(Image.open(io.BytesIO(jpeg(orientation)))).convert("RGB"))
    assert (whole.width, whole.height) == turned.size
    assert MARK not in whole.data
    assert small is None


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("image/png", png(orientation=6)),
        ("image/webp", webp(orientation=6)),
        ("image/webp", webp(orientation=6, lossless=True)),
    ],
)
def test_other_formats_are_turned_too(encoding: str, data: bytes) -> None:
    whole, _ = clean_picture(data, encoding)
    assert alike(decoded(whole.data), pixels().transpose(Image.Transpose.ROTATE_270))
    assert MARK not in whole.data


def test_texts_that_keep_others_from_opening_it_are_taken_out() -> None:
    long = chunk(b"zTXt", b"Workflow\0\0" + zlib.compress(bytes(4 << 20)))
    data = png()[:33] + long + png()[33:]
    with pytest.raises(PictureRefused):
        view_picture(data, "image/png", 10, 10)
    whole, _ = clean_picture(data, "image/png")
    assert (whole.width, whole.height) == SIZE
    assert b"zTXt" not in whole.data


def test_a_second_picture_does_not_keep_the_first_from_being_turned() -> None:
    whole, _ = clean_picture(two_in_one(), "image/jpeg")
    assert (whole.width, whole.height) == (SIZE[1], SIZE[0])


@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - {"jpeg, grey", "gif", "webp"}))
def test_what_is_upright_is_only_stripped_and_can_be_seen(name: str) -> None:
    encoding, data = SAMPLES[name]
    whole, small = clean_picture(data, encoding)
    assert (whole.encoding, whole.width, whole.height) == (encoding, *SIZE)
    assert small is None
    seen = view_picture(whole.data, encoding, 30, 30)
    assert (seen.width, seen.height) == (30, 20)
    assert seen.channels == (4 if "see-through" in name or name == "webp, animated" else 3)


@pytest.mark.parametrize("name", ["jpeg", "png, see-through", "png, palette"])
def test_a_picture_in_few_colours(name: str) -> None:
    encoding, data = SAMPLES[name]
    few = view_picture(data, encoding, 30, 30, colours=16)
    assert (few.channels, len(few.palette) % 3, len(few.data)) == (1, 0, 600)
    assert 0 < len(few.palette) <= 48
    assert max(few.data) < len(few.palette) // 3


def test_a_large_picture_gets_a_thumbnail_that_says_nothing_either() -> None:
    out = io.BytesIO()
    pixels((1200, 800)).save(out, "JPEG", comment=MARK)
    _, small = clean_picture(out.getvalue(), "image/jpeg")
    assert small is not None
    assert (small.encoding, small.width, small.height) == ("image/jpeg", 400, 267)
    assert MARK not in small.data
    assert alike(decoded(small.data), pixels((1200, 800)).resize((400, 267)))
    turned, _ = measure_picture(jpeg(6), "image/jpeg")
    assert (turned.data, turned.width, turned.height) == (jpeg(6), SIZE[1], SIZE[0])
    kept, small = measure_picture(out.getvalue(), "image/jpeg")
    assert (kept.data, kept.width) == (out.getvalue(), 1200)
    assert small is not None
    assert MARK not in small.data
    assert len(small.data) < 20_000
    see_through = io.BytesIO()
    pixels((1200, 800), "RGBA").save(see_through, "PNG")
    _, small = clean_picture(see_through.getvalue(), "image/png")
    assert small is not None
    assert small.encoding == "image/webp"


def test_16_bits_of_grey_are_scaled_not_cut() -> None:
    out = io.BytesIO()
    Image.new("I;16", (4, 4), 0x8000).save(out, "PNG")
    assert set(view_picture(out.getvalue(), "image/png", 4, 4).data) == {0x80}


# --- bombs -------------------------------------------------------------------------------------------------


def png_of(width: int, height: int, colour: int, rows: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


def gif_of(width: int, height: int, frame: tuple[int, int]) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    return screen + b"\x2c" + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\x02\x02\x44\x01\0\x3b"


def jpeg_of(width: int, height: int) -> bytes:
    """A whole JPEG whose head claims another size."""
    data = bytearray(jpeg())
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", height, width)
    return bytes(data)


BOMBS = {
    "a png that claims four thousand million pixels": ("image/png", png_of(65000, 65000, 2, b"")),
    "a png of zeros": ("image/png", png_of(30000, 30000, 0, bytes(1 << 20))),
    "a png that grows a thousandfold": ("image/png", png_of(1000, 1000, 0, bytes(64 << 20))),
    "a gif with a large screen": ("image/gif", gif_of(65000, 65000, (1, 1))),
    "a gif with a frame beyond its screen": ("image/gif", gif_of(10, 10, (65000, 65000))),
    "a jpeg that claims four thousand million": ("image/jpeg", jpeg_of(65000, 65000)),
    "a profile that grows a thousandfold": (
        "image/png",
        png()[:33] + chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(64 << 20))) + png()[33:],
    ),
    "words that are no picture": ("image/jpeg", b"\xff\xd8\xff" + b"x" * 1000),
    "nothing": ("image/png", b""),
    "more than is read": ("image/jpeg", jpeg() + bytes(_SMALL.file)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_or_shown_within_its_limits(name: str) -> None:
    encoding, data = BOMBS[name]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = None
    try:
        shown = view_picture(data, encoding, 100, 100, limits=_SMALL)
    except PictureRefused as error:
        assert str(error)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < _SMALL.cpu + 1
    assert after.ru_maxrss <= max(before.ru_maxrss, _SMALL.memory >> 10)
    if shown is not None:  # some have a picture about them that can be shown
        assert shown.width * shown.height * shown.channels == len(shown.data) <= 40_000


def many_scans(number: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again: each costs a walk over all pixels."""
    out = io.BytesIO()
    Image.new("L", (2000, 2000), 90).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * number + b"\xff\xd9"


def test_a_process_that_takes_too_long_is_ended() -> None:
    limits = {"pixels": 40_000_000, "memory": 512 << 20, "file": 64 << 20, "answer": 1 << 20}
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with pytest.raises(PictureRefused, match="time or memory"):
        view_picture(many_scans(20_000), "image/jpeg", 10, 10, limits=Limits(**limits, cpu=1, wall=50))
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 3
    with pytest.raises(PictureRefused, match="time or memory"):
        view_picture(many_scans(20_000), "image/jpeg", 10, 10, limits=Limits(**limits, cpu=50, wall=0))


def test_a_process_that_has_no_room_is_a_refusal() -> None:
    tight = Limits(pixels=40_000_000, memory=24 << 20, cpu=5, wall=30, file=1 << 20, answer=1 << 20)
    with pytest.raises(PictureRefused):
        view_picture(jpeg(), "image/jpeg", 10, 10, limits=tight)


def test_only_four_formats_are_ever_tried() -> None:
    out = io.BytesIO()
    pixels().save(out, "TIFF")
    for encoding in ("image/tiff", "image/jpeg", "image/png"):
        with pytest.raises(PictureRefused):
            view_picture(out.getvalue(), encoding, 10, 10)
    assert FOREIGN.memory <= 1 << 30
