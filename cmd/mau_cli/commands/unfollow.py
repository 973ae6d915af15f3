"""`mau unfollow`: fetch and show somebody's posts no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mau.errors import UnknownWho
from mau_cli.context import Session
from mau_cli.output import say

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring

MIN_PREFIX = 8
"""Hex digits from which on a word may be the beginning of a fingerprint (spec/keyring.md K5)."""


@click.command("unfollow")
@click.argument("who", nargs=-1, required=True)
@click.pass_obj
def command(session: Session, who: tuple[str, ...]) -> None:
    """Follow the posts of WHO no longer. What is held stays in the tree, hidden.

    Of a source on the web (https://...) the copies stay; they are posts of yours, for you alone.
    """
    from mau_cli.people import suspect_keyring
    from mau_cli.webfollowing import is_web, unfollow_web

    for url in filter(is_web, who):
        unfollow_web(session, url)
    who = tuple(word for word in who if not is_web(word))
    if not who:
        return
    keyring = suspect_keyring(session)
    followed = session.root.follows(keyring.me.fingerprint)
    for fingerprint in [_whom(keyring, followed, word) for word in who]:
        person = keyring.person(fingerprint)
        label = person.label if person else fingerprint.hex
        if fingerprint not in followed:
            say(f"You do not follow {label}.")
            continue
        session.root.unfollow(fingerprint)
        say(f"You follow {label} no longer; their posts are kept, hidden.")


def _whom(keyring: Keyring, followed: list[Fingerprint], word: str) -> Fingerprint:
    """As anywhere; those whom I follow without holding a key count too."""
    try:
        return keyring.resolve_fingerprint(word)
    except UnknownWho:
        prefix = word.strip().lower()
        matches = [one for one in followed if len(prefix) >= MIN_PREFIX and one.hex.startswith(prefix)]
        if len(matches) != 1:
            raise
        return matches[0]
