"""What came from the web: own posts, for oneself alone, that say where it was (spec/imports.md IM10-IM16).

The web signs nothing. So such a post is signed by its reader. It states as ``sdPublisher`` that he is the one
who wrote the data down (schema.org: "the party responsible for generating and publishing the current
structured data markup"), and as ``isBasedOn`` what it is a copy of. It must never pass for something that he
said himself. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from mau.content.address import person_iri
from mau.content.binding import Audience
from mau.fingerprint import Fingerprint

SOURCES_NAME: Final = "mau-web.json.pgp"
"""The list of what one follows on the web (IM50)."""
_MOST: Final = 2000
"""Characters of an address."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where it was seen: the host, and the address of the page ("" when it has none of its own)."""

    host: str
    url: str


def from_web(
    me: Fingerprint, author: Fingerprint, document: dict[str, Any] | None, audience: Audience | None
) -> Origin | None:
    """Where I copied a post from, when it is a copy that I made of the web for myself alone; else None.

    What others say to have copied stays theirs: their names stand above it, and not a host that they chose.
    """
    if not document or author != me or audience != frozenset({me}):
        return None
    writer = document.get("sdPublisher")
    if not isinstance(writer, dict) or writer.get("@id") != person_iri(author):
        return None
    source = document.get("isBasedOn")
    url = source.get("url") if isinstance(source, dict) else None
    host = host_of(url) if isinstance(url, str) else ""
    return Origin(host, url) if host and isinstance(url, str) else None


def is_sources(name: str, document: dict[str, Any] | None) -> bool:
    """Whether a post is the list of what its author follows on the web, which is no post to show."""
    return name == SOURCES_NAME and (document or {}).get("@type") == "Collection"


def based_on(author: Fingerprint, url: str) -> dict[str, Any]:
    """The words by which `from_web` knows a copy again."""
    return {
        "isBasedOn": {"@type": "CreativeWork", "url": url},
        "sdPublisher": {"@id": person_iri(author)},
    }


def host_of(url: str) -> str:
    """The host of an address of the web; "" when it is none."""
    if len(url) > _MOST:
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    return host if parts.scheme in {"http", "https"} else ""
