"""A text in several languages: ``<!-- lang: de -->`` begins a section (spec/writing.md P30-P31). Pure."""

from __future__ import annotations

import re
from typing import Any, Final

LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")
_SECTION: Final = re.compile(rf"<!--[ \t]*lang:[ \t]*({LANGUAGE.pattern})[ \t]*-->[ \t]*")
_ESCAPED: Final = re.compile(r"\\+<!--[ \t]*lang:")


def read_body(text: str) -> Any:
    """What a text below the words says: a text, or the list of texts with the language of each.

    A text before the first section is in the language of the post.
    """
    sections: list[tuple[str | None, list[str]]] = [(None, [])]
    for line in text.split("\n"):
        section = _SECTION.fullmatch(line)
        if section is not None:
            sections.append((section[1], []))
        else:
            sections[-1][1].append(line[1:] if _ESCAPED.match(line) else line)
    made = [(language, "\n".join(lines).strip("\n")) for language, lines in sections]
    if len(made) == 1:
        return made[0][1]
    return [
        said if language is None else {"@language": language, "@value": said}
        for language, said in made
        if said.strip()
    ]


def write_body(value: Any) -> str | None:
    """A text of a document, or its texts in several languages, as `read_body` reads them; None for others."""
    if isinstance(value, str):
        return _escaped(value)
    values = value if isinstance(value, list) else [value]
    if not values or not all(map(_is_text, values)) or any(isinstance(one, str) for one in values[1:]):
        return None
    return "\n\n".join(
        _escaped(one)
        if isinstance(one, str)
        else f"<!-- lang: {one['@language']} -->\n\n{_escaped(one['@value'])}"
        for one in values
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or is_tagged(value)


def is_tagged(value: Any) -> bool:
    """Whether a value of JSON-LD is a text with its language, and nothing else."""
    return (
        isinstance(value, dict)
        and value.keys() == {"@language", "@value"}
        and all(isinstance(one, str) for one in value.values())
        and LANGUAGE.fullmatch(value["@language"]) is not None
    )


def _escaped(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(f"\\{one}" if _SECTION.fullmatch(one) or _ESCAPED.match(one) else one for one in lines)
