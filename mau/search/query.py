"""What is asked for: words, phrases, what must not be there (spec/search.md SQ1-SQ8). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mau.errors import UsageError
from mau.search.folding import tokens

MAX_TERMS: Final = 32
MIN_PREFIX: Final = 3
"""Letters that stand before a ``*``."""
_TERM: Final = re.compile(r'(-?)(?:"([^"]*)(?:"|\Z)|([^\s"]+))(\*?)')


@dataclass(frozen=True, slots=True)
class Term:
    """Tokens that stand side by side, in this order; with `prefix`, the last one begins a word."""

    tokens: tuple[str, ...]
    prefix: bool = False
    without: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """All of `wanted`, and none of `unwanted`."""

    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.wanted or self.unwanted)


def parse_query(words: str | Sequence[str]) -> Query:
    """Read a query: a line as a person types it, or the words of a command line. UsageError.

    Of a command line, a word with spaces in it is a phrase, for the shell took its quotes away.
    """
    terms: dict[Term, None] = {}
    for word in [words] if isinstance(words, str) else words:
        whole = not isinstance(words, str) and '"' not in word and len(word.split()) > 1
        for term in [_whole(word)] if whole else map(_term, _TERM.finditer(word)):
            if term.tokens:
                terms[term] = None
    if len(terms) > MAX_TERMS:
        raise UsageError(f"a search has at most {MAX_TERMS} words")
    query = Query(
        tuple(term for term in terms if not term.without), tuple(term for term in terms if term.without)
    )
    if query.unwanted and not query.wanted:
        raise UsageError("say also what is to be found: only words that must not be there were given")
    return query


def _whole(word: str) -> Term:
    """A word of the command line with spaces in it."""
    without = word.startswith("-")
    return _made(word.removeprefix("-"), word.endswith("*"), without)


def _term(match: re.Match[str]) -> Term:
    minus, phrase, word, star = match.groups()
    text = word if phrase is None else phrase
    return _made(text, bool(star) or text.endswith("*"), bool(minus))


def _made(text: str, prefix: bool, without: bool) -> Term:
    found = tuple(tokens(text))
    if prefix and found and len(found[-1]) < MIN_PREFIX and found[-1].isascii():
        raise UsageError(f"before a * stand at least {MIN_PREFIX} letters")
    return Term(found, prefix and bool(found), without)


def expression(query: Query, people: Sequence[frozenset[str]] = (), filters: Iterable[str] = ()) -> str:
    """The query in the language of SQLite's FTS5; "" when it asks for nothing.

    `people`: for each wanted term, the fingerprints (hex) of those who are called so. `filters`: expressions
    that must hold as well.
    """
    wanted = list(filters)
    for number, term in enumerate(query.wanted):
        named = sorted(people[number]) if number < len(people) else []
        ways = [_phrase(term), *(f'who : "{one}"' for one in named)]
        wanted.append(ways[0] if len(ways) == 1 else f"({' OR '.join(ways)})")
    found = " AND ".join(wanted)
    if found and query.unwanted:
        # All columns but who and what: `-bob` means the word.
        found = f"({found}) NOT ({' OR '.join(map(_phrase, query.unwanted))})"
    return found


def one_of(column: str, values: Iterable[str]) -> str:
    """A filter: the column holds one of the values, each a phrase of tokens."""
    return f"({' OR '.join(f'{column} : {_quoted(tokens(value))}' for value in sorted(values))})"


def _phrase(term: Term) -> str:
    return "{body labels who} : " + _quoted(term.tokens) + (" *" if term.prefix else "")


def _quoted(words: Iterable[str]) -> str:
    # Tokens are letters, digits, marks and symbols: no quote is among them.
    return f'"{" ".join(words)}"'


def names_meant(term: Term, called: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Whom a term names: `called` are pairs of fingerprint (hex) and name."""
    found = set()
    for fingerprint, name in called:
        words = tokens(name)
        length = len(term.tokens)
        for start in range(len(words) - length + 1):
            if fits(term, words[start : start + length]):
                found.add(fingerprint)
                break
    return frozenset(found)


def fits(term: Term, words: Sequence[str]) -> bool:
    """Whether so many tokens, one beside the other, are those of the term."""
    *others, last = words
    return tuple(others) == term.tokens[:-1] and (
        last == term.tokens[-1] or (term.prefix and last.startswith(term.tokens[-1]))
    )
