"""Local names: what the owner of this account calls somebody (spec/keyring.md K4). Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from mau.errors import UsageError

ME = "me"
MAX_LENGTH = 64
"""Characters of a local name."""
MIN_PREFIX = 8
"""Hex digits from which on a word may be the beginning of a fingerprint."""

_HEX_LIKE = re.compile(rf"(0x)?[0-9a-f]{{{MIN_PREFIX},}}")
_BLANKS = re.compile(r"[ :]")
# What shows as nothing although Unicode does not call it a control or format character.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | set(
    map(chr, range(0xFE00, 0xFE10))
)
_COMMENT = re.compile(r"\([^()]*\)|<[^<>]*>")


def name_key(name: str) -> str:
    """What two local names must differ in: their compatibility form without case, so that forms clash."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def looks_like_fingerprint(word: str) -> bool:
    """Whether a word may be meant as a fingerprint or the beginning of one: 8 hex digits or more."""
    return _HEX_LIKE.fullmatch(_BLANKS.sub("", name_key(word))) is not None


def check_local_name(name: str) -> str:
    """The name in NFC, for somebody who is to be called so from now on; else UsageError with the reason (K4).

    Nothing is repaired.
    """
    name = check_stated_name(name)
    if "@" in name_key(name):
        raise UsageError(
            f"a local name holds no '@', for it would go before the friend with that e-mail address: {name!r}"
        )
    return name


def check_stated_name(name: str) -> str:
    """As `check_local_name`, for a name that a statement holds: it may be from before '@' was refused."""
    name = unicodedata.normalize("NFC", name)
    if not name:
        raise UsageError("a local name must not be empty")
    if len(name) > MAX_LENGTH:
        raise UsageError(f"a local name has at most {MAX_LENGTH} characters, not {len(name)}")
    if name != name.strip():
        raise UsageError(f"a local name neither begins nor ends with a space: {name!r}")
    for character in name:
        if not _showable(character):
            raise UsageError(f"a local name holds no control, invisible or unassigned characters: {name!r}")
        if character == "/":
            raise UsageError(f"a local name holds no slash: {name!r}")
    if name_key(name[0])[:1] in ("@", "-"):
        raise UsageError(f"a local name does not begin with '@' (that is a group) or '-': {name!r}")
    if name_key(name) == ME:
        raise UsageError(f"{ME!r} is you; choose another local name")
    if looks_like_fingerprint(name):
        raise UsageError(f"a local name must not look like a fingerprint or the beginning of one: {name!r}")
    return name


def _showable(character: str) -> bool:
    if character == " ":
        return True
    return unicodedata.category(character)[0] not in "CZ" and character not in _INVISIBLE


def suggest(user_name: str, email: str, taken: Container[str] = ()) -> str:
    """A local name made of a user id that somebody else wrote, or "" when nothing of it serves.

    `taken` holds the `name_key` of names in use; a number is appended until the name is free.
    """
    for source in (_COMMENT.sub(" ", user_name), email.partition("@")[0]):
        base = _cleaned(source)
        for number in range(1, 1000):
            ending = "" if number == 1 else f" {number}"
            candidate = base[: MAX_LENGTH - len(ending)].rstrip() + ending
            try:
                candidate = check_local_name(candidate)
            except UsageError:
                break
            if name_key(candidate) not in taken:
                return candidate
    return ""


def _cleaned(text: str) -> str:
    text = unicodedata.normalize("NFC", text)
    text = "".join(c if _showable(c) and c not in "/<>@" else " " for c in text)
    return " ".join(text.split()).lstrip("- ")
