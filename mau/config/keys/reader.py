"""Settings of how posts are read. Pure."""

from __future__ import annotations

from typing import Any, Final

from mau.config.keys.key import Key
from mau.config.kinds import Switch
from mau.config.lists import Languages

READER_LANGUAGES: Final[Key[tuple[str, ...] | None]] = Key(
    "reader.languages",
    Languages(),
    None,
    "the languages you read, the best first: which of its texts a post in several languages shows",
    "",
    "those of the locale",
)

READER_MARK_READ: Final = Key(
    "reader.mark_read",
    Switch(),
    True,
    "whether `mau open` and `mau thread` mark as read what they show",
    "",
)

KEYS: Final[tuple[Key[Any], ...]] = (READER_LANGUAGES, READER_MARK_READ)
