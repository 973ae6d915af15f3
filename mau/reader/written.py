"""What was found out of a content, as JSON and back (spec/reading.md RE4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mau.content.address import Address
from mau.content.binding import PUBLIC, Audience
from mau.content.links import Links, Reference
from mau.deletion.document import Delete
from mau.fingerprint import Fingerprint
from mau.reader.looking import Looked
from mau.reader.owners import pack, unpack
from mau.reader.summary import Summary


def dump_looked(looked: Looked) -> dict[str, Any]:
    """What is noted of a content; nothing of where it lies, and not the post itself."""
    one = looked.summary
    audience: str | list[str] | None = None
    if one.audience == PUBLIC:
        audience = "everybody"
    elif one.audience is not None:
        audience = sorted(person.hex for person in one.audience)
    links = one.links
    said = {
        "author": one.author.hex,
        "name": one.name,
        "sha256": one.sha256,
        "size": one.size,
        "time": one.time,
        "checked": one.checked,
        "error": one.error,
        "type": one.type,
        "words": one.words,
        "audience": audience,
        "encrypted": one.encrypted,
        "tags": one.tags,
        "apart": one.apart,
        "origin": one.origin,
        "again": looked.again,
        "act": links.act,
        "answers": [_reference(each) for each in links.answers],
        "objects": [_reference(each) for each in links.objects],
        "mentions": [person.hex for person in links.mentions],
        "media": [_reference(each) for each in links.media],
        "delete": None if looked.delete is None else dump_delete(looked.delete),
        "owners": pack(looked.owners).hex(),
    }
    return {key: value for key, value in said.items() if value}


def load_looked(said: Mapping[str, Any]) -> Looked:
    """Back from `dump_looked`."""
    author, name = Fingerprint.parse(said["author"]), said["name"]
    links = Links(
        answers=_references(said, "answers"),
        act=said.get("act", ""),
        objects=_references(said, "objects"),
        mentions=tuple(map(Fingerprint.parse, said.get("mentions", ()))),
        media=_references(said, "media"),
    )
    summary = Summary(
        author=author,
        name=name,
        sha256=said["sha256"],
        size=said.get("size", 0),
        time=said.get("time", 0),
        checked=said.get("checked", False),
        error=said.get("error", ""),
        type=said.get("type", ""),
        words=said.get("words", ""),
        audience=_audience(said.get("audience")),
        encrypted=said.get("encrypted", False),
        tags=tuple(said.get("tags", ())),
        links=links,
        apart=said.get("apart", ""),
        origin=said.get("origin", ""),
    )
    delete = said.get("delete")
    return Looked(
        summary,
        delete=None if delete is None else load_delete(author, name, delete),
        again=said.get("again", 0),
        owners=unpack(bytes.fromhex(said.get("owners", ""))),
    )


def _audience(said: str | list[str] | None) -> Audience | None:
    if said is None:
        return None
    return PUBLIC if isinstance(said, str) else frozenset(map(Fingerprint.parse, said))


def _reference(one: Reference) -> list[str | None]:
    return [one.address.author.hex, one.address.name, one.sha256]


def _references(said: Mapping[str, Any], word: str) -> tuple[Reference, ...]:
    return tuple(
        Reference(Address(Fingerprint.parse(author), name), sha256)
        for author, name, sha256 in said.get(word, ())
    )


def dump_delete(delete: Delete) -> list[Any]:
    """What a DeleteAction says."""
    people = None if delete.audience == PUBLIC else sorted(one.hex for one in delete.audience)
    return [delete.target, sorted(delete.sha256s), delete.signed_at, people]


def load_delete(author: Fingerprint, name: str, said: Sequence[Any]) -> Delete:
    """Back from `dump_delete`."""
    target, sums, signed_at, people = said
    audience = PUBLIC if people is None else frozenset(map(Fingerprint.parse, people))
    return Delete(author, name, target, frozenset(sums), signed_at, audience)
