"""Settings of how posts are read. Pure."""

from __future__ import annotations

from typing import Any, Final

from mau.config.keys.key import Key
from mau.config.lists import Languages

READER_LANGUAGES: Final[Key[tuple[str, ...] | None]] = Key(
    "reader.languages",
    Languages(),
    None,
    "the languages you read, the best first: which of its texts a post in several languages shows",
    "",
    "those of the locale",
)

KEYS: Final[tuple[Key[Any], ...]] = (READER_LANGUAGES,)
