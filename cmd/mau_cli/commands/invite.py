"""`mau invite`: a link by which somebody can ask to be a friend."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import clean, data, emit_json, picture, say, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mau.invite.facts import Invite
    from mau.invite.link import Link
    from mau_cli.reached import Place

_DEFAULT: Final = "24h"
_LONGEST: Final = 366 * 86_400


@click.command("invite")
@click.option("--name", metavar="NAME", help="What the link calls you; else the name in your key.")
@click.option(
    "--at",
    metavar="HOST:PORT",
    multiple=True,
    help="Where you can be reached. [setting reach.addresses, and the local networks]",
)
@click.option("--print", "printed", is_flag=True, help="For paper or a web page: without a token.")
@click.option("--uses", type=click.IntRange(1, 100), help="How many people may use it. [default: 1]")
@click.option("--for", "lasting", metavar="TIME", help=f"How long: 30m, 8h, 2d. [default: {_DEFAULT}]")
@click.option("--note", metavar="TEXT", help="Whom it is for; nobody else sees it.")
@click.option("--qr/--no-qr", default=None, help="Show the QR code or not; else on a terminal with colours.")
@click.option("--list", "listing", is_flag=True, help="List the invites that are open.")
@click.option("--revoke", metavar="ID|all", help="End an invite that is open.")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def command(
    session: Session,
    name: str | None,
    at: tuple[str, ...],
    printed: bool,
    uses: int | None,
    lasting: str | None,
    note: str | None,
    qr: bool | None,
    listing: bool,
    revoke: str | None,
    as_json: bool,
) -> None:
    """Print a link with which somebody adds you: `mau friend add LINK`.

    It says your fingerprint and where you can be reached, and it carries a token: whoever shows it first to
    your server (`mau up`, `mau serve`) is put before you by `mau requests`, and you are friends once you say
    yes. So give it to that person alone. A link for paper or a web page (--print) carries none.

    The words are those of your fingerprint. Whoever gets the link by a way that others can change compares
    them with you by another one.
    """
    wanted = name, at or None, printed or None, uses, lasting, note, qr
    if listing or revoke is not None:
        if (listing and revoke is not None) or any(one is not None for one in wanted):
            raise UsageError("--list and --revoke stand alone")
        _revoke(session, revoke, as_json) if revoke is not None else _list(session, as_json)
        return
    if printed and any(one is not None for one in (uses, lasting, note)):
        raise UsageError("a link for everybody (--print) has no token: no --uses, --for and --note")
    from mau.invite.link import format_link
    from mau_cli.reached import own_link, own_places

    account = session.account()
    places = own_places(session, at, local=not printed)
    link = own_link(session, account.certificate, name, places)
    format_link(link)  # before anything is noted
    invite = None
    if not printed:
        link, invite = _with_token(session, link, uses or 1, lasting or _DEFAULT, note or "")
    text = format_link(link)
    if as_json:
        emit_json(_facts(link, text, places, invite))
        return
    data(text)
    _show_qr(text, qr)
    _say(link, places, invite)


def _with_token(session: Session, link: Link, uses: int, lasting: str, note: str) -> tuple[Link, Invite]:
    from dataclasses import replace

    from mau.duration import parse_duration
    from mau.invite.book import InviteBook
    from mau.invite.facts import MAX_NOTE

    seconds = parse_duration(lasting)
    if seconds > _LONGEST:
        raise UsageError("an invite lasts a year at most")
    if len(note) > MAX_NOTE:
        raise UsageError(f"a note has at most {MAX_NOTE} characters")
    book = InviteBook(session.account())
    try:
        token, invite = book.make(seconds=seconds, uses=uses, note=note)
    finally:
        book.close()
    return replace(link, token=token), invite


def _facts(link: Link, text: str, places: Sequence[Place], invite: Invite | None) -> dict[str, object]:
    from mau.hostport import format_address

    return {
        "link": text,
        "fingerprint": link.fingerprint,
        "words": " ".join(link.fingerprint.words),
        "name": link.name or None,
        "addresses": [{"address": format_address(place.address), "how": place.how} for place in places],
        "relays": [relay for relay, _ in link.relays],
        "invite": None if invite is None else _invite_facts(invite),
    }


def _invite_facts(invite: Invite) -> dict[str, object]:
    from mau_cli.people import moment

    return {
        "id": invite.id,
        "made": moment(invite.made),
        "expires": moment(invite.expires),
        "uses": invite.uses,
        "left": invite.left,
        "note": invite.note or None,
    }


def _show_qr(text: str, wanted: bool | None) -> None:
    from mau.invite.qr import WIDTH, qr_lines

    colored = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    if wanted is None:
        wanted = colored and os.environ.get("TERM") != "dumb"
    if not wanted:
        return
    lines = qr_lines(text, inked=colored)
    if len(lines[0]) > WIDTH:
        say(f"The QR code needs {len(lines[0])} columns, more than {WIDTH}: fewer addresses make it smaller.")
        return
    picture(lines, black_on_white=colored)


def _say(link: Link, places: Sequence[Place], invite: Invite | None) -> None:
    from mau.duration import duration_words
    from mau.hostport import format_address
    from mau_cli.people import worded
    from mau_cli.reached import WORDS

    for place in places:
        words = WORDS[place.how]
        say(f"  {format_address(place.address)}" + (f"  ({words})" if words else ""))
    for relay, at in link.relays:
        say(f"  {format_address(at)}  (passed on by {relay})")
    if not places and not link.relays:
        say("It says no address: set reach.addresses, or say --at HOST:PORT.")
    elif not link.relays and all(place.how == "local" for place in places):
        say("It works in the local network only: set reach.addresses, or say --at HOST:PORT.")
    say("Your words, to be compared by another way:")
    for line in worded(link.fingerprint):
        say(f"  {line}")
    if invite is None:
        say("Whoever uses it has you as a friend; you have them once you add them as well.")
        return
    often = "once" if invite.uses == 1 else f"{invite.uses} times"
    say(
        f"It can be used {often} within {duration_words(invite.expires - time.time() + 1)}, while "
        f"`mau up` runs; then `mau requests` asks you. `mau invite --revoke {invite.id}` ends it."
    )


# --- list, revoke ------------------------------------------------------------------------------------------


def _list(session: Session, as_json: bool) -> None:
    from mau.duration import duration_words
    from mau.invite.book import InviteBook

    book = InviteBook(session.account())
    try:
        invites = book.invites()
    finally:
        book.close()
    if as_json:
        emit_json([_invite_facts(one) for one in invites])
        return
    now = time.time()
    table(
        [
            (one.id, f"{one.left} of {one.uses}", f"for {duration_words(one.expires - now)}", one.note)
            for one in invites
        ],
        ("id", "left", "open", "note"),
    )
    if not invites:
        say("No invite is open.")


def _revoke(session: Session, word: str, as_json: bool) -> None:
    from mau.invite.book import InviteBook

    book = InviteBook(session.account())
    try:
        ended = book.revoke(None if word == "all" else word.lower())
    finally:
        book.close()
    if not ended and word != "all":
        raise UsageError(f"no invite that is open has the id {word!r:.40}; `mau invite --list` shows them")
    if as_json:
        emit_json([_invite_facts(one) for one in ended])
        return
    for one in ended:
        say(f"{one.id}{f' ({clean(one.note)})' if one.note else ''} is ended.")
    if not ended:
        say("No invite was open.")
