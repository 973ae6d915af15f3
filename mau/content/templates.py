"""Pages to begin with: the words of a type, what each takes, nothing filled in (spec/writing.md P5). Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mau.content import yamltext
from mau.content.jsonld import SCHEMA_ORG
from mau.content.kinds import Kind, Value, Word

_NOTES: Final = (
    "Lines with # are for you alone. What is left empty is not published; an unchanged page is not, either.",
    "The text goes below the second ---, in Markdown.",
)
_PLACE: Final = 20  # columns before the notes
_ENVELOPE: Final = {
    "for": "names, @groups, friends, me or public",
    "name": "what the post is called; chosen for you when empty",
    "attach": "files that belong to it, as in: [photo.jpg]",
}
_OWN_WORDS: Final = frozenset({"keywords", "inLanguage"})


def template(kind: Kind, *, type_name: str = "", envelope: Mapping[str, Any] | None = None) -> str:
    """A page for a new document of that type; `envelope` is filled in where it says something.

    `type_name` is for a type that is not in the table.
    """
    name = type_name or kind.name
    given = {key: value for key, value in (envelope or {}).items() if value}
    lines = [f"# {note}" for note in _NOTES]
    lines.append(f"type: {name}")
    if kind.title is not None:
        lines.append(_line("title", "needed" if kind.title in kind.required else ""))
    for key, note in _ENVELOPE.items():
        lines.append(yamltext.write({key: given[key]}).rstrip("\n") if key in given else _line(key, note))
    for word in kind.words:
        if word.name not in _OWN_WORDS:
            lines += _word_lines(word, needed=word.name in kind.required)
    named = {word.name for word in kind.words} or _OWN_WORDS
    if "keywords" in named:
        lines.append(_line("tags", "as in: [garden, tea]"))
    if "inLanguage" in named:
        lines.append(_line("language", "as in: en; a text in another one begins with <!-- lang: de -->"))
    return "\n".join(["---", *lines, "---", "", ""])


def raw_template(kind: Kind, type_name: str = "") -> str:
    """The document itself in JSON, with an empty place for each word of the type."""
    document: dict[str, Any] = {"@context": SCHEMA_ORG, "@type": type_name or kind.name}
    if kind.title is not None:
        document[kind.title] = ""
    document.update({word.name: [""] if word.many else "" for word in kind.words})
    document[kind.body] = ""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def without_empty(document: Mapping[str, Any]) -> dict[str, Any]:
    """A new document without the places of `raw_template` that nobody filled in."""
    return {word: value for word, value in document.items() if value not in ("", [""], [], None)}


def _word_lines(word: Word, *, needed: bool) -> list[str]:
    need = "needed; " if needed else ""
    if not word.many:
        return [_line(word.name, f"{need}as in: {word.example}")]
    above = _line(word.name, f"{need}one in each line, as in:")
    return [above, f"#  - {word.example}" if word.value is not Value.POST else f'#  - "{word.example}"']


def _line(word: str, note: str) -> str:
    return f"{word + ':':{_PLACE}}# {note}" if note else f"{word}:"
