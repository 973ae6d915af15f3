"""Which local group follows whose list, or is shared by its owner (spec/groups.md G20). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mau.content.address import Address, person_iri, post_iri, resolve_iri
from mau.content.links import word_of
from mau.errors import AddressMalformed, UsageError
from mau.fingerprint import Fingerprint
from mau.groups.document import MAX_MEMBERS
from mau.marks.document import header, read_time, time_words
from mau.tree.names import GROUPS_NAME, check_group, is_post_name

MAX_BINDINGS: Final = 1000
_ENDED: Final = "https://schema.org/CompletedActionStatus"
_FAILED: Final = "https://schema.org/FailedActionStatus"


@dataclass(frozen=True, slots=True)
class Binding:
    """A group here and the list that says who is in it. `owner` and `name` are those of the list's post.

    `signed_at` is when the list that was adopted was signed (unix seconds), `members` who stood in it. `at`:
    when this was said. Not `on`: it follows no list any more; `ended`: for its owner took it or us away.
    """

    group: str
    owner: Fingerprint
    name: str
    at: int
    signed_at: int = 0
    members: frozenset[Fingerprint] = frozenset()
    on: bool = True
    ended: bool = False

    @property
    def address(self) -> Address:
        """Of the list."""
        return Address(self.owner, self.name)

    @property
    def _order(self) -> tuple[int, int, bool, bool, str, str, list[Fingerprint]]:
        return (
            self.at,
            self.signed_at,
            self.ended,
            not self.on,
            self.owner.hex,
            self.name,
            sorted(self.members),
        )

    def newer(self, other: Binding | None) -> bool:
        """Whether this one counts, and not the other."""
        return other is None or self._order > other._order


@dataclass(frozen=True, slots=True)
class Bindings:
    """All of them, one for each group."""

    held: Mapping[str, Binding] = field(default_factory=dict)

    @classmethod
    def of(cls, bindings: Iterable[Binding]) -> Bindings:
        """The newest word about each group."""
        found: dict[str, Binding] = {}
        for one in bindings:
            if one.newer(found.get(one.group)):
                found[one.group] = one
        newest = sorted(found.values(), key=lambda one: (one.on, one.at, one.group), reverse=True)
        return cls({one.group: one for one in newest[:MAX_BINDINGS]})

    def merged(self, other: Bindings) -> Bindings:
        """What two files say together: the same in either order, and however often."""
        return Bindings.of((*self.held.values(), *other.held.values()))

    def said(self, binding: Binding, now: int) -> Bindings:
        """With another word about a group, which is the newest."""
        latest = max((one.at for one in self.held.values()), default=0)
        return Bindings.of((*self.held.values(), replace(binding, at=max(now, latest + 1))))

    def of_group(self, group: str) -> Binding | None:
        """The binding of a group that has one."""
        found = self.held.get(group)
        return found if found is not None and found.on else None

    def __iter__(self) -> Iterator[Binding]:
        """Those that hold, by group."""
        return iter(sorted((one for one in self.held.values() if one.on), key=lambda one: one.group))


def dump_bindings(held: Bindings, own: Fingerprint) -> dict[str, Any]:
    """The document of the private file."""
    items = []
    for one in sorted(held.held.values(), key=lambda binding: binding.group):
        status = _FAILED if one.ended else _ENDED
        items.append(
            {
                "@type": "JoinAction",
                **({} if one.on and not one.ended else {"actionStatus": status}),
                "name": one.group,
                "object": {
                    "@id": post_iri(one.owner, one.name),
                    "dateModified": time_words(one.signed_at),
                    "member": [{"@id": person_iri(member)} for member in sorted(one.members)],
                },
                "startTime": time_words(one.at),
            }
        )
    return {**header(GROUPS_NAME, own), "hasPart": items}


def load_bindings(document: dict[str, Any], own: Fingerprint) -> Bindings:
    """What `dump_bindings` wrote, as far as it is understood."""
    stated = document.get("hasPart")
    items = (stated if isinstance(stated, list) else [stated])[: 2 * MAX_BINDINGS]
    return Bindings.of(one for item in items if (one := _binding(item, own)) is not None)


def _binding(item: Any, own: Fingerprint) -> Binding | None:
    about = item.get("object") if isinstance(item, dict) else None
    if not isinstance(about, dict) or item.get("@type") != "JoinAction":
        return None
    at, signed_at = read_time(item.get("startTime")), read_time(about.get("dateModified"))
    group, status = item.get("name"), item.get("actionStatus", "")
    try:
        address = _address(about.get("@id"), own)
        if not isinstance(group, str) or check_group(group) != group or not isinstance(status, str):
            return None
    except (AddressMalformed, UsageError):
        return None
    if at is None or signed_at is None or address is None or not is_post_name(address.name or ""):
        return None
    people = about.get("member")
    members = set()
    for one in (people if isinstance(people, list) else [])[:MAX_MEMBERS]:
        try:
            person = _address(one.get("@id") if isinstance(one, dict) else None, own)
        except AddressMalformed:
            continue
        if person is not None and person.name is None:
            members.add(person.author)
    ended = word_of(status) == word_of(_FAILED)
    on = ended or word_of(status) != word_of(_ENDED)
    name = address.name or ""
    return Binding(group, address.author, name, at, signed_at, frozenset(members), on, ended)


def _address(iri: Any, own: Fingerprint) -> Address | None:
    return resolve_iri(iri, own) if isinstance(iri, str) else None
