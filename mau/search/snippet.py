"""The piece of a text around what was found (spec/search.md SR4). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from mau.search.folding import tokens
from mau.search.query import Query, Term, fits
from mau.search.texts import Texts

AROUND: Final = 60
"""Characters before and after it."""
_LOOKED_AT: Final = 64 << 10
_CUTS: Final = re.compile(r"\S+"), re.compile(r"[^\W_]+|[^\w\s]"), re.compile(r".", re.DOTALL)


def snippet_of(texts: Texts, query: Query) -> str:
    """One line around the first word of the query that is found; else the beginning of the text."""
    for text in (texts.body, texts.labels):
        looked_at = text[:_LOOKED_AT]
        found = _find(looked_at, query.wanted)
        if found is not None:
            return _cut(looked_at, *found)
    return _cut((texts.body or texts.labels)[:_LOOKED_AT], 0, 0)


def _find(text: str, terms: Sequence[Term]) -> tuple[int, int] | None:
    """Where the first of the terms stands that stands there at all."""
    pieces = [(token, start, end) for start, end in _pieces(text, 0) for token in tokens(text[start:end])]
    words = [token for token, _, _ in pieces]
    for term in terms:
        length = len(term.tokens)
        for at in range(len(words) - length + 1):
            if fits(term, words[at : at + length]):
                return pieces[at][1], pieces[at + length - 1][2]
    return None


def _pieces(text: str, level: int) -> Iterator[tuple[int, int]]:
    """The places of tokens: runs between spaces; where one is several tokens, its words or characters."""
    for match in _CUTS[level].finditer(text):
        if level + 1 < len(_CUTS) and len(tokens(match.group())) > 1:
            for start, end in _pieces(match.group(), level + 1):
                yield match.start() + start, match.start() + end
        else:
            yield match.span()


def _cut(text: str, start: int, end: int) -> str:
    left, right = max(0, start - AROUND), min(len(text), end + AROUND)
    # Whole words at both ends, where there is a space near.
    if left:
        space = text.find(" ", left, start)
        left = space + 1 if 0 <= space < left + 20 else left
    if right < len(text):
        space = text.rfind(" ", end, right)
        right = space if space > right - 20 else right
    line = " ".join(text[left:right].split())
    return ("… " if left else "") + line + (" …" if right < len(text) else "")
