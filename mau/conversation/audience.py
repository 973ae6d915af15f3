"""For whom a post is that derives from another: a reply, a share, an edit (spec/conversations.md CV20-CV24).

Pure: it decides from the keyring as it stands; asking people is for whoever calls this.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from mau.content.binding import Audience, Public
from mau.errors import KeyRefused
from mau.fingerprint import Fingerprint

if TYPE_CHECKING:
    from mau.keyring.person import Person

Why = Literal["blocked", "no key", "unconfirmed", "no friend", "key unusable"]
"""Why somebody is left out. `no friend`: a known key, and somebody else chose to write to its owner."""


class People(Protocol):
    """Who is who: `Keyring`."""

    @property
    def me(self) -> Person:
        """The owner."""

    def person(self, fingerprint: Fingerprint) -> Person | None:
        """Whoever it is; None when no key of his is held."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Somebody who could read the original and is not written to."""

    fingerprint: Fingerprint
    why: Why


@dataclass(frozen=True, slots=True)
class Derived:
    """For whom by default. `audience` is None when that must be said: the original is public, or tells none.

    Otherwise the owner is in it; alone, when nobody of the others can be written to.
    """

    audience: Audience | None
    left_out: tuple[LeftOut, ...] = ()

    @property
    def readers(self) -> frozenset[Fingerprint]:
        """The people in it; nobody when it must be said."""
        return self.audience if isinstance(self.audience, frozenset) else frozenset()


def derived_audience(
    people: People,
    author: Fingerprint,
    audience: Audience | None,
    recipients: Iterable[Fingerprint] = (),
    *,
    refused: Collection[Fingerprint] = (),
) -> Derived:
    """For whom what derives from a post of `author` is, by default.

    `audience` is what the post states; for one that states none `recipients` are those whom its head names.
    Of others' posts the author and my friends, of my own everybody whom I can still write to: I chose them.
    Nobody who is `refused` (blocked by the owner).
    """
    if isinstance(audience, Public):
        return Derived(None)
    me = people.me.fingerprint
    readers = frozenset(recipients) if audience is None else audience
    if not readers:
        return Derived(None)
    chosen, left_out = {me}, []
    for reader in sorted(readers | {author}):
        if reader == me:
            continue
        why = _why_not(people.person(reader), theirs=author in (me, reader))
        why = "blocked" if reader in refused else why
        if why is None:
            chosen.add(reader)
        else:
            left_out.append(LeftOut(reader, why))
    return Derived(frozenset(chosen), tuple(left_out))


def wider(audience: Audience, author: Fingerprint, original: Audience | None) -> bool:
    """Whether somebody would read it who may not read the original, as far as that says for whom it is."""
    if isinstance(original, Public):
        return False
    if isinstance(audience, Public):
        return True
    return original is not None and not audience <= original | {author}


def _why_not(person: Person | None, *, theirs: bool) -> Why | None:
    """Why nothing is sent to somebody. `theirs`: he wrote the original, or I did and chose him myself."""
    if person is None:
        return "no key"
    if not person.confirmed:
        return "unconfirmed"
    if person.status != "friend" and not theirs:
        return "no friend"
    try:
        person.certificate.check_usable()
    except KeyRefused:
        return "key unusable"
    return None
