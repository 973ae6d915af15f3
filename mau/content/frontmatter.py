"""Pages: posts as people write them, Markdown below words between ``---`` lines (spec/writing.md P1-P39).

    ---
    type: Recipe
    title: Pancakes
    for: bob, @family
    recipeIngredient: [flour, milk]
    ---

    A text in Markdown.

`page_of` shows a document as such a page, `document_of` makes a document of a page. What a page does not show
of the document that it was made from stays in it, and so does every value that was not changed, as it was.
Pure; everything that is wrong with a page is a PageMalformed with the number of the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from mau.content import yamltext
from mau.content.bodies import read_body, write_body
from mau.content.kinds import KINDS, THING, Kind, Value, kind_of
from mau.content.wordvalues import from_page, tags_from_page, tags_to_page, to_page
from mau.errors import PageMalformed

AUDIENCE: Final = ("for", "to")
ENVELOPE: Final = (*AUDIENCE, "name", "attach")
"""Words about the post and not of its document: for whom, under which name, with which files."""
_TYPE: Final = "type"
_TITLE: Final = "title"
_ALIASES: Final = {"tags": "keywords", "language": "inLanguage"}
_OWN: Final = {"@id": "name", "id": "name", "audience": "for", "@type": "type", "@context": ""}
_BY_LETTERS: Final = {name.lower(): name for name in KINDS}
_LINE: Final = "---"
_HASHTAG: Final = re.compile(r"(?:tags|keywords):[^\"']*?[\s,\[]#\w.*")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says: its words, in the order in which they stand, and the text below them.

    `lines` says in which line each word stands, for messages.
    """

    meta: dict[str, Any]
    body: str
    lines: dict[str, int] = field(default_factory=dict)

    def where(self, word: str) -> str:
        """``line 3: `` for a word that the page says, else ""."""
        return f"line {self.lines[word]}: " if word in self.lines else ""

    def text(self, word: str) -> str:
        """The text of a word that takes one, "" when it is not said; PageMalformed when it is no text."""
        value = self.meta.get(word)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise PageMalformed(f"{self.where(word)}`{word}` takes one text")
        return value.strip()

    def listed(self, word: str) -> tuple[str, ...]:
        """The texts of a word that takes several: a list, or one text with commas; PageMalformed."""
        value = self.meta.get(word)
        if value is None:
            return ()
        many = value.split(",") if isinstance(value, str) else value
        if not isinstance(many, list) or not all(isinstance(one, str) for one in many):
            raise PageMalformed(f"{self.where(word)}`{word}` takes texts, as in `{word}: [bob, carol]`")
        return tuple(one.strip() for one in many if one.strip())


def read_page(text: str) -> Page:
    """The words and the text of a page; a text that does not begin with ``---`` has no words."""
    text = text.encode("utf-8", "replace").decode()  # half a letter (a lone surrogate) has no form in a file
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines[0].rstrip() != _LINE:
        return Page({}, "\n".join(lines).strip("\n"))
    for end, line in enumerate(lines[1:], 1):
        if line.rstrip() == _LINE:
            for at, one in enumerate(lines[1:end], 2):
                if _HASHTAG.fullmatch(one):  # to YAML a note, and the tag would vanish without a word
                    raise PageMalformed(f"line {at}: tags are written without #, as in `tags: [tea, garden]`")
            meta, places = yamltext.read("".join(f"{one}\n" for one in lines[1:end]), line=2)
            said = {word: value for word, value in meta.items() if value is not None}
            return Page(said, "\n".join(lines[end + 1 :]).strip("\n"), places)
    raise PageMalformed("line 1: the words that begin with --- end nowhere; a second line --- ends them")


def kind_of_page(page: Page, kind: Kind) -> Kind:
    """The type that a page names, `kind` when it names none."""
    return kind_of({"@type": yamltext.resolved(page.meta[_TYPE])}) if _TYPE in page.meta else kind


# --- a document of a page ----------------------------------------------------------------------------------


def document_of(
    page: Page,
    kind: Kind,
    base: Mapping[str, Any] | None = None,
    *,
    refer: Callable[[str], str] | None = None,
) -> dict[str, Any]:
    """The document that a page says; `kind` counts when the page names no type.

    With `base`, the document that the page was made of by `page_of`: what the page did not show of it, and
    what was not changed, is in the result as it was. The words of `ENVELOPE` are in neither. PageMalformed;
    `refer` makes addresses of short references to posts, and may raise errors of its own.
    """
    old = dict(base or {})
    shown = read_page(page_of(old)) if base is not None else Page({}, "")
    before, after = kind_of(old), kind_of_page(page, kind)
    _check(page, after)
    result = dict(old)
    moved: dict[str, Any] = {}
    for key in shown.meta:
        value = result.pop(_word(key, before, old), None)
        if key in page.meta and yamltext.same(page.meta[key], shown.meta[key]):
            moved[key] = value
    body = result.pop(before.body, None) if shown.body else None
    made: dict[str, Any] = {}
    for key, value in page.meta.items():
        if key not in ENVELOPE:
            word = _word(key, after, old)
            made[word] = moved[key] if key in moved else _made(page, key, value, after, refer)
    if base is None:
        made = {"@type": after.name if after is not THING else "Thing", **made}
    if page.body and page.body == shown.body:
        made[after.body] = body
    elif page.body.strip():
        made[after.body] = read_body(page.body)
    return _in_order(old, result, made)


def _in_order(old: dict[str, Any], kept: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """The words in the order in which they stood, new ones behind."""
    now = {**kept, **made}
    return {**{word: now[word] for word in old if word in now}, **now}


def _check(page: Page, kind: Kind) -> None:
    said: dict[str, str] = {}
    for key in page.meta:
        if key in ENVELOPE:
            continue
        if key in _OWN or key.startswith("@"):
            help_ = f"; write `{_OWN[key]}:`" if _OWN.get(key) else ""
            raise PageMalformed(f"{page.where(key)}`{key}` cannot stand in a page{help_}")
        word = _word(key, kind, {})
        if word in said:
            raise PageMalformed(f"{page.where(key)}`{key}` says the same as `{said[word]}`")
        if word == kind.body and page.body.strip():
            raise PageMalformed(
                f"{page.where(key)}the text below is the `{key}` of {kind.article} {kind.name}"
            )
        said[word] = key


def _word(key: str, kind: Kind, document: Mapping[str, Any]) -> str:
    """The word of the document that a word of a page stands for."""
    if key == _TYPE:
        return "type" if "type" in document and "@type" not in document else "@type"
    if key == _TITLE:
        return kind.title or "name"
    return _ALIASES.get(key, key)


def _made(page: Page, key: str, value: Any, kind: Kind, refer: Callable[[str], str] | None) -> Any:
    if key == _TYPE:
        types = yamltext.resolved(value)
        if not all(isinstance(one, str) and one for one in (types if isinstance(types, list) else [types])):
            raise PageMalformed(f"{page.where(key)}`type` takes a word, as in `type: Recipe`")
        for one in types if isinstance(types, list) else [types]:
            if one not in KINDS and (meant := _BY_LETTERS.get(one.lower())):
                raise PageMalformed(f"{page.where(key)}there is no {one!r:.80}; write `type: {meant}`")
        return types
    if key == "tags":
        try:
            return tags_from_page(value)
        except ValueError as error:
            raise PageMalformed(f"{page.where(key)}`{key}` {error}") from None
    return from_page(value, _value_of(key, kind), refer)


def _value_of(key: str, kind: Kind) -> Value | None:
    """What kind of value a word of a page takes; None for one that is not known."""
    if key == _TITLE or key in {kind.title, kind.body}:
        return Value.TEXT
    word = kind.word(_ALIASES.get(key, key))
    return None if word is None else word.value


def doubtful_words(page: Page, kind: Kind, base: Mapping[str, Any] | None = None) -> list[str]:
    """Words of a page that look like others of its type, mistyped; nothing is wrong with them otherwise."""
    kind = kind_of_page(page, kind)
    known = [*ENVELOPE, _TYPE, _TITLE, *_ALIASES, *(word.name for word in kind.words)]
    found = []
    for key in page.meta:
        if key not in known and key not in {kind.title, kind.body} and key not in (base or {}):
            close = get_close_matches(key, known, 1, 0.8)
            if close:
                meant = f"did you mean `{close[0]}`?"
                found.append(f"{page.where(key)}`{key}` is no word of {kind.article} {kind.name}; {meant}")
    return found


# --- a page of a document ----------------------------------------------------------------------------------


def page_of(
    document: Mapping[str, Any], *, envelope: Mapping[str, Any] | None = None, notes: Iterable[str] = ()
) -> str:
    """A document as a page: the words that people fill in for its type, and its text.

    `envelope` are words of `ENVELOPE` to show, `notes` lines of comment above the words.
    """
    kind = kind_of(dict(document))
    words = _shown_words(document, kind)
    above = {key: value for key, value in words.items() if key in {_TYPE, _TITLE}}
    comments = "".join(f"# {_printable(note)}".rstrip() + "\n" for note in notes)
    meta = yamltext.write({**above, **(envelope or {}), **words})
    body = (write_body(document.get(kind.body)) or "").rstrip("\n")
    return f"{_LINE}\n{comments}{meta}{_LINE}\n\n{body}\n"


def hidden_words(document: Mapping[str, Any]) -> list[str]:
    """The words of a document that its page does not show, and keeps."""
    kind = kind_of(dict(document))
    shown = {_word(key, kind, document) for key in _shown_words(document, kind)}
    if write_body(document.get(kind.body)) is not None:
        shown.add(kind.body)
    return [word for word in document if word not in shown and word not in _OWN]


def _shown_words(document: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """The words of a page and their values, as they can be written and read again."""
    found: dict[str, Any] = {}
    others = [word.name for word in kind.words if word.name not in _ALIASES.values()]
    for key in (_TYPE, _TITLE, *others, *_ALIASES):
        word = _word(key, kind, document)
        if word in document and key not in ENVELOPE and word not in (found.keys() | {kind.body}):
            shown = _shown_value(key, document[word], kind)
            if shown is not None and yamltext.writable(shown):
                found[key] = shown
    while found and len(yamltext.write(found)) > yamltext.MAX_TEXT // 2:
        found.pop(max(found, key=lambda key: len(yamltext.write({key: found[key]}))))
    return found


def _shown_value(key: str, value: Any, kind: Kind) -> Any:
    if key == _TYPE:
        return value if _is_type(value) else None
    return tags_to_page(value) if key == "tags" else to_page(value, _value_of(key, kind))


def _is_type(value: Any) -> bool:
    many = value if isinstance(value, list) else [value]
    return bool(many) and all(isinstance(one, str) and one for one in many)


def _printable(note: str) -> str:
    return "".join(one if one.isprintable() else " " for one in note)
