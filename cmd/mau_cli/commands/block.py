"""`mau block`: have nothing to do with somebody."""

from __future__ import annotations

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import clean, emit_json, say, table


@click.command("block")
@click.argument("who", required=False)
@click.option("--json", "as_json", is_flag=True, help="List as JSON.")
@click.pass_obj
def command(session: Session, who: str | None, as_json: bool) -> None:
    """Refuse WHO; without WHO, list who is refused.

    \b
    From then on
      your server gives that person nothing, not even what is public, and passes nothing on;
      nothing of that person is fetched or shown, and no invite counts for that person;
      what you post for @groups and --friends leaves that person out.

    What was fetched before stays where it is, there and here; public posts can still be read without saying
    who one is. A friend stays a friend in your keyring, so `mau unblock` brings everything back; `mau friend
    remove` ends that, too. The person is not told, but may notice. Only you can read who is blocked.
    """
    from mau.marks import subject as subjects
    from mau_cli.audience import called
    from mau_cli.marking import loaded_marks
    from mau_cli.people import suspect_keyring

    if who is None:
        _list(session, as_json=as_json)
        return
    keyring = suspect_keyring(session)
    fingerprint = keyring.resolve_fingerprint(who)
    if fingerprint == keyring.me.fingerprint:
        raise UsageError("that is you")
    changed = loaded_marks(session).decide("block", subjects.person(fingerprint))
    name = clean(called(keyring, fingerprint))
    say(f"{name} is blocked." if changed else f"{name} is blocked already.")
    if changed and keyring.is_friend(fingerprint):
        say(f"{name} stays your friend here, and gets nothing meanwhile; `mau friend remove` ends that, too.")


def _list(session: Session, *, as_json: bool) -> None:
    from mau_cli.marking import loaded_marks
    from mau_cli.muting import decision_facts, subject_words
    from mau_cli.people import moment, suspect_keyring

    keyring = suspect_keyring(session)
    blocked = loaded_marks(session).holding("block")
    if as_json:
        emit_json([decision_facts(keyring, one) for one in blocked])
        return
    table(
        [(subject_words(keyring, one.subject), one.subject.value, moment(one.at)) for one in blocked],
        ("blocked", "fingerprint", "since"),
    )
    if not blocked:
        say("Nobody is blocked.")
