"""What a document says beside title and text, one fact for each word (spec/content.md CT62-CT67). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mau.content.kinds import KINDS, Kind, Value, Word
from mau.content.kinds.values import is_date
from mau.content.media import WORDS as MEDIA_WORDS
from mau.content.spoken import Speaker, label_of, number_words, shortened, stars

MAX_FACTS: Final = 60
MAX_ITEMS: Final = 200
MAX_ALL: Final = 100_000
"""Characters of all facts together."""

_UNTOLD: Final = frozenset(
    ("@context", "@id", "id", "@type", "type", "audience", "inLanguage", "sha256", *MEDIA_WORDS)
)
"""Told elsewhere, or for programs alone."""
_MEDIA_FIELDS: Final = frozenset(
    ("contentUrl", "encodingFormat", "caption", "width", "height", "contentSize", "thumbnail", "thumbnailUrl")
)
_SIGNED: Final = ("datePublished", "dateCreated", "dateSent", "startTime", "endTime", "dateModified")
"""Words that most often repeat when a document was signed."""
_AUTHORS: Final = ("author", "creator", "agent", "sender", "attributedTo", "actor")
_ORDERED: Final = frozenset({"recipeInstructions", "step"})
_DAY: Final = 86_400
_LABELS: Final[dict[str, str]] = {
    **{word.name: word.label for kind in KINDS.values() for word in kind.words},
    "about": "About",
    "abstract": "In short",
    "acceptedAnswer": "Accepted answer",
    "additionalProperty": "More",
    "agent": "Who",
    "aggregateRating": "Rated",
    "answerCount": "Answers",
    "author": "By",
    "contentLocation": "Where",
    "contentRating": "Content",
    "dateCreated": "Made",
    "dateModified": "Changed",
    "datePublished": "Published",
    "dateSent": "Sent",
    "isBasedOn": "Source",
    "isPartOf": "Part of",
    "itemListElement": "In it",
    "mentions": "Mentions",
    "numberOfItems": "How many",
    "recipient": "To",
    "sender": "From",
    "sharedContent": "Shares",
    "upvoteCount": "Votes",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a document says beside its text.

    `value` is one text, with line feeds between the elements of a list; `items` are these, () where it is no
    list. `word` is that of the vocabulary.
    """

    label: str
    value: str
    items: tuple[str, ...] = ()
    word: str = ""

    @property
    def ordered(self) -> bool:
        """Whether the elements follow each other: steps."""
        return bool(self.items) and self.word in _ORDERED

    @property
    def marked(self) -> tuple[str, ...]:
        """The elements with a number or a dash before each."""
        marks = (f"{number}. " if self.ordered else "- " for number in range(1, len(self.items) + 1))
        return tuple(mark + item for mark, item in zip(marks, self.items, strict=True))


def facts_of(
    held: dict[str, Any],
    kind: Kind,
    told: frozenset[str],
    speaker: Speaker,
    *,
    author: str,
    signed_at: int | None,
) -> tuple[Fact, ...]:
    """The facts of a document: the words of its kind in their order, then all others in theirs.

    `held`: its words without prefixes; `told`: those that are title or text; `author`: the address of who
    wrote it. With `signed_at` dates that only repeat it are left out. What is too much is counted in the end.
    """
    found: list[Fact] = []
    left, room = 0, MAX_ALL
    for word, value in _in_order(held, kind, told):
        if len(found) >= MAX_FACTS or room <= 0:
            left += 1
            continue
        if _repeats(word.name, value, author, signed_at):
            continue
        fact = _fact(word, value, speaker)
        if fact is not None and fact.value.strip():
            found.append(fact)
            room -= len(fact.value) + len(fact.label)
    if left:
        found.append(Fact("Not shown", f"{left} more"))
    return tuple(found)


def _in_order(held: dict[str, Any], kind: Kind, told: frozenset[str]) -> Iterator[tuple[Word, Any]]:
    media = _MEDIA_FIELDS if "contentUrl" in held else frozenset()
    passed = told | _UNTOLD | media
    known = {word.name: word for word in kind.words}
    for name in (*known, *(name for name in held if name not in known)):
        if name in held and name not in passed:
            yield (
                known.get(name) or Word(name, Value.TEXT, _LABELS.get(name) or label_of(name), ""),
                held[name],
            )


def _repeats(word: str, value: Any, author: str, signed_at: int | None) -> bool:
    """Whether that is who wrote it, or when, once more."""
    if word in _AUTHORS:
        one = value[0] if isinstance(value, list) and len(value) == 1 else value
        return one == author or (isinstance(one, dict) and one.get("@id", one.get("id")) == author)
    if word in _SIGNED and signed_at is not None and isinstance(value, str) and is_date(value):
        try:
            return abs(datetime.fromisoformat(value).timestamp() - signed_at) < _DAY
        except (ValueError, OverflowError, OSError):
            return False
    if word == "encodingFormat":
        return value in ("text/markdown", "text/plain")
    return False


def _fact(word: Word, value: Any, speaker: Speaker) -> Fact | None:
    match word.name:
        case "recipeInstructions" | "step":
            return _listed(word, _steps(value), speaker)
        case "suggestedAnswer":
            return _listed(word, [_choice(one, speaker) for one in _elements(value)], speaker)
        case "itemListElement":
            return _listed(word, [_inner(one, "item") for one in _elements(value)], speaker)
        case "additionalProperty":
            return _listed(word, [_property(one, speaker) for one in _elements(value)], speaker)
        case "keywords":
            return _tags(word, value, speaker)
    if word.value is Value.RATING and (said := stars(value)):
        return Fact(word.label, said, (), word.name)
    if isinstance(value, list) and len(value) > 1 and not _in_languages(value):
        return _listed(word, value, speaker)
    return Fact(word.label, speaker.spoken(value), (), word.name)


def _listed(word: Word, values: Any, speaker: Speaker) -> Fact:
    """A list; a single text is one that says for itself where its lines end."""
    if not isinstance(values, list):
        return Fact(word.label, speaker.spoken(values), (), word.name)
    items: list[str] = []
    room = MAX_ALL
    for one in values[:MAX_ITEMS]:
        text = speaker.spoken(one)
        if text and room > 0:
            items.append(text)
            room -= len(text)
    if len(values) > MAX_ITEMS:
        items.append(f"{len(values) - MAX_ITEMS} more")
    return Fact(word.label, "\n".join(items), tuple(items), word.name)


def _elements(value: Any) -> list[Any]:
    """The elements of whatever stands for a list; at most one more than is shown."""
    if isinstance(value, dict) and ("@list" in value or "@set" in value):
        value = value.get("@list", value.get("@set"))
    return value[: MAX_ITEMS + 1] if isinstance(value, list) else [value]


def _steps(value: Any) -> Any:
    """The steps of a recipe, also those that stand in sections of it."""
    if isinstance(value, str):
        return value
    steps: list[Any] = []
    for one in _elements(value):
        inner = one.get("itemListElement") if isinstance(one, dict) else None
        if isinstance(one, dict) and inner is not None:
            if isinstance(one.get("name"), str):
                steps.append(f"{one['name']}:")
            steps += [_step(step) for step in _elements(inner)]
        else:
            steps.append(_step(one))
        if len(steps) > MAX_ITEMS:
            break
    return steps


def _step(value: Any) -> Any:
    if isinstance(value, dict):
        return value.get("text", value.get("item", value.get("name", value)))
    return value


def _inner(value: Any, word: str) -> Any:
    return value.get(word, value) if isinstance(value, dict) else value


def _choice(value: Any, speaker: Speaker) -> Any:
    """One answer of a question, with how many chose it."""
    if not isinstance(value, dict):
        return value
    text = speaker.spoken(value.get("text", value.get("name")))
    votes = value.get("upvoteCount")
    counted = isinstance(votes, int | float) and not isinstance(votes, bool)
    return f"{text or speaker.spoken(value)} ({number_words(votes)})" if counted else text or value


def _property(value: Any, speaker: Speaker) -> Any:
    """A line of a profile: a name and what it says."""
    if isinstance(value, dict) and "name" in value and "value" in value:
        return f"{speaker.spoken(value['name'])}: {speaker.spoken(value['value'])}"
    return value


def _tags(word: Word, value: Any, speaker: Speaker) -> Fact:
    texts = [speaker.spoken(one) for one in _elements(value)]
    words = [part.strip() for text in texts for part in text.replace(";", ",").split(",")]
    line = " ".join("#" + part.lstrip("#") for part in words[:MAX_ITEMS] if part.lstrip("#"))
    return Fact(word.label, shortened(line), (), word.name)


def _in_languages(values: list[Any]) -> bool:
    """Whether these are one text in several languages."""
    return all(isinstance(one, dict) and "@value" in one and "@language" in one for one in values[:MAX_ITEMS])
