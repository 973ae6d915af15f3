"""Hashtags: the words after ``#`` in a text, and those in ``keywords`` (spec/tags.md). Pure.

What may follow the ``#`` is what UAX #31 takes for the rest of an identifier, an underscore and pictures too;
a tag needs a letter or a picture, and ends where anything else begins. What stands in code or in the address
of a web page is no tag.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mau.content.links import word_of
from mau.content.posting import text_of

MAX_TAGS: Final = 100
MAX_TAG: Final = 100
"""Characters."""
_MAX_TEXT: Final = 200_000
"""Characters of a text in which tags are looked for."""

# UAX #31 wants what XID_Continue has, which \w lacks: the marks that vowels are in many scripts.
_PICTURES: Final = (
    "\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_HASH: Final = "#\ufe5f\uff03"
_START: Final = re.compile(rf"(?<![\w/&\\{_HASH}{_PICTURES}])[{_HASH}](?=[\w{_PICTURES}])")
_PICTURE: Final = re.compile(f"[{_PICTURES}]")
_IGNORED: Final = re.compile("[\u200b\u200c\u2060\ufe0e\ufe0f\ufeff]")
"""What makes no other tag: how a picture is to be drawn, and joins that are not seen."""
_LISTED: Final = re.compile(r"[,;\n]")
# The address of a page or of a mail, the goal of a link in Markdown, and markup.
_ELSEWHERE: Final = re.compile(
    r"\b(?:[a-z][a-z0-9+.-]{1,20}:/|www\.|mailto:|mau:)[^\s<>]+|\]\([^()\s]{0,2000}\)|<[^<>\n]{0,2000}>",
    re.IGNORECASE,
)
_TICKS: Final = re.compile("`+")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")


def fold_tag(word: str) -> str:
    """A tag as it is compared: without ``#``, in one normal form and small letters, single spaces."""
    bare = _IGNORED.sub("", word).strip().lstrip(_HASH)
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", bare).casefold())
    return " ".join(folded.split())


def tags_of(document: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The tags of a document, folded, in the order in which they stand there; at most `MAX_TAGS`."""
    if not document:
        return ()
    return tuple(_by_fold([*_keywords(document), *text_tags(text_of(dict(document)))]))


def text_tags(text: str) -> list[str]:
    """The tags in a text as they are written there, without ``#``, each once."""
    found: list[str] = []
    for part in _prose(text[:_MAX_TEXT]):
        for start in _START.finditer(part):
            tag = _tag_at(part, start.end())
            if tag:
                found.append(tag)
    return list(_by_fold(found).values())


def with_keywords(document: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The document with the tags of its text in ``keywords``, where other programs look for them.

    Those that are there stay; but one that the text of `before`, the older content, had brought goes when
    the text has it no more.
    """
    written = text_tags(text_of(dict(document)))
    gone = {fold_tag(one) for one in text_tags(text_of(dict(before or {})))} - set(map(fold_tag, written))
    key = next((key for key in document if word_of(key) == "keywords"), "keywords")
    there = document.get(key)
    values = there if isinstance(there, list) else [] if there is None else [there]
    each: list[Any] = []
    for value in values:
        each += [one.strip() for one in _LISTED.split(value)] if isinstance(value, str) else [value]
    kept = [one for one in each if not (isinstance(one, str) and (not one or fold_tag(one) in gone))]
    held = {fold_tag(one) for one in _keywords({key: each})}
    new = [one for one in written if fold_tag(one) not in held]
    if not new and (len(kept) == len(each) or not gone & held):
        return dict(document)
    result = {name: value for name, value in document.items() if name != key or kept or new}
    if kept or new:
        result[key] = [*kept, *new]
    return result


# --- in a text ---------------------------------------------------------------------------------------------


def _tag_at(text: str, start: int) -> str:
    end = start
    while end < len(text) and end - start <= MAX_TAG and _continues(text[end]):
        end += 1
    word = unicodedata.normalize("NFC", text[start:end].rstrip("\u200c\u200d"))
    tells = any(one.isalpha() for one in word) or _PICTURE.search(word)
    return word if tells and len(word) <= MAX_TAG else ""


def _continues(character: str) -> bool:
    return (
        character.isalnum()
        or ("a" + character).isidentifier()
        or character in "\u200c\u200d\ufe0e\ufe0f\u20e3"
        or _PICTURE.match(character) is not None
        or "\U000e0020" <= character <= "\U000e007f"
    )


def _prose(text: str) -> Iterator[str]:
    """What of a text is neither code nor address."""
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence):
                fence = ""
        elif found:
            fence = found[1]
            lines.append("")
        else:
            lines.append(line)
    for part in _outside_ticks("\n".join(lines)):
        yield _ELSEWHERE.sub(" ", part)


def _outside_ticks(text: str) -> Iterator[str]:
    """The parts of a text that do not stand between two runs of as many backticks (CommonMark 6.1)."""
    runs = list(_TICKS.finditer(text))
    places: dict[int, list[int]] = defaultdict(list)
    for number, run in enumerate(runs):
        places[len(run[0])].append(number)
    at, number = 0, 0
    while number < len(runs):
        same = places[len(runs[number][0])]
        closing = bisect_right(same, number)
        if closing == len(same):  # it opens nothing
            number += 1
            continue
        yield text[at : runs[number].start()]
        number = same[closing]
        at = runs[number].end()
        number += 1
    yield text[at:]


# --- in keywords -------------------------------------------------------------------------------------------


def _keywords(document: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for key, value in document.items():
        word = word_of(key)
        if word not in ("keywords", "tag"):
            continue
        for one in (value if isinstance(value, list) else [value])[: 10 * MAX_TAGS]:
            if word == "tag":
                kind = one.get("type", one.get("@type")) if isinstance(one, dict) else None
                if isinstance(kind, str) and word_of(kind) == "Hashtag" and isinstance(one.get("name"), str):
                    found.append(one["name"])
                continue
            text = one.get("name", one.get("@value")) if isinstance(one, dict) else one
            if isinstance(text, str):
                found += _LISTED.split(text[:10_000])
    return found


def _by_fold(words: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        tag = fold_tag(word)
        if 0 < len(tag) <= MAX_TAG:
            found.setdefault(tag, word)
        if len(found) == MAX_TAGS:
            break
    return found
