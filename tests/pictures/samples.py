"""Pictures with everything about them that a camera or an editor may write down, each place with a mark."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageCms, PngImagePlugin

MARK = b"TELLTALE"
SIZE = (60, 40)


def pixels(size: tuple[int, int] = SIZE, mode: str = "RGB", shift: int = 0) -> Image.Image:
    """A picture whose corners differ, so that turning it shows."""
    red = Image.linear_gradient("L").resize(size)
    green = Image.linear_gradient("L").rotate(90).resize(size)
    blue = Image.new("L", size, 40 + shift)
    picture = Image.merge("RGB", (red, green, blue))
    if mode == "RGBA":
        picture.putalpha(green)
    return picture.convert(mode)


def exif(orientation: int = 1) -> bytes:
    """EXIF with a camera, a comment, a place and a small picture."""
    made = Image.Exif()
    made[0x0112] = orientation
    made[0x010F] = (MARK + b"-make").decode()
    made[0x8298] = (MARK + b"-copyright").decode()
    made.get_ifd(0x8769)[0x9286] = MARK + b"-comment"
    gps = made.get_ifd(0x8825)
    gps[1], gps[2] = "N", (52.0, 31.0, 12.0)
    gps[29] = (MARK + b"-gps").decode()
    return made.tobytes()


def xmp() -> bytes:
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><p:City>' + MARK + b"-xmp</p:City></x:xmpmeta>"


def profile() -> bytes:
    """A profile with the name of a screen."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # Its description stands in UTF-16; another word of that length takes its place.
    at = made.index("sRGB".encode("utf-16-be"))
    made[at : at + 8] = MARK
    made[48:56] = b"TELLTALE"  # maker and model
    made[24:36] = struct.pack(">6H", 2026, 11, 21, 12, 0, 0)  # else it is another one each second
    return bytes(made)


def jpeg(orientation: int = 1, mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    pixels(mode=mode).save(
        out,
        "JPEG",
        quality=92,
        exif=exif(orientation),
        icc_profile=profile() if mode == "RGB" else None,
        comment=MARK + b"-comment",
        **options,
    )
    data = out.getvalue()
    xml = b"http://ns.adobe.com/xap/1.0/\0" + xmp()
    iptc = b"Photoshop 3.0\08BIM\x04\x04\0\0" + struct.pack(">I", 20) + MARK + b"-iptc" + bytes(7)
    flash = b"FPXR\0" + MARK + b"-app"
    after = b"\xff\xd8\xff\xe1 a second picture, a film, " + MARK + b"-after the end"
    segments = ((0xE1, xml), (0xED, iptc), (0xE7, flash), (0xE2, MARK + b"-app2"), (0xEF, MARK))
    extra = b"".join(bytes((0xFF, kind)) + struct.pack(">H", len(one) + 2) + one for kind, one in segments)
    return data[:2] + extra + data[2:] + after


def two_in_one() -> bytes:
    """A JPEG with a second picture after its end, as telephones make them (MPO)."""
    out = io.BytesIO()
    pixels().save(
        out, "MPO", save_all=True, append_images=[pixels(shift=90)], exif=exif(6), comment=MARK + b"-comment"
    )
    return out.getvalue()


def png(mode: str = "RGB", *, animated: bool = False, orientation: int = 1) -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", (MARK + b"-text").decode())
    texts.add_text("Author", (MARK + b"-ztext").decode(), zip=True)
    texts.add_itxt("Title", (MARK + b"-itext").decode(), lang="en")
    texts.add_itxt("XML:com.adobe.xmp", xmp().decode())
    out = io.BytesIO()
    options: dict[str, Any] = {"pnginfo": texts, "exif": exif(orientation), "icc_profile": profile()}
    if animated:
        frames = [pixels(mode=mode, shift=60 * number) for number in (1, 2)]
        options |= {"save_all": True, "append_images": frames, "duration": 50}
    pixels(mode=mode).save(out, "PNG", **options)
    data = out.getvalue()
    unknown = chunk(b"teLl", MARK) + chunk(b"tIME", b"\x07\xea\x01\x01\x01\x01\x01") + chunk(b"caBX", MARK)
    hidden = chunk(b"IDAT", MARK + b"-behind the pixels")
    end = len(data) - 12
    return data[:33] + unknown + data[33:end] + (b"" if animated else hidden) + data[end:] + MARK + b"-after"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def gif(frames: int = 3) -> bytes:
    out = io.BytesIO()
    rest = [pixels(mode="P", shift=60 * number) for number in range(1, frames)]
    pixels(mode="P").save(
        out, "GIF", save_all=True, append_images=rest, duration=70, loop=4, comment=MARK + b"-comment"
    )
    data = out.getvalue()
    packed = data[10]
    head = 13 + (3 << ((packed & 7) + 1) if packed & 0x80 else 0)
    xml = b"\x21\xff\x0bXMP DataXMP" + bytes((len(xmp()),)) + xmp() + b"\0"
    plain = b"\x21\x01\x0c" + bytes(12) + bytes((len(MARK),)) + MARK + b"\0"
    return data[:head] + xml + plain + data[head:] + MARK + b"-after"


def webp(mode: str = "RGB", *, animated: bool = False, orientation: int = 1, lossless: bool = False) -> bytes:
    out = io.BytesIO()
    options: dict[str, Any] = {"exif": exif(orientation), "xmp": xmp(), "icc_profile": profile()}
    if animated:
        rest = [pixels(mode=mode, shift=60 * number) for number in (1, 2)]
        options |= {"save_all": True, "append_images": rest, "duration": 50, "loop": 2}
    pixels(mode=mode).save(out, "WEBP", lossless=lossless, **options)
    data = out.getvalue() + b"teLl" + struct.pack("<I", len(MARK)) + MARK
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:] + MARK + b"-after"


SAMPLES = {
    "jpeg": ("image/jpeg", jpeg()),
    "jpeg, progressive": ("image/jpeg", jpeg(progressive=True)),
    "jpeg, with restarts": ("image/jpeg", jpeg(restart_marker_rows=1)),
    "jpeg, grey": ("image/jpeg", jpeg(mode="L")),
    "jpeg, for print": ("image/jpeg", jpeg(mode="CMYK")),
    "png": ("image/png", png()),
    "png, see-through": ("image/png", png("RGBA")),
    "png, palette": ("image/png", png("P")),
    "png, animated": ("image/png", png(animated=True)),
    "gif": ("image/gif", gif(1)),
    "gif, animated": ("image/gif", gif()),
    "webp": ("image/webp", webp()),
    "webp, lossless": ("image/webp", webp(lossless=True)),
    "webp, see-through": ("image/webp", webp("RGBA")),
    "webp, animated": ("image/webp", webp("RGBA", animated=True)),
}
