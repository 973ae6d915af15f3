"""One type of document, the words that people fill in for it, and what kind of value each takes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Value(Enum):
    """What kind of value a word takes (spec/content.md CT20-CT24)."""

    TEXT = "text"
    DATE = "date"
    DURATION = "duration"
    NUMBER = "number"
    RATING = "rating"
    PLACE = "place"
    URL = "url"
    LANGUAGE = "language"
    PERSON = "person"
    THING = "thing"
    POST = "post"


@dataclass(frozen=True, slots=True)
class Word:
    """A word of schema.org: what it takes, what people call it, and an example for templates.

    `many`: a list of such values, each of them alone is one of one element.
    """

    name: str
    value: Value
    label: str
    example: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A type: the word of its title (None: it has none), of its body, and those that people fill in beside.

    `required` are words without which a document of this type says nothing. `article` is "a" or "an", as its
    name takes it in a sentence.
    """

    name: str
    title: str | None
    body: str
    words: tuple[Word, ...]
    required: frozenset[str]
    article: str = "a"

    def word(self, name: str) -> Word | None:
        """The word of that name; None when the type has none."""
        return next((word for word in self.words if word.name == name), None)
