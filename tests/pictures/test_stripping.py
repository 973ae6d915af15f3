"""What pictures say about their making is gone, wherever it stood, and not a pixel is another one."""

from __future__ import annotations

import io
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageSequence

from mau.errors import PictureRefused
from mau.pictures.icc import plain_profile
from mau.pictures.stripping import strip
from tests.pictures.samples import MARK, SAMPLES, chunk, gif, jpeg, pixels, png, profile, two_in_one, webp


def everything_in(data: bytes) -> bytes:
    """The bytes, and what is packed in them: texts and profiles of PNG."""
    found = data
    for kind in (b"zTXt", b"iTXt", b"iCCP"):
        place = data.find(kind)
        while place >= 0:
            size = int.from_bytes(data[place - 4 : place], "big")
            body = data[place + 4 : place + 4 + size]
            for start in range(len(body)):
                if body[start] == 0x78:
                    try:
                        found += zlib.decompress(body[start:])
                    except zlib.error:
                        continue
            place = data.find(kind, place + 1)
    return found


def frames(data: bytes) -> list[tuple[bytes, int]]:
    """Every frame's pixels, and how long it is shown."""
    with Image.open(io.BytesIO(data)) as picture:
        return [
            (frame.convert("RGBA").tobytes(), frame.info.get("duration", 0))
            for frame in ImageSequence.Iterator(picture)
        ]


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_that_it_said_is_left_and_every_pixel_is(name: str) -> None:
    encoding, data = SAMPLES[name]
    assert MARK in everything_in(data)
    plain = strip(data, encoding)
    assert MARK not in everything_in(plain)
    assert MARK.decode().encode("utf-16-be") not in everything_in(plain)
    assert b"Exif" not in plain
    assert b"xmp" not in plain.lower()
    assert frames(plain) == frames(data)
    with Image.open(io.BytesIO(plain)) as picture, Image.open(io.BytesIO(data)) as before:
        assert not picture.getexif()
        assert picture.info.get("loop") == before.info.get("loop")
        assert picture.mode == before.mode
    assert strip(plain, encoding) == plain


def test_a_second_picture_behind_the_first_goes() -> None:
    both = two_in_one()
    plain = strip(both, "image/jpeg")
    assert MARK in both
    assert MARK not in plain
    assert len(frames(both)) == 2
    assert frames(plain) == frames(both)[:1]


def test_colours_are_computed_from_the_profile_as_before_and_it_names_no_screen() -> None:
    plain = plain_profile(profile())
    assert b"TELLTALE" not in plain
    target = ImageCms.createProfile("sRGB")
    before, after = (
        ImageCms.profileToProfile(pixels(), ImageCms.ImageCmsProfile(io.BytesIO(one)), target)
        for one in (profile(), plain)
    )
    assert before is not None
    assert after is not None
    assert before.tobytes() == after.tobytes()
    assert plain_profile(plain) == plain
    with Image.open(io.BytesIO(strip(jpeg(), "image/jpeg"))) as picture:
        assert picture.info["icc_profile"] == plain


def test_an_old_profile_has_words_of_ours_in_the_old_form() -> None:
    old = bytearray(profile())
    old[8] = 2
    plain = ImageCms.ImageCmsProfile(io.BytesIO(plain_profile(bytes(old))))
    assert ImageCms.getProfileDescription(plain).strip() == "Colours"
    assert ImageCms.getProfileCopyright(plain).strip() == "Colours"


@given(st.binary(max_size=300))
def test_a_profile_that_is_none_is_left_out(junk: bytes) -> None:
    assert plain_profile(junk) == b""
    made = bytearray(profile())
    made[128 : 128 + len(junk)] = junk
    plain_profile(bytes(made))


WHOLE = {"image/jpeg": jpeg(), "image/png": png(), "image/gif": gif(), "image/webp": webp(animated=True)}


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_broken_bytes_end_as_one_error(encoding: str, data: st.DataObject) -> None:
    whole = WHOLE[encoding]
    broken = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for place in data.draw(st.lists(st.integers(0, max(len(broken) - 1, 0)), max_size=4)) if broken else ():
        broken[place] = data.draw(st.integers(0, 255))
    try:
        plain = strip(bytes(broken), encoding)
    except PictureRefused:
        return
    assert strip(plain, encoding) == plain


@pytest.mark.parametrize("encoding", WHOLE)
def test_a_picture_that_ends_too_soon_is_refused(encoding: str) -> None:
    whole = strip(WHOLE[encoding], encoding)
    for end in (0, 5, 12, len(whole) // 2, len(whole) - 1):
        with pytest.raises(PictureRefused):
            strip(whole[:end], encoding)


def test_a_png_whose_pixels_were_changed_on_the_way_is_refused() -> None:
    data = bytearray(strip(png(), "image/png"))
    data[data.index(b"IDAT") + 30] ^= 1
    with pytest.raises(PictureRefused):
        strip(bytes(data), "image/png")


def test_what_we_cannot_clean_is_refused() -> None:
    with pytest.raises(PictureRefused):
        strip(b"<svg/>", "image/svg+xml")


def test_a_chunk_that_is_longer_than_it_can_be_goes() -> None:
    data = png()
    fat = chunk(b"gAMA", MARK * 3) + chunk(b"bKGD", MARK * 3)
    assert MARK not in everything_in(strip(data[:33] + fat + data[33:], "image/png"))
