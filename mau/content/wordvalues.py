"""The values of words: as they stand in a page, and in a document (spec/writing.md P10-P19). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from mau.content.bodies import LANGUAGE, is_tagged
from mau.content.kinds.kind import Value
from mau.content.kinds.values import is_url, said, written
from mau.content.yamltext import resolved, same

_LISTED: Final = re.compile(r"[,;\n]")


def from_page(value: Any, kind: Value | None, refer: Callable[[str], str] | None = None) -> Any:
    """What a word of that kind (None: not known) holds with a value as `read_page` gives it.

    A word of a known kind takes its texts as they were typed. A mapping of languages to texts becomes a text
    for each; any other mapping is an object. `refer` makes an address of what names a post otherwise.
    """
    if kind is None:
        return resolved(value)
    if isinstance(value, list):
        made = [from_page(one, kind, refer) for one in value]
        return [one for item in made for one in (item if isinstance(item, list) else [item])]
    if isinstance(value, dict):
        return _texts(value) if kind is Value.TEXT and _is_languages(value) else resolved(value)
    text = str(value) if isinstance(value, str) else value
    if kind is Value.POST and refer is not None and isinstance(text, str) and not is_url(text):
        text = refer(text)
    return written(kind, text)


def to_page(value: Any, kind: Value | None) -> Any:
    """The value as it stands in a page; None when it has no such form, and the page does not show it."""
    shown = _shown(value, kind)
    # What would become another value when it is read again is left alone.
    return shown if shown is not None and same(from_page(shown, kind), value) else None


def _shown(value: Any, kind: Value | None) -> Any:
    if kind is None:
        return value
    if isinstance(value, list):
        if value and all(map(is_tagged, value)):
            return _languages(value)
        many = [_shown(one, kind) for one in value]
        return None if any(one is None for one in many) else many
    if is_tagged(value):
        return _languages([value])
    return said(kind, value)


def tags_from_page(value: Any) -> list[str]:
    """The words of `tags`: a list, or one text with commas between them; ValueError."""
    many = value if isinstance(value, list) else _LISTED.split(value) if isinstance(value, str) else [None]
    if not all(isinstance(one, str) for one in many):
        raise ValueError("takes words, as in `tags: [tea, garden]`")
    return [tag for one in many if (tag := str(one).strip().removeprefix("#").strip())]


def tags_to_page(value: Any) -> list[str] | None:
    """The keywords of a document as a list; None when they are anything else than words."""
    many = value if isinstance(value, list) else _LISTED.split(value) if isinstance(value, str) else []
    return [one.strip() for one in many] if many and all(isinstance(one, str) for one in many) else None


def _is_languages(value: dict[str, Any]) -> bool:
    texts = [one for many in value.values() for one in (many if isinstance(many, list) else [many])]
    return bool(texts) and all(map(LANGUAGE.fullmatch, value)) and all(isinstance(one, str) for one in texts)


def _texts(value: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"@language": language, "@value": str(one)}
        for language, many in value.items()
        for one in (many if isinstance(many, list) else [many])
    ]


def _languages(values: list[dict[str, str]]) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    for one in values:
        found.setdefault(one["@language"], []).append(one["@value"])
    return {language: texts[0] if len(texts) == 1 else texts for language, texts in found.items()}
