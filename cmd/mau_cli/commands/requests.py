"""`mau requests`: who answered an invite and waits for a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from mau.errors import AmbiguousWho, UnknownWho, UsageError
from mau_cli.context import Session
from mau_cli.output import data, emit_json, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mau_cli.asking import Asked

_FEW: Final = 4


@click.group("requests", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="List them as JSON.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Go through those who answered an invite of yours and wait for a word; without a terminal, list them.

    Names are what people call themselves, and proven is only the fingerprint. Compare its words with theirs
    by another way than the one the invite took, or be sure that nobody else could use it.
    """
    if context.invoked_subcommand is not None:
        if as_json:
            raise UsageError("--json belongs after the word: mau requests list --json")
        return
    session: Session = context.obj
    if as_json or not session.interactive:
        _list(session, as_json)
        return
    from mau_cli.asking import waiting

    _go_through(session, waiting(session))


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List who waits for a word."""
    _list(session, as_json)


@command.command("accept")
@click.argument("who", metavar="FPR")
@click.option("--as", "local_name", metavar="NAME", help="What you call this person; nobody else sees it.")
@click.option("--group", "groups", metavar="GROUP", multiple=True, help="Also put them into this group.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.pass_obj
def accept(session: Session, who: str, local_name: str | None, groups: tuple[str, ...], yes: bool) -> None:
    """Take FPR (the first digits will do) as a friend, and follow them."""
    from mau_cli.asking import take_as_friend, waiting

    asked = _find(waiting(session), who)
    asked.say()
    if not yes:
        say("Compare the fingerprint, or its words, with what they tell you by another way.")
    if not session.confirm("Take them as a friend?", yes=yes):
        raise click.Abort
    take_as_friend(session, asked, local_name, groups, yes=yes)


@command.command("decline")
@click.argument("who", metavar="FPR")
@click.pass_obj
def decline(session: Session, who: str) -> None:
    """Forget that FPR asked. They are not told; the invite that they used stays used."""
    from mau_cli.asking import turn_away, waiting

    turn_away(session, _find(waiting(session), who))


def _list(session: Session, as_json: bool) -> None:
    from mau_cli.asking import waiting

    found = waiting(session)
    if as_json:
        emit_json([one.facts() for one in found])
        return
    for one in found:
        data(one.line())
    if not found:
        say("Nobody waits. `mau invite` makes a link for somebody.")
    else:
        say("`mau requests accept FPR` takes somebody as a friend, `decline FPR` does not.")


def _go_through(session: Session, found: Sequence[Asked]) -> None:
    from mau_cli.asking import press, take_as_friend, turn_away

    if not found:
        say("Nobody waits. `mau invite` makes a link for somebody.")
        return
    for number, one in enumerate(found, start=1):
        say(f"{number} of {len(found)}:", bold=True)
        one.say()
        answer = press("Take them as a friend? [y]es, [n]o, [l]ater: ", {"y": "yes", "n": "no", "l": "later"})
        if answer == "y":
            take_as_friend(session, one, None, ())
        elif answer == "n":
            turn_away(session, one)


def _find(found: Sequence[Asked], who: str) -> Asked:
    """Whom a word means: the fingerprint, its words or its beginning. What somebody claims names nobody."""
    from mau.keyring import full_fingerprint

    whole = full_fingerprint(who)
    start = who.strip().lower().removeprefix("0x").replace(" ", "")
    fits = [
        one
        for one in found
        if (one.guest == whole if whole else len(start) >= _FEW and one.guest.hex.startswith(start))
    ]
    if len(fits) > 1:
        raise AmbiguousWho(f"{who!r:.60} begins {len(fits)} fingerprints that wait; say more of it")
    if not fits:
        raise UnknownWho(
            f"nobody waits whose fingerprint begins like {who!r:.60}; `mau requests list` shows who does"
        )
    return fits[0]
