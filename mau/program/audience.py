"""For whom? The words in which programs say it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from mau.content.binding import Audience, Public
from mau.errors import NoAudience, UsageError
from mau.fingerprint import Fingerprint
from mau.writing.audiences import EVERYBODY, FRIENDS, ME, audience_named

if TYPE_CHECKING:
    from mau.keyring import Keyring

To = Public | str | Fingerprint | Iterable[str | Fingerprint]
"""`PUBLIC`, or one or several of: a local name, ``@group``, ``friends``, ``me``, a fingerprint."""


def audience(keyring: Keyring, to: To, refused: Collection[Fingerprint] = ()) -> Audience:
    """Those who are meant, the owner always among them; only people who were confirmed.

    `refused`: whom the owner blocked; they are left out of groups and of all friends, and UsageError when
    named. UnknownWho, AmbiguousWho for a word that fits nobody or several; NoAudience when nobody is named:
    a note for oneself says ``me``.
    """
    if isinstance(to, Public):
        return to
    words = words_of(to)
    if not words:
        raise NoAudience('for whom? Say names, "@group", "friends", "me" or mau.PUBLIC')
    found = audience_named(keyring, words)
    if isinstance(found, Public) or found.isdisjoint(refused):
        return found
    for word in words:
        if not word.startswith("@") and word not in {FRIENDS, ME, EVERYBODY}:
            person = keyring.resolve(word)
            if person.fingerprint in refused:
                raise UsageError(f"you blocked {person.label!r}; `mau unblock` ends that")
    left = found - frozenset(refused)
    if left == {keyring.me.fingerprint}:
        raise NoAudience("nobody is left: you blocked them all")
    return left


def words_of(to: To) -> list[str]:
    """The same in words; `PUBLIC` is ``public``."""
    if isinstance(to, Public):
        return [EVERYBODY]
    some = [to] if isinstance(to, str | Fingerprint) else to
    return [one.hex if isinstance(one, Fingerprint) else one for one in some]
