"""`mau mute`: whom and what I do not want to see for a while, or any more."""

from __future__ import annotations

import time

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import clean, emit_json, say, table


@click.command("mute")
@click.argument("what", metavar="WHO|#TAG|REF", required=False)
@click.option("--words", metavar="TEXT", help="Posts with these words, together and in this order.")
@click.option("--tag", metavar="TAG", help="Posts with this tag; as '#TAG', which a shell wants quoted.")
@click.option("--for", "length", metavar="TIME", help="Only so long: 8h, 3d.")
@click.option("--json", "as_json", is_flag=True, help="List as JSON.")
@click.pass_obj
def command(
    session: Session, what: str | None, words: str | None, tag: str | None, length: str | None, as_json: bool
) -> None:
    """Hide somebody, a tag, a thread (a post and its answers) or words; without them, list what is muted.

    What is muted is in no timeline, and `mau watch` does not tell of it; `mau open` and `mau thread` show it
    all the same, and it is fetched as before. Nobody learns of it: only you can read the file it stands in.
    """
    from mau.duration import parse_duration
    from mau.marks import subject as subjects
    from mau_cli.marking import loaded_marks
    from mau_cli.muting import meant_subject, subject_words
    from mau_cli.people import moment, suspect_keyring

    given = [one for one in (what, words, tag) if one is not None]
    if not given:
        if length is not None:
            raise UsageError("what is to be muted? Say WHO, '#TAG', REF or --words")
        list_muted(session, as_json=as_json)
        return
    if len(given) > 1:
        raise UsageError("one at a time: WHO, '#TAG', REF or --words")
    until = None if length is None else int(time.time()) + parse_duration(length)
    keyring = suspect_keyring(session)
    if words is not None:
        subject = subjects.words(words)
    elif tag is not None:
        subject = subjects.tag(tag)
    else:
        subject = meant_subject(session, keyring, given[0])
    changed = loaded_marks(session).decide("mute", subject, until=until)
    name = clean(subject_words(keyring, subject))
    end = "" if until is None else f" until {moment(until)}"
    say(f"Muted: {name}{end}." if changed else f"Muted already: {name}.")


def list_muted(session: Session, *, as_json: bool) -> None:
    """Print what is muted now."""
    from mau_cli.marking import loaded_marks
    from mau_cli.muting import decision_facts, subject_words
    from mau_cli.people import moment, suspect_keyring

    keyring = suspect_keyring(session)
    muted = loaded_marks(session).holding("mute")
    if as_json:
        emit_json([decision_facts(keyring, one) for one in muted])
        return
    table(
        [(subject_words(keyring, one.subject), moment(one.at), moment(one.until) or "") for one in muted],
        ("muted", "since", "until"),
    )
    if not muted:
        say("Nothing is muted.")
