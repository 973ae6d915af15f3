"""What a person may be called in the user id of an own key. Pure."""

from __future__ import annotations

import re
import unicodedata

from mau.errors import UsageError

MAX_NAME = 200
MAX_EMAIL = 254
_EMAIL = re.compile(r"[^\s@<>()]+@[^\s@<>()]+")
_JOINERS = "\u200c\u200d"  # needed by Persian, Indic scripts and emoji; harmless between letters


def check_name(text: str) -> str:
    """Return a person's name as it goes into the user id, in NFC; UsageError says what does not fit.

    Angle brackets and parentheses are the user id's own syntax; other implementations refuse them too.
    """
    name = unicodedata.normalize("NFC", text.strip())
    if not name:
        raise UsageError("a name is needed")
    if any(character in "<>()" for character in name):
        raise UsageError("a name may not hold < > ( )")
    if "@" in name:
        raise UsageError("a name may not hold @; the e-mail address has its own place")
    _check_visible("a name", name)
    if len(name) > MAX_NAME:
        raise UsageError(f"a name has at most {MAX_NAME} characters")
    return name


def check_email(text: str) -> str:
    """Return an e-mail address as it goes into the user id; UsageError says what does not fit.

    Mau sends nothing there: it tells people of the same name apart, and may be any that has the form.
    """
    email = unicodedata.normalize("NFC", text.strip())
    _check_visible("an e-mail address", email)
    if len(email) > MAX_EMAIL or not _EMAIL.fullmatch(email):
        raise UsageError(f"not an e-mail address of the form somebody@somewhere: {email!r:.60}")
    return email


def _check_visible(what: str, text: str) -> None:
    """Refuse controls, directions, separators, surrogates and unassigned characters."""
    for character in text:
        unseen = unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        if unseen and character not in _JOINERS:
            raise UsageError(f"{what} may not hold the character U+{ord(character):04X}")
