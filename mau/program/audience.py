"""For whom? The words in which programs say it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from mau.config.kinds import FRIENDS, ME
from mau.content.binding import Audience, Public, audience_of
from mau.errors import KeyRefused, NoAudience, UsageError
from mau.fingerprint import Fingerprint

if TYPE_CHECKING:
    from mau.keyring import Keyring

To = Public | str | Fingerprint | Iterable[str | Fingerprint]
"""`PUBLIC`, or one or several of: a local name, ``@group``, ``friends``, ``me``, a fingerprint."""


def audience(keyring: Keyring, to: To, refused: Collection[Fingerprint] = ()) -> Audience:
    """Those who are meant, the owner always among them; of friends and groups nobody who is `refused`.

    UnknownWho, AmbiguousWho for a word that fits nobody or several; NoAudience when nobody is named: a note
    for oneself says ``me``. Only people who were confirmed are ever written to. UsageError for who is refused
    and named.
    """
    if isinstance(to, Public):
        return to
    words = [to] if isinstance(to, str | Fingerprint) else list(to)
    if not words:
        raise NoAudience('for whom? Say names, "@group", "friends", "me" or mau.PUBLIC')
    found: list[Fingerprint] = []
    for word in words:
        meant = _meant(keyring, word)
        kept = [one for one in meant if one not in refused]
        if meant and not kept:
            raise UsageError(f"you blocked {word!s}; `mau unblock` ends that")
        found += kept
    return audience_of(keyring.me.fingerprint, found)


def _meant(keyring: Keyring, word: str | Fingerprint) -> list[Fingerprint]:
    if isinstance(word, Fingerprint):
        person = keyring.person(word)
        if person is None:
            raise KeyRefused(f"no key of {word} is held here")
        return [word]
    if word == ME:
        return []
    if word == FRIENDS:
        friends = keyring.friends()
        if not friends:
            raise NoAudience("there are no friends here yet; `mau friend add` makes one")
        return [person.fingerprint for person in friends]
    return [person.fingerprint for person in keyring.audience([word])]
