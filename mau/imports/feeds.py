"""A feed (RSS, Atom) as what it has to say (spec/imports.md IM30-IM38). Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from mau.content.origin import host_of
from mau.imports.foreign import plain_text, time_of, web_address
from mau.imports.found import Finding, Found
from mau.imports.pages import MAX_ITEMS, in_order

_MAX_WORD: Final = 200
_MAX_MEDIA: Final = 10
_MAX_TAGS: Final = 50
_MEDIA: Final = {"image": "ImageObject", "audio": "AudioObject", "video": "VideoObject"}


def read_feed(parsed: dict[str, Any], url: str) -> Finding:
    """What `mau.imports.apart` parsed of the feed at that address; never an error."""
    left_out: Counter[str] = Counter()
    items: dict[str, Found] = {}
    entries = parsed.get("entries")
    for entry in entries if isinstance(entries, list) else []:
        if len(items) >= MAX_ITEMS:
            left_out["more than the first 100 entries"] += 1
        elif isinstance(entry, dict):
            found = _found(entry, url)
            if found is None:
                left_out["nothing to read in it"] += 1
            else:
                items.setdefault(found.id, found)
    return Finding(_line(parsed.get("title")) or host_of(url), in_order(items.values()), (), left_out)


def _found(entry: dict[str, Any], url: str) -> Found | None:
    title, body = _line(entry.get("title")), _body(entry)
    link = web_address(_string(entry, "link"), url)
    if not title and not body:
        return None
    published, updated = time_of(entry.get("published")), time_of(entry.get("updated"))
    document: dict[str, Any] = {"@type": "Article" if title else "SocialMediaPosting"}
    if title:
        document["headline"] = title
    if body:
        document |= {"articleBody": body, "encodingFormat": "text/plain"}
    document["url"] = link or url
    author = _line(entry.get("author"))
    if author:
        document["author"] = {"@type": "Person", "name": author}
    if published is not None or updated is not None:
        document["datePublished"] = _stamp(published or updated)
    if updated is not None and published is not None and updated > published:
        document["dateModified"] = _stamp(updated)
    language = _string(entry, "language")
    if language and len(language) <= 35 and language.replace("-", "").isalnum():
        document["inLanguage"] = language
    tags = [_line(one) for one in _values(entry, "tags")[:_MAX_TAGS]]
    if any(tags):
        document["keywords"] = [one for one in tags if one]
    media = [made for one in _values(entry, "media")[:_MAX_MEDIA] if (made := _medium(one, url))]
    if media:
        document["associatedMedia"] = media
    return Found(
        (_string(entry, "id") or link or f"{title}\n{body[:_MAX_WORD]}")[:2000],
        document,
        published or updated,
    )


def _body(entry: dict[str, Any]) -> str:
    for key in ("content", "summary"):
        text = plain_text(_string(entry, key))
        if text:
            return text
    return ""


def _medium(value: Any, url: str) -> dict[str, Any] | None:
    """A file of an entry, where it lies on the web: it is not fetched."""
    if not isinstance(value, dict):
        return None
    address = web_address(_string(value, "url"), url)
    encoding = _string(value, "type").lower()
    if not address or len(encoding) > 100 or not encoding.isascii():
        return None
    kind = _MEDIA.get(encoding.partition("/")[0], "MediaObject")
    return {"@type": kind, "contentUrl": address} | ({"encodingFormat": encoding} if encoding else {})


def _stamp(time: Any) -> str:
    return str(time.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _line(value: Any) -> str:
    text = plain_text(value[: 10 * _MAX_WORD]) if isinstance(value, str) else ""
    return " ".join(text.split())[:_MAX_WORD]


def _string(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _values(entry: dict[str, Any], key: str) -> list[Any]:
    value = entry.get(key)
    return value if isinstance(value, list) else []
