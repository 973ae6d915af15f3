"""For whom, in the words of a page: names, ``@groups``, friends, me, public (spec/writing.md P6). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mau.content.binding import PUBLIC, Audience, Public, audience_of
from mau.errors import AmbiguousWho, MauError, NoAudience, UsageError

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring

FRIENDS: Final = "friends"
ME: Final = "me"
EVERYBODY: Final = "public"


def audience_named(keyring: Keyring, words: Sequence[str]) -> Audience:
    """Whom the words mean. UnknownWho, AmbiguousWho, NoAudience, UsageError."""
    plain = list(dict.fromkeys(word.strip() for word in words if word.strip()))
    if not plain:
        raise NoAudience("for whom? Write `for:` and names, @groups, friends, me or public")
    for word in plain:
        if word in {FRIENDS, EVERYBODY} and any(one.local_name == word for one in keyring.people()):
            raise AmbiguousWho(f"{word!r} is also what you call somebody; write the fingerprint for a person")
    if EVERYBODY in plain:
        if len(plain) > 1:
            raise UsageError("`public` is for everybody; it goes with no other audience")
        return PUBLIC
    people: set[Fingerprint] = set()
    for word in plain:
        if word == FRIENDS:
            friends = keyring.friends()
            if not friends:
                raise NoAudience("you have no friends here yet; `mau friend add` makes one")
            people |= {one.fingerprint for one in friends}
        elif word != ME:
            people |= {one.fingerprint for one in keyring.audience([word])}
    return audience_of(keyring.me.fingerprint, people)


def audience_as_words(keyring: Keyring, audience: Audience) -> list[str]:
    """Words that `audience_named` takes for that audience again."""
    if isinstance(audience, Public):
        return [EVERYBODY]
    me = keyring.me.fingerprint
    names = sorted((_called(keyring, one) for one in audience - {me}), key=str.casefold)
    return names or [ME]


def _called(keyring: Keyring, fingerprint: Fingerprint) -> str:
    person = keyring.person(fingerprint)
    name = person.local_name if person is not None and person.confirmed else ""
    if not name or "," in name or name in {FRIENDS, EVERYBODY, ME} or name.startswith("@"):
        return fingerprint.hex
    try:
        return name if keyring.resolve(name).fingerprint == fingerprint else fingerprint.hex
    except MauError:
        return fingerprint.hex
