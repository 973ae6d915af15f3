"""What a file that somebody attached may be called here: his words, with nothing in them that harms. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Container
from typing import Final

_MAX_BYTES: Final = 180
_FORBIDDEN: Final = frozenset('/\\:*?"<>|')
_SUFFIXES: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/svg+xml": ".svg",
    "image/tiff": ".tiff",
    "image/heic": ".heic",
    "image/avif": ".avif",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/flac": ".flac",
    "audio/mp4": ".m4a",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "text/plain": ".txt",
}


def file_name(called: str, stem: str, encoding: str, taken: Container[str] = ()) -> str:
    """A name for the file: what it was `called` as far as that is harmless, else `stem` with a suffix.

    One segment of a path, without separators, control and invisible characters, never hidden and never like
    an option; none of those that are `taken`.
    """
    name = _harmless(called) or f"{_harmless(stem) or 'file'}{_SUFFIXES.get(encoding, '')}"
    number, free = 1, name
    while free in taken:
        number += 1
        start, dot, suffix = name.rpartition(".")
        free = f"{start}-{number}{dot}{suffix}" if start else f"{name}-{number}"
    return free


def _harmless(words: str) -> str:
    """Only letters, marks, digits, signs and single spaces; at most `_MAX_BYTES`, the suffix kept."""
    kept = "".join(
        " " if unicodedata.category(one)[0] == "Z" else one
        for one in unicodedata.normalize("NFC", words[:1000])
        if one not in _FORBIDDEN and (unicodedata.category(one)[0] != "C" or one in "\t\n")
    )
    name = " ".join(kept.split()).lstrip(".- ").rstrip(". ")
    start, dot, suffix = name.rpartition(".")
    if not start or len(suffix.encode()) > 20:
        start, dot, suffix = name, "", ""
    room = _MAX_BYTES - len((dot + suffix).encode())
    return start.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + suffix
