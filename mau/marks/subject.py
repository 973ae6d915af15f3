"""What can be muted, blocked or pinned: a person, a tag, a thread, words (spec/marks.md MK21). Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

from mau.content.address import Address, post_iri
from mau.content.tags import MAX_TAG, fold_tag
from mau.errors import UsageError
from mau.fingerprint import Fingerprint

Kind = Literal["person", "tag", "thread", "words"]

MAX_WORDS = 200
"""Characters of muted words."""


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """`value` is a fingerprint in hex, a folded tag, the address of a post, or words with single spaces."""

    kind: Kind
    value: str

    @property
    def fingerprint(self) -> Fingerprint:
        """Who it is, when it is a person."""
        return Fingerprint.parse(self.value)


def person(fingerprint: Fingerprint) -> Subject:
    """Somebody, with all that he writes."""
    return Subject("person", fingerprint.hex)


def tag(word: str) -> Subject:
    """A tag, with or without its ``#``; UsageError when it is none."""
    folded = fold_tag(word)
    if not 0 < len(folded) <= MAX_TAG:
        raise UsageError(f"not a tag: {word!r:.120}")
    return Subject("tag", folded)


def thread(address: Address) -> Subject:
    """A post and what answers it, its newest content or an older one."""
    if address.name is None:
        raise UsageError(f"not the address of a post: {str(address)!r}")
    return Subject("thread", post_iri(address.author, address.name))


def words(text: str) -> Subject:
    """Words that stand together in a text; UsageError when there are none."""
    phrase = " ".join(text.split())
    if not fold_words(phrase) or len(phrase) > MAX_WORDS:
        raise UsageError(f"words to mute have 1 to {MAX_WORDS} characters: {text!r:.120}")
    return Subject("words", fold_words(phrase))


def fold_words(text: str) -> str:
    """A text as it is compared: compatibility form, no case, single spaces."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())
