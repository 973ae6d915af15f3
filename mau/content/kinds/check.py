"""What is wrong with a document, in words for who wrote it (spec/content.md CT23). Pure."""

from __future__ import annotations

from typing import Any, Final

from mau.content.kinds.kind import Kind, Value, Word
from mau.content.kinds.table import KIN, KINDS, THING
from mau.content.kinds.values import fault
from mau.content.links import word_of

_MOST: Final = 20
"""Problems that are told of one document, and values of one word that are looked at."""
_TYPES: Final = 20
_STAMPS: Final = tuple(
    Word(name, Value.DATE, "", "")
    for name in ("datePublished", "dateCreated", "dateModified", "dateSent", "startTime", "endTime")
)
_MEDIA: Final = frozenset({"associatedMedia", "image", "video", "audio", "sharedContent"})


def kind_of(document: dict[str, Any]) -> Kind:
    """The type that a document is read as: the first it states that is known here, or kin to a known one."""
    stated = document.get("@type", document.get("type"))
    names = [
        word_of(one)
        for one in (stated if isinstance(stated, list) else [stated])[:_TYPES]
        if isinstance(one, str)
    ]
    return next(
        (KINDS[known] for name in names if (known := KIN.get(name, name)) in KINDS),
        THING,
    )


def problems(document: dict[str, Any]) -> list[str]:
    """What does not fit in a document, one sentence each, at most 20; unknown words and types fit."""
    kind = kind_of(document)
    held = {word_of(key): value for key, value in document.items() if not key.startswith("@")}
    found = [
        f"{kind.article} {kind.name} needs {name}"[:200]
        for name in sorted(kind.required)
        if _is_empty(held.get(name)) and not (name == kind.body and _MEDIA & held.keys())
    ]
    for word in (*kind.words, *_STAMPS):
        value = held.get(word.name)
        for one in (value if isinstance(value, list) else [] if value is None else [value])[:_MOST]:
            wrong = fault(word.value, one)
            if wrong:
                found.append(f"{word.name}: {_short(one)} is not {wrong}")
    return found[:_MOST]


def _is_empty(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or value in ([], {})


def _short(value: Any) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:60]}...")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return "the number" if isinstance(value, int) and value.bit_length() > 200 else repr(value)
    return "what is there"
