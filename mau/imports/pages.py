"""A web page's embedded documents (JSON-LD, microdata): what they say (spec/imports.md IM20-IM33). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from typing import Any, Final

from mau.content.links import word_of
from mau.content.origin import host_of
from mau.imports.foreign import (
    Budget,
    address_of,
    documents_in,
    joined,
    plain_text,
    taken_over,
    time_of,
    types_of,
    web_address,
)
from mau.imports.found import Finding, Found
from mau.imports.vocabulary import MEDIA, PROFILES

MAX_ITEMS: Final = 100
"""Documents of one page or feed."""
_MAX_FEEDS: Final = 3
_MAX_TITLE: Final = 200
_MICRODATA_DEPTH: Final = 12


def read_page(parsed: dict[str, Any], page: str) -> Finding:
    """What `mau.imports.apart` parsed of the page at that address; never an error."""
    values = _list(parsed.get("json-ld")) + [from_microdata(one) for one in _list(parsed.get("microdata"))]
    title, items = "", dict[str, Found]()
    left_out: Counter[str] = Counter()
    found_there = list(documents_in(values))
    budget = Budget()
    nodes = {one["@id"]: one for one in found_there if isinstance(one.get("@id"), str)}
    for one in found_there:
        document = joined(one, nodes)
        types = types_of(document)
        if not title and PROFILES.intersection(types):
            title = _name(document)
        taken = taken_over(document, page, budget)
        if budget.spent:
            left_out["what came after more than is looked at of one page"] += 1
            break
        if taken is None:
            continue
        if len(items) >= MAX_ITEMS:
            left_out["more than the first 100 documents"] += 1
            continue
        found = Found(_own_name(document, taken, page, items), taken, time_of(_published(taken)))
        items.setdefault(found.id, found)
    said, feeds = parsed.get("title"), _list(parsed.get("feeds"))
    # Pages list their pictures beside what they are about: alone they are posts, there they are not.
    posts = [one for one in items.values() if one.document["@type"] not in MEDIA] or list(items.values())
    return Finding(
        title or (_line(said) if isinstance(said, str) else "") or host_of(page),
        in_order(posts),
        tuple(address for one in feeds[:_MAX_FEEDS] if (address := web_address(str(one), page))),
        left_out,
    )


def _own_name(document: dict[str, Any], taken: dict[str, Any], page: str, held: Container[str]) -> str:
    """What the page calls a document: its address and type; its title, too, where that is not enough."""
    own = address_of(document, page)
    name = f"{own or page} {taken['@type']}"
    if not own or own == page or name in held:
        name += f" {taken.get('headline', taken.get('name', ''))}"
    return name[:2000]


def _published(taken: dict[str, Any]) -> Any:
    return taken.get("datePublished", taken.get("uploadDate", taken.get("dateCreated")))


def in_order(items: Any) -> tuple[Found, ...]:
    """Oldest first; what has no time keeps its place before all others, the page's newest last."""
    listed = list(items)
    listed.reverse()  # pages and feeds begin with what is new
    return tuple(sorted(listed, key=lambda one: one.published.timestamp() if one.published else 0.0))


def from_microdata(value: Any, depth: int = 0) -> Any:
    """An item of microdata as extruct gives it, in the form of JSON-LD."""
    if isinstance(value, list):
        return [from_microdata(one, depth) for one in value]
    if not isinstance(value, dict) or depth > _MICRODATA_DEPTH:
        return value
    properties = value.get("properties")
    if not isinstance(properties, dict):
        return value
    stated = value.get("type")
    types = [one for one in (stated if isinstance(stated, list) else [stated]) if isinstance(one, str)]
    ours = [word_of(one) for one in types if host_of(one).removeprefix("www.") == "schema.org"]
    made: dict[str, Any] = {
        key: from_microdata(one, depth + 1) for key, one in properties.items() if key[:1] != "@"
    }
    if ours:
        made = {"@context": "https://schema.org", "@type": ours, **made}
    return made


def _name(document: dict[str, Any]) -> str:
    name = document.get("name")
    return _line(name) if isinstance(name, str) else ""


def _line(text: str) -> str:
    return " ".join(plain_text(text[: 10 * _MAX_TITLE]).split())[:_MAX_TITLE]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
