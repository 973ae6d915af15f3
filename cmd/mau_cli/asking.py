"""Those who answered an invite: how they are shown, and what a word to them does."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mau_cli.output import clean, prompt, say

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.invite.facts import Request
    from mau.invite.link import Link
    from mau.openpgp import Certificate
    from mau.tree.layout import Root
    from mau_cli.context import Session


@dataclass(frozen=True, slots=True)
class Asked:
    """One who waits, with the key that was left."""

    guest: Fingerprint
    request: Request
    certificate: Certificate

    @property
    def invite(self) -> str:
        """Which invite was shown: its note, else its id."""
        return self.request.note or self.request.invite

    def say(self) -> None:
        """Show everything that somebody should know who is to decide."""
        from mau_cli.people import moment, say_key

        say(f"Asked {moment(self.request.asked)}, with the invite {clean(self.invite)!r}:")
        say_key(self.certificate)
        if self.request.link.name:
            say(f"  their link calls them {clean(self.request.link.name)!r}")

    def line(self) -> str:
        """One line: fingerprint, what they call themselves, when, which invite."""
        from mau_cli.people import moment, user_id

        claim = clean(" ".join((user_id(self.certificate) or self.request.link.name).split()))
        when = moment(self.request.asked)
        return f"{self.guest.hex}  calls itself {claim!r}  {when}  invite {clean(self.invite)!r}"

    def facts(self) -> dict[str, object]:
        """What `--json` says."""
        from mau.hostport import format_address
        from mau_cli.people import moment

        return {
            "fingerprint": self.guest,
            "words": " ".join(self.guest.words),
            "user_ids": list(self.certificate.user_ids),
            "claimed_name": self.request.link.name or None,
            "asked": moment(self.request.asked),
            "invite": self.request.invite,
            "note": self.request.note or None,
            "addresses": [format_address(one) for one in self.request.link.addresses],
        }


def waiting(session: Session) -> list[Asked]:
    """Who waits, the first to ask first. Who became a friend meanwhile waits no longer."""
    from mau.errors import KeyRefused
    from mau.invite.book import InviteBook
    from mau.openpgp import Certificate

    keyring = session.keyring()
    found = []
    with closing(InviteBook(session.account())) as book:
        for guest, request in book.requests():
            try:
                certificate = Certificate.parse(request.certificate)
            except KeyRefused:
                continue
            if keyring.is_friend(guest):
                _note_places(session.root, request.link)
                book.forget(guest)
            elif certificate.fingerprint == guest:
                found.append(Asked(guest, request, certificate))
    return found


def count_waiting(session: Session) -> int:
    """How many wait, without looking at their keys."""
    from mau.invite.book import InviteBook

    if not (session.root.path / ".peers" / "invites.db").is_file():
        return 0
    keyring = session.keyring()
    with closing(InviteBook(session.account())) as book:
        return sum(not keyring.is_friend(guest) for guest, _ in book.requests())


def take_as_friend(
    session: Session,
    asked: Asked,
    local_name: str | None,
    groups: Sequence[str],
    *,
    yes: bool = False,
) -> None:
    """Make somebody a friend who is followed, and note where that person may be; KeyRefused, UsageError."""
    from mau.invite.book import InviteBook
    from mau_cli.confirming import choose_local_name, say_contested

    keyring = session.keyring()
    keyring.check(asked.certificate)
    held = keyring.person(asked.guest)
    if held is not None and held.confirmed:
        local_name = local_name or held.local_name
    name = choose_local_name(session, keyring, asked.certificate, local_name, yes=yes)
    person = keyring.add(asked.certificate, name, groups)
    session.root.follow(asked.guest)
    _note_places(session.root, asked.request.link)
    with closing(InviteBook(session.account())) as book:
        book.forget(asked.guest)
    say(f"{person.local_name!r} is a friend, and you follow them.")
    say_contested(keyring, asked.guest)


def turn_away(session: Session, asked: Asked) -> None:
    """Forget that somebody asked."""
    from mau.invite.book import InviteBook

    with closing(InviteBook(session.account())) as book:
        book.forget(asked.guest)
    say(f"{asked.guest} waits no longer, and is not told.")


def _note_places(root: Root, link: Link) -> None:
    from mau.invite.showing import note_places

    note_places(root, link)


def press(question: str, answers: Mapping[str, str]) -> str:
    """Ask for one key and say what it meant; any other is no answer. Without a keyboard it is the last."""
    # Before the question, and nothing is thrown away: who is quick has pressed the key already.
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    tty.setcbreak(keyboard, termios.TCSADRAIN)
    try:
        prompt(question)
        key = ""
        while key not in answers:
            pressed = os.read(keyboard, 1)
            key = pressed.decode("ascii", "replace").lower() if pressed else list(answers)[-1]
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
    say(answers[key])
    return key
