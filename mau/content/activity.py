"""Documents of ActivityStreams 2.0, seen as documents of schema.org (spec/content.md CT50-CT54). Pure.

What comes out is for people to read: nothing is bound, deleted or acted upon by it, and what it has no word
for stays in it as it was. Of somebody's server are inboxes, keys and counters, which tell a reader nothing.
"""

from __future__ import annotations

from typing import Any, Final

from mau.content.languages import NONE, is_language

_CONTEXTS: Final = frozenset(
    f"{scheme}://www.w3.org/ns/activitystreams{end}" for scheme in ("https", "http") for end in ("", "#")
)
_PREFIXES: Final = ("as:", "https://www.w3.org/ns/activitystreams#", "http://www.w3.org/ns/activitystreams#")
_MOST: Final = 200
"""Elements of a list that are looked at."""
_DEEPEST: Final = 4


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TYPES: Final[dict[str, str]] = {
    "Note": "SocialMediaPosting",
    "Article": "Article",
    "Page": "Article",
    "Question": "Question",
    "Event": "Event",
    "Image": "ImageObject",
    "Video": "VideoObject",
    "Audio": "AudioObject",
    "Document": "MediaObject",
    "Person": "Person",
    "Service": "Person",
    "Application": "Person",
    "Group": "Person",
    "Organization": "Person",
    "Collection": "Collection",
    "OrderedCollection": "Collection",
    "CollectionPage": "Collection",
    "OrderedCollectionPage": "Collection",
    "Announce": "ShareAction",
    "Like": "LikeAction",
    "Dislike": "DislikeAction",
    "Follow": "FollowAction",
    "Delete": "DeleteAction",
}
_ENVELOPES: Final = frozenset({"Create", "Update"})
"""Activities that say no more than the object in them."""
_BODIES: Final[dict[str, str]] = {
    "SocialMediaPosting": "articleBody",
    "Article": "articleBody",
    "Question": "text",
    "Comment": "text",
}
_HEADLINED: Final = frozenset({"SocialMediaPosting", "Article", "Comment"})
_TEXTS: Final = frozenset({"name", "summary", "content"})
_SAME: Final[dict[str, str]] = {
    "published": "datePublished",
    "updated": "dateModified",
    "startTime": "startDate",
    "endTime": "endDate",
    "preferredUsername": "alternateName",
    "attributedTo": "author",
    "actor": "agent",
    "object": "object",
    "target": "target",
    "inReplyTo": "parentItem",
    "location": "location",
    "duration": "duration",
    "width": "width",
    "height": "height",
    "icon": "image",
    "image": "image",
    "totalItems": "numberOfItems",
    "votersCount": "voters",
}
_OF_SERVERS: Final = _names(
    "to cc bto bcc audience inbox outbox followers following liked featured featuredTags streams likes"
    " shares replies endpoints publicKey signature proof devices generator context conversation atomUri"
    " inReplyToAtomUri partOf first last next prev current manuallyApprovesFollowers discoverable"
    " indexable memorial mediaType contentMap nameMap summaryMap sensitive"
)
"""Whom a server gives it, and words that are read with others or say nothing to people."""


def is_activity(document: dict[str, Any]) -> bool:
    """Whether the context of a document is that of ActivityStreams, alone or among others."""
    context = document.get("@context")
    if isinstance(context, str):
        return context in _CONTEXTS
    return isinstance(context, list) and any(
        isinstance(one, str) and one in _CONTEXTS for one in context[:_MOST]
    )


def as_schema(document: dict[str, Any]) -> dict[str, Any]:
    """The same in words of schema.org; any other document as it is."""
    return _view(document, _DEEPEST) if is_activity(document) else document


def unwrapped(document: dict[str, Any]) -> dict[str, Any]:
    """What a Create or an Update of ActivityStreams is about, in its own words; any other document as it is.

    It keeps who acts and whom the envelope names, where it does not say that itself.
    """
    if not is_activity(document):
        return document
    for _ in range(_DEEPEST):
        held = {_word(key): value for key, value in document.items()}
        stated = held.get("type", held.get("@type"))
        first = stated[0] if isinstance(stated, list) and stated else stated
        inner = held.get("object")
        if not isinstance(first, str) or _word(first) not in _ENVELOPES or not isinstance(inner, dict):
            break
        kept: dict[str, Any] = {word: held[word] for word in ("actor", "to", "cc") if word in held}
        document = kept | inner
    return document


def _view(document: dict[str, Any], depth: int) -> dict[str, Any]:
    held = {_word(key): value for key, value in document.items()}
    stated = held.get("type", held.get("@type"))
    first = stated[0] if isinstance(stated, list) and stated else stated
    name = _word(first) if isinstance(first, str) else ""
    inner = held.get("object")
    if name in _ENVELOPES and isinstance(inner, dict) and depth > 0:
        return _view({"actor": held.get("actor"), **inner}, depth - 1)
    return _object(held, _type(name, held), depth)


def _type(name: str, held: dict[str, Any]) -> str:
    media = held.get("mediaType")
    if name == "Document" and isinstance(media, str):
        name = {"image": "Image", "video": "Video", "audio": "Audio"}.get(media.partition("/")[0], name)
    if name == "Note" and held.get("inReplyTo"):
        return "Comment"
    return _TYPES.get(name, name)


def _object(held: dict[str, Any], kind: str, depth: int) -> dict[str, Any]:
    seen: dict[str, Any] = {"@type": kind}
    if "id" in held or "@id" in held:
        seen["@id"] = held.get("id", held.get("@id"))
    title = "headline" if kind in _HEADLINED else "name"
    if held.get("sensitive") is True:
        seen["contentRating"] = "sensitive"
    words = {
        "name": title,
        "summary": "abstract" if kind in _BODIES else "description",
        "content": _BODIES.get(kind, "text"),
    }
    for word, becomes in words.items():
        text = _text(held, word)
        if text is not None:
            seen[becomes] = text
    media = held.get("mediaType")
    if kind.endswith("Object"):
        seen["encodingFormat"] = media
    elif media != "text/markdown":
        seen["encodingFormat"] = "text/plain"
    for word, value in held.items():
        if word in _TEXTS or word in _OF_SERVERS or word.startswith("@") or word in {"id", "type"}:
            continue
        _take(seen, word, value, kind, depth)
    return seen


def _take(seen: dict[str, Any], word: str, value: Any, kind: str, depth: int) -> None:
    match word:
        case "attachment":
            _attachments(seen, value, depth)
        case "tag":
            _tags(seen, value)
        case "url":
            _urls(seen, value, kind)
        case "oneOf" | "anyOf":
            seen["suggestedAnswer"] = [_choice(one) for one in _list(value)]
        case "items" | "orderedItems":
            seen["hasPart"] = [_nested(one, depth) for one in _list(value)]
        case _ if word in _SAME:
            seen.setdefault(_SAME[word], _nested(value, depth))
        case _:
            seen.setdefault(word, value)


def _nested(value: Any, depth: int) -> Any:
    if isinstance(value, list):
        return [_nested(one, depth - 1) for one in value[:_MOST]] if depth > 0 else value
    if isinstance(value, dict):
        return _view(value, depth - 1) if depth > 0 and ("type" in value or "@type" in value) else value
    if isinstance(value, str) and value.startswith(("http://", "https://", "mau:", "acct:")):
        return {"@id": value}
    return value


def _text(held: dict[str, Any], word: str) -> Any:
    """One of the texts: plain, or values in languages where there is a map of them."""
    in_html = word != "name" and not (word == "content" and _is_plain(held.get("mediaType")))
    found = held.get(f"{word}Map")
    if isinstance(found, dict) and found:
        values = []
        for language, text in list(found.items())[:_MOST]:
            if isinstance(text, str):
                plain = _plain_text(text) if in_html else text
                values.append(
                    {"@value": plain, "@language": language}
                    if language != NONE and is_language(language)
                    else plain
                )
        if values:
            return values
    text = held.get(word)
    return _plain_text(text) if in_html and isinstance(text, str) else text


def _plain_text(html: str) -> str:
    from mau.content.plaintext import text_of_html  # few documents have any, and all are asked

    return text_of_html(html)


def _is_plain(media: Any) -> bool:
    return isinstance(media, str) and media.startswith("text/") and media != "text/html"


def _attachments(seen: dict[str, Any], value: Any, depth: int) -> None:
    """Files; and the lines of a profile, which other programs write as attachments."""
    for one in _list(value):
        if isinstance(one, dict) and one.get("type") == "PropertyValue":
            held = one.get("value")
            line = {**one, "value": _plain_text(held) if isinstance(held, str) else held}
            seen.setdefault("additionalProperty", []).append(line)
        elif isinstance(one, dict):
            file = _view(one, min(depth, 1) - 1) if depth > 0 else one
            # The name of an attachment says what is in it.
            seen.setdefault("associatedMedia", []).append(
                {**file, "description": file.get("description", file.get("name")), "name": ""}
            )
        elif isinstance(one, str):
            seen.setdefault("associatedMedia", []).append({"@type": "MediaObject", "contentUrl": one})


def _tags(seen: dict[str, Any], value: Any) -> None:
    for one in _list(value):
        name = one.get("name") if isinstance(one, dict) else None
        kind = _word(one["type"]) if isinstance(one, dict) and isinstance(one.get("type"), str) else ""
        if kind == "Hashtag" and isinstance(name, str):
            seen.setdefault("keywords", []).append(name.lstrip("#"))
        elif kind == "Mention":
            seen.setdefault("mentions", []).append({"@id": one.get("href"), "name": name})


def _urls(seen: dict[str, Any], value: Any, kind: str) -> None:
    """Addresses; of a film or a picture the first that is one."""
    found: list[tuple[str, Any]] = []
    for one in _list(value):
        if isinstance(one, str):
            found.append((one, None))
        elif isinstance(one, dict) and isinstance(one.get("href"), str):
            found.append((one["href"], one.get("mediaType")))
    media = kind.removesuffix("Object").lower()
    if kind.endswith("Object") and found:
        best = next((one for one in found if isinstance(one[1], str) and one[1].startswith(media)), found[0])
        seen["contentUrl"], encoding = best
        if encoding is not None:
            seen["encodingFormat"] = encoding
    elif found:
        seen["url"] = [url for url, _ in found] if len(found) > 1 else found[0][0]


def _choice(value: Any) -> Any:
    """One answer that can be chosen, with the votes for it."""
    if not isinstance(value, dict):
        return value
    replies = value.get("replies")
    votes = replies.get("totalItems") if isinstance(replies, dict) else None
    return {"@type": "Answer", "text": value.get("name"), **({} if votes is None else {"upvoteCount": votes})}


def _list(value: Any) -> list[Any]:
    return value[:_MOST] if isinstance(value, list) else [] if value is None else [value]


def _word(term: str) -> str:
    for prefix in _PREFIXES:
        if term.startswith(prefix):
            return term[len(prefix) :]
    return term
