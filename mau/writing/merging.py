"""Two changes of one document, word by word (spec/writing.md P74). Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

_MISSING: Final = object()
_STAMPS: Final = frozenset({"dateModified"})


def merged(
    base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What both changed of `base`, and the words that both changed in different ways; mine stand there then.

    When a document was changed is no difference.
    """
    result: dict[str, Any] = {}
    clashes: list[str] = []
    for word in {**theirs, **mine}:
        before, ours, others = (one.get(word, _MISSING) for one in (base, mine, theirs))
        if _same(ours, before):
            value = others
        else:
            value = ours
            if word not in _STAMPS and not _same(others, before) and not _same(others, ours):
                clashes.append(word)
        if value is not _MISSING:
            result[word] = value
    return result, tuple(clashes)


def _same(one: Any, other: Any) -> bool:
    if one is _MISSING or other is _MISSING:
        return one is other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
