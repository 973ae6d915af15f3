"""For whom? The options that say it, the question that asks for it, and the words that tell it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import click

from mau.errors import ConfigError, MauError, NoAudience, UsageError
from mau_cli.output import clean, say

if TYPE_CHECKING:
    from mau.content.binding import Audience
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring, Person
    from mau_cli.context import Session

_WAYS = "--to WHO (or --to @GROUP), --friends, --me or --public"


def audience_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--to``, ``--friends``, ``--public`` and ``--me``; `choose_audience` takes what they give."""
    options = (
        click.option("--to", multiple=True, metavar="WHO|@GROUP", help="For these people; can be repeated."),
        click.option("--friends", is_flag=True, help="For all your friends."),
        click.option("--me", is_flag=True, help="For yourself alone."),
        click.option("--public", is_flag=True, help="For everybody, readable without any key."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def choose_audience(
    session: Session, *, to: Sequence[str], friends: bool, me: bool, public: bool
) -> Audience:
    """The audience that the options name; else the setting post.audience; else what a terminal answers.

    NoAudience when nothing says it: nothing is ever published without being told for whom.
    """
    from mau.content.binding import PUBLIC

    if public:
        if to or friends or me:
            raise UsageError("--public is for everybody; it goes with no other audience")
        return PUBLIC
    from mau.config.keys import POST_AUDIENCE
    from mau.marks import blocked
    from mau_cli.shared import follow_shared

    keyring, account = session.keyring(), session.account()
    if to or friends or me:
        if any(word.startswith("@") for word in to):
            follow_shared(session, keyring)
        people = keyring.audience(to)
        meant = [*people, *(_friends(keyring) if friends else [])]
        return _people(keyring, _without_blocked(keyring, meant, _named(keyring, to), blocked(account)))
    default = session.config.setting(POST_AUDIENCE)
    if default.value is not None:
        try:
            if any(word.startswith("@") for word in default.value):
                follow_shared(session, keyring)
            meant = _standing(keyring, default.value)
            named = _named(keyring, default.value)
            return _people(keyring, _without_blocked(keyring, meant, named, blocked(account)))
        except MauError as error:
            raise ConfigError(f"{POST_AUDIENCE.name} ({default.source}): {error}") from error
    if session.interactive:
        follow_shared(session, keyring)
        return ask_audience(keyring, blocked(account))
    raise NoAudience(f"for whom? Say {_WAYS}")


def _named(keyring: Keyring, words: Sequence[str]) -> frozenset[Fingerprint]:
    """Who is named himself, and not only as one of a group."""
    from mau.config.kinds import FRIENDS

    single = [word for word in words if not word.startswith("@") and word != FRIENDS]
    return frozenset(person.fingerprint for person in keyring.audience(single))


def _without_blocked(
    keyring: Keyring,
    people: Sequence[Person],
    named: Collection[Fingerprint],
    refused: Collection[Fingerprint],
) -> list[Person]:
    """Those of an audience who are not blocked; UsageError for who is named himself. NoAudience."""
    away = {person.fingerprint: person.label for person in people if person.fingerprint in refused}
    for fingerprint, label in away.items():
        if fingerprint in named:
            raise UsageError(f"you blocked {label!r}; `mau unblock` ends that")
    kept = [person for person in people if person.fingerprint not in away]
    if away and not kept:
        raise NoAudience(f"nobody is left: you blocked {', '.join(map(repr, away.values()))}")
    if away:
        say(f"Left out, for you blocked them: {', '.join(map(clean, away.values()))}.")
    return kept


def _people(keyring: Keyring, people: Sequence[Person]) -> frozenset[Fingerprint]:
    from mau.content.binding import audience_of

    return audience_of(keyring.me.fingerprint, [person.fingerprint for person in people])


def _standing(keyring: Keyring, words: Sequence[str]) -> list[Person]:
    """Whom the words of the setting mean; they have been checked, and none of them is everybody."""
    from mau.config.kinds import FRIENDS

    people: list[Person] = []
    for word in words:
        people += _friends(keyring) if word == FRIENDS else keyring.audience([word])
    return people


def _friends(keyring: Keyring) -> list[Person]:
    friends = keyring.friends()
    if not friends:
        raise NoAudience("you have no friends here yet; `mau friend add` makes one")
    return friends


def ask_audience(keyring: Keyring, refused: Collection[Fingerprint] = ()) -> Audience:
    """Ask until the answer fits. What each number means is shown, the people by name.

    ``refused``: who is blocked, and left out of all friends and of groups.
    """
    from mau.content.binding import PUBLIC

    friends = [person for person in keyring.friends() if person.fingerprint not in refused]
    choices: list[tuple[str, Sequence[Person] | None]] = [("yourself alone", [])]
    if friends:
        choices.append((f"all your friends: {_names(friends)}", friends))
    for group in keyring.groups():
        members = [person for person in keyring.members(group) if person.fingerprint not in refused]
        if members:
            choices.append((f"@{group}: {_names(members)}", members))
    choices.append(("everybody: public, and never to be taken back", None))
    say("For whom?")
    for number, (words, _) in enumerate(choices, 1):
        say(f"  {number}  {words}")
    while True:
        answer = click.prompt("A number, or names and @groups", err=True).strip()
        if answer.isdecimal() and 0 < int(answer) <= len(choices):
            people = choices[int(answer) - 1][1]
            return PUBLIC if people is None else _people(keyring, people)
        try:
            given = _words(keyring, answer)
            meant = _without_blocked(keyring, keyring.audience(given), _named(keyring, given), refused)
            return _people(keyring, meant)
        except MauError as error:
            say(f"{error}")


def _words(keyring: Keyring, answer: str) -> list[str]:
    """One name that may have spaces in it, or several words."""
    if any(person.local_name == answer for person in keyring.people()):
        return [answer]
    return answer.replace(",", " ").split()


def _names(people: Sequence[Person], most: int = 8) -> str:
    names = [person.label for person in people[:most]]
    return ", ".join(names) + (f" and {len(people) - most} more" if len(people) > most else "")


# --- in words ----------------------------------------------------------------------------------------------


def called(keyring: Keyring, fingerprint: Fingerprint) -> str:
    """How the owner calls somebody: "you", the local name, else the fingerprint."""
    if fingerprint == keyring.me.fingerprint:
        return "you"
    person = keyring.person(fingerprint)
    return person.label if person is not None else fingerprint.hex


def audience_words(keyring: Keyring, audience: Audience | None, author: Fingerprint, most: int = 8) -> str:
    """For whom a post of `author` is: "everybody", "bob, carol and you"; the author only if he is alone."""
    from mau.content.binding import Public

    if audience is None:
        return "whom it does not say"
    if isinstance(audience, Public):
        return "everybody"
    me = keyring.me.fingerprint
    others = audience - {author, me}
    names = sorted((called(keyring, one) for one in others), key=str.casefold)
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} others"]
    if me != author and me in audience:
        names.append("you")
    if not names:
        return f"{called(keyring, author)} alone"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def audience_facts(audience: Audience | None) -> object:
    """What `--json` says: "public", a list of fingerprints, or null when the author does not say."""
    from mau.content.binding import Public

    return "public" if isinstance(audience, Public) else audience


def keyid_words(keyring: Keyring, keyid: bytes) -> str:
    """Whose key a key id in a file's head is."""
    if not any(keyid):
        return "somebody hidden"
    owner = keyring.owner_of(keyid)
    return f"unknown key {keyid.hex()}" if owner is None else called(keyring, owner)


def keyid_facts(keyring: Keyring, keyid: bytes) -> dict[str, object]:
    """What `--json` says of a recipient in a file's head; the key id is null for a hidden one."""
    owner = keyring.owner_of(keyid)
    person = None if owner is None else keyring.person(owner)
    return {
        "keyid": keyid.hex() if any(keyid) else None,
        "fingerprint": owner,
        "name": person.local_name if person is not None and person.local_name else None,
    }
