"""What is done with the pixels of a picture: only in the process of its own (`mau.pictures.child`).

Pillow decodes; four formats are ever tried, and of these the one alone that the first bytes name.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image, ImageCms, ImageFile

from mau.errors import PictureRefused
from mau.pictures.stripping import strip
from mau.pictures.webp import is_lossless

THUMBNAIL_SIDE: Final = 400
"""Pixels of a thumbnail's longer side, at most."""
_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
_DRAFTED: Final = 4
"""A JPEG may have so many times more pixels than the others: it is decoded at a fraction of its size."""
_MAX_SIDE: Final = 65_535
_SMALL: Final = 64 << 10  # bytes of a picture that needs no thumbnail when it is no larger than one
_ORIENTATION: Final = 0x0112  # the tag of TIFF that EXIF takes over
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as a file: its bytes, their media type, width and height in pixels."""

    data: bytes
    encoding: str
    width: int
    height: int


def cleaned(data: bytes, encoding: str, most_pixels: int) -> tuple[Encoded, Encoded | None]:
    """The picture without metadata, turned as its EXIF says; and a thumbnail where it needs one.

    PictureRefused, or whatever Pillow raises for what it cannot decode.
    """
    orientation = _stated_orientation(data, encoding, most_pixels)
    plain = strip(data, encoding)
    if orientation in _UPRIGHT:
        # Of what is left: a second picture behind a JPEG would pass for an animation.
        picture = _opened(plain, encoding, most_pixels)
        plain = strip(_turned(picture, _UPRIGHT[orientation], plain, encoding), encoding)
    return measured(plain, encoding, most_pixels)


def measured(data: bytes, encoding: str, most_pixels: int) -> tuple[Encoded, Encoded | None]:
    """The picture as it is, and a thumbnail where it needs one: proof that it can be decoded.

    Width and height are those of the picture as it is seen, upright.
    """
    picture = _opened(data, encoding, most_pixels)
    orientation = _orientation(picture)
    way = _UPRIGHT.get(orientation)
    width, height = picture.size if orientation < 5 else picture.size[::-1]
    small = _shrunk(picture, THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    whole = Encoded(data, encoding, width, height)
    if max(width, height) <= THUMBNAIL_SIDE and len(data) <= _SMALL:
        return whole, None
    return whole, _thumbnail(small if way is None else small.transpose(way))


def viewed(
    data: bytes, encoding: str, width: int, height: int, colours: int, most_pixels: int
) -> Image.Image:
    """The picture's first frame, upright, at most that large: RGB or RGBA, or P with so many `colours`."""
    picture = _opened(data, encoding, most_pixels)
    orientation = _orientation(picture)
    small = _shrunk(picture, *((height, width) if orientation >= 5 else (width, height)))
    if orientation in _UPRIGHT:
        small = small.transpose(_UPRIGHT[orientation])
    if not colours:
        return small
    return _flat(small).quantize(colours, Image.Quantize.MEDIANCUT)


def _opened(data: bytes, encoding: str, most_pixels: int) -> ImageFile.ImageFile:
    """The picture, its head read. PictureRefused when it has more pixels than are decoded."""
    if encoding not in _FORMATS:
        raise PictureRefused(f"{encoding} is not decoded")
    most_pixels *= _DRAFTED if encoding == "image/jpeg" else 1
    Image.MAX_IMAGE_PIXELS = most_pixels // 2  # it refuses at twice that, for frames too
    picture = Image.open(io.BytesIO(data), formats=(_FORMATS[encoding],))
    width, height = picture.size
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE) or width * height > most_pixels:
        raise PictureRefused(f"it has {width} x {height} pixels; that is more than is decoded")
    return picture


def _stated_orientation(data: bytes, encoding: str, most_pixels: int) -> int:
    """As `_orientation`, also of a file in which what will be taken out keeps Pillow from opening it."""
    try:
        return _orientation(_opened(data, encoding, most_pixels))
    except PictureRefused:
        raise
    except Exception:  # too long a text in a PNG, for example
        return 1


def _orientation(picture: Image.Image) -> int:
    """How EXIF says the picture must be turned, 1 to 8; 1 when what it says cannot be read."""
    try:
        said = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # EXIF of strangers ends in whatever error the bytes lead to
        return 1
    return said if said in _UPRIGHT else 1


def _shrunk(picture: Image.Image, width: int, height: int) -> Image.Image:
    """The first frame in RGB or RGBA of sRGB, no larger than that, and never larger than it is."""
    profile = picture.info.get("icc_profile")
    if picture.mode not in {"RGB", "RGBA", "L", "LA", "CMYK"}:
        picture = _plain(picture)
    picture.thumbnail((width, height), Image.Resampling.LANCZOS)
    small = _in_srgb(picture, profile) if profile else None
    return _plain(picture if small is None else small)


def _plain(picture: Image.Image) -> Image.Image:
    """In RGB, or in RGBA when something shines through; with nothing else of the file about it."""
    if picture.mode.startswith("I"):  # 16 bits of grey
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    pixels = picture if picture.mode == mode else picture.convert(mode)
    return Image.frombytes(mode, pixels.size, pixels.tobytes())


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """None when the profile does not fit the picture."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _flat(picture: Image.Image) -> Image.Image:
    """On black where something shines through."""
    if picture.mode == "RGB":
        return picture
    ground = Image.new("RGB", picture.size)
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def _thumbnail(small: Image.Image) -> Encoded:
    out = io.BytesIO()
    if small.mode == "RGBA":
        small.save(out, "WEBP", quality=80)
        encoding = "image/webp"
    else:
        small.save(out, "JPEG", quality=80, optimize=True)
        encoding = "image/jpeg"
    return Encoded(strip(out.getvalue(), encoding), encoding, *small.size)


def _turned(picture: ImageFile.ImageFile, way: Image.Transpose, data: bytes, encoding: str) -> bytes:
    """The picture upright, encoded as it was before as far as its format allows."""
    if getattr(picture, "is_animated", False):
        raise PictureRefused("it is an animation that has to be turned; turn it, and attach it then")
    out = io.BytesIO()
    options: dict[str, Any] = {"icc_profile": picture.info.get("icc_profile")}
    if encoding == "image/jpeg":
        from PIL import JpegImagePlugin

        assert isinstance(picture, JpegImagePlugin.JpegImageFile)  # noqa: S101 - tells mypy
        sampling = JpegImagePlugin.get_sampling(picture)
        # The same tables: what was rounded once is rounded to nearly the same again.
        options |= {"qtables": picture.quantization, "subsampling": max(sampling, 0), "optimize": True}
        options |= {"progressive": True} if picture.info.get("progressive") else {}
    elif encoding == "image/webp":
        lossless = is_lossless(data)
        options |= {"lossless": lossless, "quality": 80 if lossless else 92, "exact": True}
    picture.transpose(way).save(out, _FORMATS[encoding], **options)
    return out.getvalue()
