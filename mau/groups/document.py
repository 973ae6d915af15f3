"""The list of a shared group as a post: how it looks, and what one says (spec/groups.md G1-G4). Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from mau.content.address import person_iri, resolve_iri
from mau.errors import AddressMalformed, UsageError
from mau.fingerprint import Fingerprint

TYPES: Final = ("Organization", "https://mau.invalid/ns#Group")
"""What a list says that it is; the second one makes it a list."""
_KEY: Final = "https://mau.invalid/ns#key"
MAX_MEMBERS: Final = 1000
"""Of one group, its owner among them: a post cannot be for more (spec/messages.md M18)."""
MAX_NAME: Final = 64
"""Characters of a group's name, and of what a member calls himself."""
MAX_KEY: Final = 8192
"""Bytes of a key that is given along."""
_MAX_KEYS: Final = 400_000
"""Bytes of all keys in one list: the rest is asked for."""


@dataclass(frozen=True, slots=True)
class Member:
    """One in a list. `name` is what his key calls him, `key` the key (binary), b"" where it is not given."""

    fingerprint: Fingerprint
    name: str = ""
    key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class GroupList:
    """What a list says: what its owner calls the group, and who is in it."""

    owner: Fingerprint
    name: str
    members: Mapping[Fingerprint, Member]


def compose_list(owner: Fingerprint, name: str, members: Iterable[Member]) -> dict[str, Any]:
    """The document; `bind_document` adds what it is called and for whom. UsageError for too many."""
    people = sorted({one.fingerprint: one for one in members}.values(), key=lambda one: one.fingerprint)
    if len(people) > MAX_MEMBERS:
        raise UsageError(f"a shared group has at most {MAX_MEMBERS} members, not {len(people)}")
    room = _MAX_KEYS
    said = []
    for one in people:
        person: dict[str, Any] = {"@type": "Person", "@id": person_iri(one.fingerprint)}
        if one.name:
            person["name"] = one.name[:MAX_NAME]
        if one.key and len(one.key) <= min(MAX_KEY, room):
            room -= len(one.key)
            person[_KEY] = base64.b64encode(one.key).decode("ascii")
        said.append(person)
    return {
        "@type": list(TYPES),
        "name": name,
        "founder": {"@id": person_iri(owner)},
        "member": said,
    }


def is_list(document: Mapping[str, Any] | None) -> bool:
    """Whether a document says that it is the list of a shared group."""
    stated = (document or {}).get("@type")
    return isinstance(stated, list) and TYPES[1] in stated[:10]


def read_list(owner: Fingerprint, document: Mapping[str, Any] | None) -> GroupList | None:
    """The list that a post of `owner` is; None when it is none, or names more people than a group can have.

    The owner is in it in any case. What is no person is passed over.
    """
    if document is None or not is_list(document):
        return None
    stated = document.get("member")
    people = stated if isinstance(stated, list) else [stated]
    if len(people) > MAX_MEMBERS:
        return None
    found = {owner: Member(owner)}
    for one in islice(people, MAX_MEMBERS):
        if isinstance(one, dict) and (member := _member(owner, one)) is not None:
            found[member.fingerprint] = member
    name = document.get("name")
    return GroupList(owner, name[:MAX_NAME] if isinstance(name, str) else "", found)


def _member(owner: Fingerprint, said: Mapping[str, Any]) -> Member | None:
    iri, name, key = said.get("@id"), said.get("name"), said.get(_KEY)
    try:
        address = resolve_iri(iri, owner) if isinstance(iri, str) else None
    except AddressMalformed:
        return None
    if address is None or address.name is not None:
        return None
    data = b""
    if isinstance(key, str) and len(key) <= 2 * MAX_KEY:
        try:
            data = base64.b64decode(key, validate=True)
        except (binascii.Error, ValueError):
            data = b""
    return Member(
        address.author,
        name[:MAX_NAME] if isinstance(name, str) else "",
        data if len(data) <= MAX_KEY else b"",
    )
