"""What a file is, by its first bytes; and of which files it is known that they tell more than they show."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mau.attachments.formats import CLEANED, HEAD, encoding_of, may_tell, tells_of_its_making, word_for


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("TIFF", "image/tiff"),
        ("BMP", "image/bmp"),
        ("AVIF", "image/avif"),
        ("JPEG2000", "image/jp2"),
        ("PDF", "application/pdf"),
    ],
)
def test_what_pillow_writes(kind: str, encoding: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (32, 32)).save(out, kind)
    assert encoding_of(out.getvalue()[:HEAD]) == encoding


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
        (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x1cftypisom", "video/mp4"),
        (b"\0\0\0\x1cftypM4A ", "audio/mp4"),
        (b"\x1a\x45\xdf\xa3\x01", "video/webm"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"OggS" + bytes(30) + b"vorbis", "audio/ogg"),
        (b"OggS" + bytes(30) + b"theora", "video/ogg"),
        (b"RIFF\0\0\0\0WAVE", "audio/wav"),
        (b"<?xml version='1.0'?><!-- x --><svg xmlns='x'>", "image/svg+xml"),
        (b"\xef\xbb\xbf  <svg/>"[:-2] + b">", "image/svg+xml"),
        (b"<!DOCTYPE html><p>", "text/html"),
        ("drei Eier, Öl".encode(), "text/plain"),
        (b"x" * (HEAD - 1) + "Ö".encode()[:1], "text/plain"),
        (b"x\xff" + b"x" * HEAD, "application/octet-stream"),
        (b"\0\x01\x02", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_what_a_head_says(head: bytes, encoding: str) -> None:
    assert encoding_of(head[:HEAD]) == encoding


@given(st.binary(max_size=200))
def test_every_file_is_something(head: bytes) -> None:
    encoding = encoding_of(head)
    assert encoding.count("/") == 1
    assert word_for(encoding).endswith("Object")


def test_what_cameras_write_is_cleaned_or_known_to_tell() -> None:
    assert not any(map(tells_of_its_making, CLEANED))
    assert all(map(tells_of_its_making, ("image/heic", "image/tiff", "video/mp4", "image/svg+xml")))
    assert not any(map(tells_of_its_making, ("text/plain", "application/pdf", "audio/mpeg")))
    assert all(map(may_tell, ("application/pdf", "audio/mpeg", "application/zip")))
    assert not may_tell("text/plain")
