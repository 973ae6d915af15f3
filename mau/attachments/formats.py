"""What kind of file it is, by its first bytes: never by its name, which says what somebody likes. Pure."""

from __future__ import annotations

import re
from typing import Final

HEAD: Final = 4096
"""Bytes that `encoding_of` looks at."""
OCTETS: Final = "application/octet-stream"

_BEGINNINGS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
    (b"\xff\x0a", "image/jxl"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"FUJIFILMCCD-RAW", "image/x-fuji-raf"),
    (b"IIRO", "image/x-olympus-orf"),
    (b"IIRS", "image/x-olympus-orf"),
    (b"IIU\0", "image/x-panasonic-rw2"),
    (b"FOVb", "image/x-sigma-x3f"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"\0\0\x01\xb3", "video/mpeg"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"{\\rtf", "application/rtf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
_RIFF: Final = {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo", b"WAVE": "audio/wav"}
# ISO base media (ISO/IEC 14496-12): the brand after "ftyp".
_BRANDS: Final = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"heim": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"crx ": "image/x-canon-cr3",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_MPEG_AUDIO: Final = re.compile(rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff][\x10-\xef]", re.DOTALL)
CLEANED: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""Pictures that we rid of what they say about their making, and show."""
_CARRIERS: Final = frozenset(
    {"application/pdf", "application/zip", "application/x-ole-storage", "application/rtf"}
)


def encoding_of(head: bytes) -> str:
    """The media type (RFC 6838) of a file that begins like this; `OCTETS` when unknown."""
    for beginning, encoding in _BEGINNINGS:
        if head.startswith(beginning):
            return encoding
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], OCTETS)
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[4:8] in {b"moov", b"mdat", b"wide"}:
        return "video/quicktime"
    if head[:4] == b"OggS":
        return "video/ogg" if b"theora" in head[:128] else "audio/ogg"
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "image/bmp"
    if _MPEG_AUDIO.match(head):
        return "audio/mpeg"
    return _text_encoding(head)


def _text_encoding(head: bytes) -> str:
    markup = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if markup.startswith(b"<") and re.search(rb"<svg[\s>]", markup):
        return "image/svg+xml"
    if not head or b"\0" in head:
        return OCTETS
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if len(head) < HEAD or error.start < HEAD - 3:  # a character that the end of the head cuts is none
            return OCTETS
    return "text/html" if re.match(rb"<(?:!doctype )?html[\s>]", markup) else "text/plain"


def word_for(encoding: str) -> str:
    """The schema.org type of a file of that media type."""
    words = {"image": "ImageObject", "video": "VideoObject", "audio": "AudioObject"}
    return words.get(encoding.partition("/")[0], "MediaObject")


def tells_of_its_making(encoding: str) -> bool:
    """Whether cameras write place and time into such files, and we cannot take them out."""
    return encoding not in CLEANED and encoding.startswith(("image/", "video/"))


def may_tell(encoding: str) -> bool:
    """Whether programs write names and times into such files: worth a word to whoever shares one."""
    return encoding in _CARRIERS or encoding.startswith("audio/")
