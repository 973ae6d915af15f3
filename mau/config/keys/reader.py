"""Settings of how posts are read. Pure."""

from __future__ import annotations

from typing import Any, Final, Literal

from mau.config.keys.key import Key
from mau.config.kinds import AlgorithmWord, Choice, Switch
from mau.config.lists import Languages

Pictures = Literal["auto", "never", "blocks", "sixel", "iterm", "kitty"]

READER_ALGORITHM: Final = Key(
    "reader.algorithm",
    AlgorithmWord(),
    "chronological",
    "what orders the timeline: chronological, catch-up, conversations, or a Python file of your own",
    "timeline --algorithm",
)

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

READER_PICTURES: Final[Key[Pictures]] = Key(
    "reader.pictures",
    Choice[Pictures]("auto", "never", "blocks", "sixel", "iterm", "kitty"),
    "auto",
    "how pictures are drawn on a terminal; auto finds out what it can, never shows a line of words instead",
    "",
)

KEYS: Final[tuple[Key[Any], ...]] = (READER_ALGORITHM, READER_LANGUAGES, READER_MARK_READ, READER_PICTURES)
