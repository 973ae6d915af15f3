"""Asking people for newer copies of their keys, and telling what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mau.errors import MauError, PartlyDone, PeerNotFound, UsageError
from mau_cli.following import take_given
from mau_cli.output import clean, emit_json, say

if TYPE_CHECKING:
    from mau.hostport import Address
    from mau.keyring import Keyring, News, Person
    from mau_cli.context import Session


def refresh_one(session: Session, who: str, at: tuple[str, ...], via: str | None, *, as_json: bool) -> None:
    """Ask for the key of one person, himself or ``via`` a friend (PeerError, IdentityError, KeyRefused)."""
    from mau.hostport import parse_address

    keyring = session.keyring()
    person = keyring.resolve(who)
    if person is keyring.me:
        raise UsageError("that is you: `mau key show` shows your key")
    news = _ask(session, keyring, person, [parse_address(one) for one in at] or None, via)
    if as_json:
        emit_json(_facts(person, news, None))
    else:
        _say(person, news)


def refresh_all(session: Session, *, as_json: bool) -> None:
    """Ask everybody whose address is known; PartlyDone when somebody did not give his key."""
    keyring = session.keyring()
    results: list[tuple[Person, News | None, MauError | None]] = []
    for person in [*keyring.friends(), *keyring.known()]:
        try:
            results.append((person, _ask(session, keyring, person, None, None), None))
        except MauError as error:
            results.append((person, None, error))
    if as_json:
        emit_json({"people": [_facts(*result) for result in results]})
    failed = [one for one in results if one[2] is not None and not isinstance(one[2], PeerNotFound)]
    for person, news, problem in () if as_json else results:
        if news is not None:
            _say(person, news)
        elif problem is not None:
            say(f"{clean(person.label)}: {problem}")
    if failed:
        raise PartlyDone(f"{len(failed)} of {len(results)} did not give their key")


def _ask(
    session: Session, keyring: Keyring, person: Person, addresses: list[Address] | None, via: str | None
) -> News:
    import asyncio

    from mau.introduction import fetch_key

    peer = keyring.resolve_fingerprint(via) if via else None
    take_given(session)
    introduction = asyncio.run(
        fetch_key(session.account(), person.fingerprint, via=peer, addresses=addresses)
    )
    news = keyring.take_in(introduction.certificate)
    introduction.remember(session.root)
    return news


def _say(person: Person, news: News) -> None:
    name = clean(person.label)
    for change in news.changes:
        say(f"{name}: {change}")
    for waiting in news.waiting:
        say(f"{name}: {waiting} (counts after `mau friend confirm`)")
    if not news.changes and not news.waiting:
        say(f"{name}: nothing new")


def _facts(person: Person, news: News | None, error: MauError | None) -> dict[str, object]:
    return {
        "fingerprint": person.fingerprint,
        "name": person.local_name or None,
        "changes": list(news.changes) if news else [],
        "waiting": list(news.waiting) if news else [],
        "error": str(error) if error else None,
    }
