"""The two files of marks as JSON-LD in the words of schema.org (spec/marks.md MK10, MK20). Pure.

What a document holds that is not understood is passed over: it is the owner's own, but an older or newer
program, or a hand, may have written it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from mau.content.address import person_iri, post_iri, resolve_iri
from mau.content.links import word_of
from mau.errors import AddressMalformed, UsageError
from mau.fingerprint import Fingerprint
from mau.marks import subject as subjects
from mau.marks.decisions import Decision, Decisions, Deed
from mau.marks.names import MARKS_NAME, READ_NAME, TYPE
from mau.marks.reads import Horizon, Mark, Reads, Which
from mau.marks.subject import Subject

_CONTEXT: Final = "https://schema.org"
_EVERYBODY: Final = "https://www.w3.org/ns/activitystreams#Public"
_OFF: Final = "CompletedActionStatus"
_TO_DO: Final = "PotentialActionStatus"
_VOCABULARY: Final = "https://schema.org/"
_WORDS: Final[dict[Deed, str]] = {"mute": "IgnoreAction", "block": "RejectAction", "pin": "BookmarkAction"}
_DEEDS: Final[dict[str, Deed]] = {word: deed for deed, word in _WORDS.items()}
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_MOST_ITEMS: Final = 20_000
_MOST_BASES: Final = 20
_LAST: Final = 253_402_300_799
"""The end of the year 9999."""


def header(name: str, own: Fingerprint) -> dict[str, Any]:
    """What each file begins with: it states its name and that it is for its owner alone."""
    return {
        "@context": _CONTEXT,
        "@type": TYPE,
        "@id": post_iri(own, name),
        "audience": [{"@id": person_iri(own)}],
    }


def basis_words(sums: Iterable[str]) -> dict[str, Any]:
    """What states which older contents (sha256, hex) stand in a document: none is put together again."""
    return {"isBasedOn": [{"@type": "MediaObject", "sha256": one} for one in sums]}


def read_basis(document: dict[str, Any]) -> frozenset[str]:
    """The sums that `basis_words` stated."""
    stated = document.get("isBasedOn")
    found = (one.get("sha256") for one in _listed(stated)[:_MOST_BASES] if isinstance(one, dict))
    return frozenset(one for one in found if isinstance(one, str))


# --- mutes, blocks, pinned tags ----------------------------------------------------------------------------


def dump_decisions(held: Decisions, own: Fingerprint) -> dict[str, Any]:
    """The document; decisions in an order of their own, so that the same are always the same bytes."""
    items = sorted(held.held.values(), key=lambda one: (one.at, one.deed, one.subject))
    return {**header(MARKS_NAME, own), "hasPart": [_action(one) for one in items]}


def load_decisions(document: dict[str, Any], own: Fingerprint) -> Decisions:
    """What `dump_decisions` wrote, as far as it is understood."""
    return Decisions.of(found for item in _items(document) if (found := _decision(item, own)) is not None)


def _action(one: Decision) -> dict[str, Any]:
    action: dict[str, Any] = {
        "@type": _WORDS[one.deed],
        "object": _object(one.subject),
        "startTime": time_words(one.at),
    }
    if one.until is not None:
        action["endTime"] = time_words(one.until)
    if not one.on:
        action["actionStatus"] = _VOCABULARY + _OFF
    return action


def _object(subject: Subject) -> dict[str, Any]:
    if subject.kind == "person":
        return {"@type": "Person", "@id": person_iri(subject.fingerprint)}
    if subject.kind == "thread":
        return {"@id": subject.value}
    if subject.kind == "tag":
        return {"@type": "DefinedTerm", "name": subject.value}
    return {"@type": "CreativeWork", "text": subject.value}


def _decision(item: dict[str, Any], own: Fingerprint) -> Decision | None:
    deed = _DEEDS.get(_type(item))
    at, until = read_time(item.get("startTime")), read_time(item.get("endTime"))
    subject = _subject(item.get("object"), own)
    if deed is None or at is None or subject is None or (until is None and "endTime" in item):
        return None
    fits = {"mute": True, "block": subject.kind == "person", "pin": subject.kind == "tag"}[deed]
    if not fits or subject == subjects.person(own):
        return None
    return Decision(deed, subject, at, _status(item) != _OFF, until)


def _subject(value: Any, own: Fingerprint) -> Subject | None:
    if not isinstance(value, dict):
        return None
    iri, name, text = value.get("@id"), value.get("name"), value.get("text")
    try:
        if isinstance(iri, str):
            address = resolve_iri(iri, own)
            if address is None:
                return None
            return subjects.person(address.author) if address.name is None else subjects.thread(address)
        if isinstance(name, str):
            return subjects.tag(name)
        return subjects.words(text) if isinstance(text, str) else None
    except (AddressMalformed, UsageError):
        return None


# --- what was read -----------------------------------------------------------------------------------------


def dump_reads(held: Reads, own: Fingerprint) -> dict[str, Any]:
    """The document: one action for all posts that were marked at one moment."""
    items: list[dict[str, Any]] = []
    if held.reset:
        items.append(
            {
                "@type": "ReadAction",
                "actionStatus": _VOCABULARY + _TO_DO,
                "object": {"@id": _EVERYBODY},
                "startTime": time_words(held.reset),
            }
        )
    for who, horizon in sorted(held.horizons.items(), key=lambda one: one[0].hex if one[0] else ""):
        items.append(
            {
                "@type": "ReadAction",
                "object": {"@id": _EVERYBODY if who is None else person_iri(who)},
                "startTime": time_words(horizon.at),
                "endTime": time_words(horizon.until),
            }
        )
    together: dict[tuple[int, bool], list[tuple[Which, int]]] = defaultdict(list)
    for which, mark in held.marks.items():
        together[mark.at, mark.read].append((which, mark.time))
    for (at, read), posts in sorted(together.items()):
        items.append(
            {
                "@type": "ReadAction",
                **({} if read else {"actionStatus": _VOCABULARY + _TO_DO}),
                "object": [
                    {"@id": post_iri(*which), "dateModified": time_words(time)}
                    for which, time in sorted(posts)
                ],
                "startTime": time_words(at),
            }
        )
    return {**header(READ_NAME, own), "hasPart": items}


def load_reads(document: dict[str, Any], own: Fingerprint) -> Reads:
    """What `dump_reads` wrote, as far as it is understood."""
    reset = 0
    horizons: dict[Fingerprint | None, Horizon] = {}
    marks: dict[Which, Mark] = {}
    for item in _items(document):
        at = read_time(item.get("startTime"))
        if _type(item) != "ReadAction" or at is None:
            continue
        read, until = _status(item) != _TO_DO, read_time(item.get("endTime"))
        stated = item.get("object")
        for value in _listed(stated):
            if not isinstance(value, dict):
                continue
            iri = value.get("@id")
            if iri == _EVERYBODY and not read:
                reset = max(reset, at)
                continue
            try:
                address = None if not isinstance(iri, str) or iri == _EVERYBODY else resolve_iri(iri, own)
            except AddressMalformed:
                continue
            if until is not None and read and (iri == _EVERYBODY or (address and address.name is None)):
                who = None if address is None else address.author
                horizons[who] = max(Horizon(until, at), horizons.get(who, Horizon(0, 0)))
            elif address is not None and address.name is not None:
                time = read_time(value.get("dateModified"))
                if time is not None:
                    which, mark = (address.author, address.name), Mark(time, at, read)
                    marks[which] = mark if mark.newer(marks.get(which)) else marks[which]
    return Reads(reset, horizons, marks).valid()


# --- words -------------------------------------------------------------------------------------------------


def _items(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in _listed(document.get("hasPart"))[:_MOST_ITEMS]:
        if isinstance(item, dict):
            yield item


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _type(item: dict[str, Any]) -> str:
    stated = item.get("@type")
    return word_of(stated) if isinstance(stated, str) else ""


def _status(item: dict[str, Any]) -> str:
    stated = item.get("actionStatus")
    return word_of(stated) if isinstance(stated, str) else ""


def time_words(time: int) -> str:
    return datetime.fromtimestamp(min(max(time, 0), _LAST), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_time(value: Any) -> int | None:
    """Unix seconds, 0 or more; None for what is no time in the one spelling that is written."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return max(int(datetime.fromisoformat(value).timestamp()), 0)
    except (ValueError, OverflowError):
        return None
