"""An archive of Mastodon: the posts of one person, in ActivityStreams (spec/imports.md IM60-IM69). Pure.

What the person wrote becomes posts; what he only passed on is taken when that is wanted. A post never becomes
wider than it was there: `Found.reach` says for whom it was.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from mau.content.languages import is_language
from mau.content.origin import host_of
from mau.content.plaintext import text_of_html
from mau.imports.foreign import MAX_TEXT, time_of
from mau.imports.found import Finding, Found, FoundFile, Reach

_PUBLIC: Final = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})
_POSTS: Final = frozenset({"Note", "Article", "Question", "Page"})
# A link around a hashtag or a person is the word itself: its address leads into the other network.
_NAMED: Final = re.compile(
    r"<a\b(?=[^<>]*\bclass=[\"'][^\"'<>]*\b(?:mention|hashtag)\b)[^<>]*>(.*?)</a>", re.DOTALL | re.IGNORECASE
)
_MOST_FILES: Final = 20
_MOST_TAGS: Final = 50
_MAX_WORD: Final = 1500


def read_archive(outbox: Any, actor: Any, *, boosts: bool = False) -> Finding:
    """What an archive's ``outbox.json`` and ``actor.json`` hold, oldest first; never an error."""
    left_out: Counter[str] = Counter()
    items: dict[str, Found] = {}
    for activity in _activities(outbox):
        kind = activity.get("type")
        found = None
        if kind == "Create":
            found = _post(activity)
            if found is None:
                left_out["no post"] += 1
        elif kind == "Announce" and not boosts:
            left_out["you only passed it on (--boosts takes these, too)"] += 1
        elif kind == "Announce":
            found = _boost(activity)
        else:
            left_out["neither a post nor a boost"] += 1
        if found is not None:
            items[found.id] = found
    by_time = sorted(items.values(), key=lambda one: one.published.timestamp() if one.published else 0.0)
    return Finding(_title(actor), tuple(by_time), (), left_out)


def _activities(outbox: Any) -> Iterator[dict[str, Any]]:
    listed = outbox.get("orderedItems") if isinstance(outbox, dict) else None
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict):
            yield one


def _title(actor: Any) -> str:
    """Whose archive it is: ``@name@host``."""
    if not isinstance(actor, dict):
        return ""
    name, url = actor.get("preferredUsername"), actor.get("id")
    host = host_of(url) if isinstance(url, str) else ""
    return f"@{name}@{host}"[:200] if isinstance(name, str) and host else ""


def _post(activity: dict[str, Any]) -> Found | None:
    said = activity.get("object")
    if not isinstance(said, dict) or said.get("type") not in _POSTS or not isinstance(said.get("id"), str):
        return None
    published = time_of(said.get("published")) or time_of(activity.get("published"))
    answers = said.get("inReplyTo")
    reply = isinstance(answers, str) and bool(host_of(answers))
    texts = _texts(said)
    files = tuple(_files(said))
    if not texts and not files:
        return None
    document: dict[str, Any] = {"@type": "Comment" if reply else "SocialMediaPosting"}
    warning = said.get("summary")
    if isinstance(warning, str) and warning.strip():
        document["headline"] = text_of_html(warning)[:_MAX_WORD]
    if texts:
        document |= {"text" if reply else "articleBody": texts, "encodingFormat": "text/plain"}
    if published is not None:
        stamp = published.strftime("%Y-%m-%dT%H:%M:%SZ")
        document["dateCreated" if reply else "datePublished"] = stamp
    changed = time_of(said.get("updated"))
    if changed is not None:
        document["dateModified"] = changed.strftime("%Y-%m-%dT%H:%M:%SZ")
    language = _language(said)
    if language:
        document["inLanguage"] = language
    tags = _tags(said)
    if tags:
        document["keywords"] = tags
    if reply:
        document["parentItem"] = {"@type": "CreativeWork", "url": answers}
    url = said.get("url")
    if isinstance(url, str) and host_of(url):
        document["sameAs"] = url
    return Found(
        str(said["id"])[:2000],
        document,
        published,
        _reach(said) or _reach(activity) or "direct",
        str(answers) if reply else "",
        files,
    )


def _boost(activity: dict[str, Any]) -> Found | None:
    """What somebody else wrote, by its address: it is not his words that one takes over."""
    target, own = activity.get("object"), activity.get("id")
    if isinstance(target, dict):
        target = target.get("id")
    if not isinstance(target, str) or not host_of(target) or not isinstance(own, str):
        return None
    published = time_of(activity.get("published"))
    document: dict[str, Any] = {"@type": "ShareAction", "object": {"@type": "CreativeWork", "url": target}}
    if published is not None:
        document["startTime"] = published.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Found(own[:2000], document, published, _reach(activity) or "direct")


def _texts(said: dict[str, Any]) -> Any:
    """The text, or the text in each language; "" when there is none."""
    by_language = said.get("contentMap")
    if isinstance(by_language, dict) and len(by_language) > 1:
        values = [
            {"@language": language, "@value": text}
            for language, html in list(by_language.items())[:20]
            if is_language(language) and isinstance(html, str) and (text := _text(html))
        ]
        if len(values) > 1:
            return values
    content = said.get("content")
    text = _text(content) if isinstance(content, str) else ""
    options = [
        f"- {text_of_html(one['name'])[:_MAX_WORD]}"
        for key in ("oneOf", "anyOf")
        for one in (said[key][:50] if isinstance(said.get(key), list) else [])
        if isinstance(one, dict) and isinstance(one.get("name"), str)
    ]
    return "\n\n".join(filter(None, (text, "\n".join(options))))


def _text(html: str) -> str:
    return text_of_html(_NAMED.sub(r"\1", html[: 4 * MAX_TEXT])).strip()[:MAX_TEXT]


def _language(said: dict[str, Any]) -> str:
    languages = said.get("contentMap")
    if not isinstance(languages, dict) or len(languages) != 1:
        return ""
    language = next(iter(languages))
    return language if is_language(language) else ""


def _tags(said: dict[str, Any]) -> list[str]:
    listed = said.get("tag")
    found = [
        one["name"].lstrip("#")[:100]
        for one in (listed[:_MOST_TAGS] if isinstance(listed, list) else [])
        if isinstance(one, dict) and one.get("type") == "Hashtag" and isinstance(one.get("name"), str)
    ]
    return [tag for tag in dict.fromkeys(found) if tag]


def _files(said: dict[str, Any]) -> Iterator[FoundFile]:
    listed = said.get("attachment")
    for one in listed[:_MOST_FILES] if isinstance(listed, list) else []:
        if isinstance(one, dict) and isinstance(one.get("url"), str) and one["url"]:
            alt = one.get("name")
            yield FoundFile(one["url"][:2000], alt[:_MAX_WORD] if isinstance(alt, str) else "")


def _reach(said: dict[str, Any]) -> Reach | None:
    """For whom it was: unlisted posts are public, too."""
    to, cc = _addresses(said, "to"), _addresses(said, "cc")
    if not to and not cc:
        return None
    if _PUBLIC & {*to, *cc}:
        return "public"
    return "followers" if any(one.endswith("/followers") for one in to) else "direct"


def _addresses(said: dict[str, Any], key: str) -> list[str]:
    value = said.get(key)
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
