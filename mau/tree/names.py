"""What a file in the tree may be called: decisions only, nothing here touches a disk (spec/tree.md N1-N11).

A *name* is one path segment. A *post name* is a name that ends in ``.pgp``; what stands before is its stem.
Names from others are accepted or refused, byte for byte; only what a person types is normalised.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from mau.errors import InvalidName, UsageError

POST_SUFFIX: Final = ".pgp"
VERSIONS_SUFFIX: Final = ".versions"
KEYS_DIR: Final = ".mau"
KNOWN_GROUP: Final = "known"
KEYRING_NAME: Final = "keyring.json.pgp"
"""The owner's own statement of who his friends are: no other post may take this name."""
MARKS_NAME: Final = "mau-marks.json.pgp"
"""Whom and what the owner mutes, blocks and pins."""
READ_NAME: Final = "mau-read.json.pgp"
"""What the owner has read."""
GROUPS_NAME: Final = "mau-groups.json.pgp"
"""Which groups are shared, and whose lists they follow."""
PRIVATE_NAMES: Final = frozenset({KEYRING_NAME, MARKS_NAME, READ_NAME, GROUPS_NAME})
"""Files for their owner alone, whatever their recipients say: no post may take these names."""

MAX_BYTES: Final = 255
"""What a path segment may have, in bytes of UTF-8, on every file system that matters."""
MAX_POST_BYTES: Final = MAX_BYTES - len(VERSIONS_SUFFIX)

_RANDOM_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 of them, none that reads like another
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,150}")
# C0, DEL and C1, the line and paragraph separators, lone surrogates, and what separates paths anywhere.
_FORBIDDEN = re.compile("[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff/\\\\]")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def check_name(name: str) -> str:
    """Return `name` unchanged when a post may have it, with or without its ``.pgp``; else InvalidName."""
    stem = name.removesuffix(POST_SUFFIX)
    if not _PLAIN.fullmatch(name):
        if not name:
            raise InvalidName("a name cannot be empty")
        if _FORBIDDEN.search(name):
            raise InvalidName(f"a name cannot hold separators or control characters: {_shown(name)}")
        if len((stem + POST_SUFFIX).encode()) > MAX_POST_BYTES:
            raise InvalidName(f"a name has at most {MAX_POST_BYTES} bytes, with .pgp: {_shown(name)}")
    if name[0] == ".":
        raise InvalidName(f"a name cannot begin with a dot: {_shown(name)}")
    if ".pgp.version" in name.lower() and _like_versions(stem):
        raise InvalidName(f"that is how the directory of older versions is called: {_shown(name)}")
    return name


def check_post_name(name: str) -> str:
    """Return `name` unchanged when it is the full name of a post, ``NAME.pgp``; else InvalidName."""
    if not name.endswith(POST_SUFFIX):
        raise InvalidName(f"the name of a post ends in .pgp: {_shown(name)}")
    return check_name(name)


def is_post_name(name: str) -> bool:
    """Whether a directory entry of that name can be a post."""
    if not name.endswith(POST_SUFFIX):
        return False
    try:
        check_name(name)
    except InvalidName:
        return False
    return True


def post_name(word: str) -> str:
    """The post name for a word that a person typed: in NFC, with ``.pgp``; InvalidName when it cannot be."""
    try:
        name = unicodedata.normalize("NFC", word)
    except ValueError as error:  # pragma: no cover - CPython takes lone surrogates, others may not
        raise InvalidName(f"not text: {_shown(word)}") from error
    return check_post_name(name if name.endswith(POST_SUFFIX) else name + POST_SUFFIX)


def versions_name(name: str) -> str:
    """The directory that holds the older contents of the post `name`."""
    return name + VERSIONS_SUFFIX


def check_sha256(text: str) -> str:
    """Return `text` unchanged when it is 64 lower-case hex digits; else InvalidName."""
    if not _SHA256.fullmatch(text):
        raise InvalidName(f"a version is named by 64 lower-case hex digits: {_shown(text)}")
    return text


def fold(name: str) -> str:
    """A key that is equal for two names which differ by case or canonical normal form only."""
    if name.isascii():
        return name.lower()
    # Folding can undo a normal form and the other way round, hence both sides (Unicode 3.13, D145).
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def clashes(name: str, held: Iterable[str]) -> str | None:
    """The held name from which `name` differs by case or normal form only; None when there is none.

    A name that is itself held clashes with nothing: it is there already. With many names to check against
    many held ones, build a dict by `fold` instead.
    """
    key = fold(name)
    found: str | None = None
    for other in held:
        if other == name:
            return None
        if found is None and fold(other) == key:
            found = other
    return found


def random_name(now: datetime, suffix: str = "") -> str:
    """A name that tells nothing: the date and 40 random bits, ``2026-11-20-k3v9x2qa.json`` (N9).

    `suffix` is a file extension, with or without its dot; ``.pgp`` is for `post_name` to add.
    """
    letters = "".join(_RANDOM_LETTERS[byte & 31] for byte in os.urandom(8))
    dotted = suffix if not suffix or suffix.startswith(".") else "." + suffix
    return check_name(f"{now:%Y-%m-%d}-{letters}{dotted}")


def check_group(name: str) -> str:
    """The name of a group, in NFC; segments joined by ``/`` are nested directories. Else UsageError."""
    normal = unicodedata.normalize("NFC", name)
    for segment in normal.split("/"):
        reason = _group_problem(segment)
        if reason:
            raise UsageError(f"a group cannot be called {_shown(name)}: {reason}")
    return normal


def _group_problem(segment: str) -> str | None:
    lower = segment.lower()
    rules = (
        (not segment, "a part of it is empty"),
        (segment[:1] in (".", "@"), "no part begins with a dot or @"),
        (bool(_FORBIDDEN.search(segment)), "it holds separators or control characters"),
        (lower.endswith(POST_SUFFIX), "what ends in .pgp is a key"),
        (lower == KNOWN_GROUP, "that is the place of keys held to verify with"),
    )
    for broken, reason in rules:
        if broken:
            return reason
    return "a part of it has more than 255 bytes" if len(segment.encode()) > MAX_BYTES else None


def _like_versions(stem: str) -> bool:
    lower = stem.lower()
    return lower.endswith((".pgp.versions", ".pgp.version"))


def _shown(text: str) -> str:
    """`text` for a message: escaped, and not longer than a person reads."""
    return ascii(text if len(text) <= 80 else text[:77] + "...")
