"""Short forms of a post's name, for people to type (spec/conversations.md CV30-CV34). Pure.

A name that tells nothing (``2026-11-20-k3v9x2qa.json.pgp``) begins like all others of that day, so its random
letters stand for it: ``k3v9x2qa``. Any other stands without its endings when it is a document: ``kettle``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from mau.tree.names import POST_SUFFIX, fold

_RANDOM: Final = re.compile(r"\d{4}-\d{2}-\d{2}-([a-z2-9]{8}|[0-9a-z]{8})(\.[^.]+)?\.pgp")


def letters_of(name: str) -> str | None:
    """The random letters of a name that tells nothing; None for any other name."""
    found = _RANDOM.fullmatch(name)
    return None if found is None else found[1]


def short_name(name: str) -> str:
    """The form of a name that is shown to people and read back by `meant_names`."""
    return letters_of(name) or name.removesuffix(POST_SUFFIX)


def names_with_letters(word: str, names: Iterable[str]) -> list[str]:
    """The names that tell nothing and have these random letters, all of them."""
    key = fold(word)
    return [name for name in names if key and letters_of(name) == key]


def meant_names(word: str, names: Iterable[str]) -> list[str]:
    """The names that a word can mean, those of the best kind of fit alone, in their order.

    The kinds, the best first: the name itself, with or without ``.pgp``; the same but for case or normal
    form; its random letters; what the name, or its random letters, begin with.
    """
    key = fold(word)
    if not key:
        return []
    whole = (key, key + POST_SUFFIX)
    kinds: tuple[list[str], ...] = ([], [], [], [])
    for name in names:
        folded = fold(name)
        letters = letters_of(name) or ""
        if name in (word, word + POST_SUFFIX):
            kinds[0].append(name)
        elif folded in whole:
            kinds[1].append(name)
        elif letters == key:
            kinds[2].append(name)
        elif folded.startswith(key) or letters.startswith(key):
            kinds[3].append(name)
    return next((found for found in kinds if found), [])
