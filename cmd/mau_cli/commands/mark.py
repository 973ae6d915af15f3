"""`mau mark`: what counts as read."""

from __future__ import annotations

from datetime import datetime

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import say


@click.command("mark")
@click.argument("refs", metavar="REF...", nargs=-1)
@click.option("--read/--unread", "read", default=True, help="Read (so it is without a word), or not.")
@click.option("--all", "everything", is_flag=True, help="Everything that there is now.")
@click.option(
    "--until",
    metavar="TIME",
    help="Everything signed until then: 2h (ago), 3d, or a date such as 2026-11-20.",
)
@click.option("--from", "who", metavar="WHO", multiple=True, help="Of --all and --until only what WHO wrote.")
@click.pass_obj
def command(
    session: Session,
    refs: tuple[str, ...],
    read: bool,
    everything: bool,
    until: str | None,
    who: tuple[str, ...],
) -> None:
    """Mark posts as read or unread, for `mau timeline --unread`. Nobody else learns of it.

    REF is WHO/NAME, an address, or the beginning of a name. `mau open` and `mau thread` mark what they show,
    unless the setting reader.mark_read says no. A post that is edited later is unread again.
    """
    from mau_cli.marking import loaded_marks

    if sum((bool(refs), everything, until is not None)) != 1:
        raise UsageError("which posts? Say REF..., --all or --until TIME; one of them")
    if who and refs:
        raise UsageError("--from goes with --all and --until")
    if refs:
        _mark_some(session, refs, read=read)
        return
    if read:
        _mark_all(session, until, who)
        return
    if until is not None or who:
        raise UsageError("--unread goes with REF... or with --all alone")
    loaded_marks(session).mark_all_unread()
    say("Nothing counts as read any more.")


def _mark_all(session: Session, until: str | None, who: tuple[str, ...]) -> None:
    """Of each author up to the newest post that is held: what arrives later is unread, however old it is."""
    from mau.reader.reading import Reading
    from mau_cli.commands.watch import parse_since
    from mau_cli.marking import loaded_marks

    account, keyring = session.account(), session.keyring()
    end = None if until is None else int(parse_since(until, datetime.now().astimezone()))
    authors = [keyring.resolve_fingerprint(word) for word in who] or session.root.follows(account.fingerprint)
    ends = {}
    with Reading(account, keyring) as reading:
        reading.refresh()
        for author in authors:
            newest = next(reading.newest([author]), None)
            if newest is not None:
                ends[author] = newest.time if end is None else min(newest.time, end)
    loaded_marks(session).mark_read_until(ends)
    say("Everything is marked as read." if end is None else "Everything until then is marked as read.")


def _mark_some(session: Session, refs: tuple[str, ...], *, read: bool) -> None:
    from mau.reader.looking import look
    from mau_cli.marking import loaded_marks
    from mau_cli.posts import resolve_ref

    keyring = session.keyring()
    found = []
    for ref in dict.fromkeys(refs):
        meant = resolve_ref(session, keyring, ref)
        found.append(look(session.account(), keyring, meant.directory, meant.name).summary)
    marks = loaded_marks(session)
    if read:
        marks.mark_read(found)
    else:
        marks.mark_unread(found)
    own = sum(one.author == session.account().fingerprint for one in found)
    others = len(found) - own
    if others:
        say(f"Marked as {'read' if read else 'unread'}: {others} post{'s' * (others > 1)}.")
    if own:
        say("What you wrote yourself always counts as read.")
