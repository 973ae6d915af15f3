"""Text as it is searched: without case and diacritics, in tokens (spec/search.md SF1-SF6). Pure.

Both what is indexed and what is asked for goes through here, so that they meet.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_TOKEN: Final = 64
"""Characters of a token that count."""

# Letters that Unicode does not take apart, as people type them who have no such key.
_PLAIN: Final = {
    "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "ŋ": "n", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe",
}  # fmt: skip
# Scripts that are written without spaces, or whose words are glued together: each character is a token.
_SINGLE: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3100-\u318f\u31a0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
_ASCII: Final = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))


class _Marks(dict[int, "int | str | None"]):
    """What becomes of a character when marks are taken off. Filled as it is asked."""

    def __missing__(self, code: int) -> int | str | None:
        character = chr(code)
        kept: int | str | None = _PLAIN.get(character, code)
        place = unicodedata.combining(character)
        # Vowel points and accents. Nuktas, kana's voicing, virama and the tones of Thai and its neighbours
        # are letters to those who write with them.
        if 10 <= place <= 36 or place >= 200 or unicodedata.category(character) == "Cf":
            kept = None
        self[code] = kept
        return kept


class _Words(dict[int, "int | str"]):
    """What becomes of a character when a text is cut in tokens."""

    def __missing__(self, code: int) -> int | str:
        character = chr(code)
        category = unicodedata.category(character)
        kept: int | str = " "
        if category == "So" or _SINGLE.match(character):
            kept = f" {character} "
        elif category[0] in "LNM":
            kept = code
        self[code] = kept
        return kept


_MARKS: Final = _Marks()
_WORDS: Final = _Words()


def fold(text: str) -> str:
    """The text without case, diacritics and what shows nothing; in one normal form."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", apart.translate(_MARKS))


def tokens(text: str) -> list[str]:
    """The tokens of a text, folded, in their order; of each at most `MAX_TOKEN` characters count."""
    if text.isascii():
        words = text.translate(_ASCII).split()
    else:
        words = fold(text).translate(_WORDS).split()
    return [word[:MAX_TOKEN] for word in words]
