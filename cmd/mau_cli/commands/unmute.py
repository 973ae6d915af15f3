"""`mau unmute`: show it again."""

from __future__ import annotations

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import clean, say


@click.command("unmute")
@click.argument("what", metavar="WHO|#TAG|REF", required=False)
@click.option("--words", metavar="TEXT", help="These words.")
@click.option("--tag", metavar="TAG", help="This tag.")
@click.option("--all", "everything", is_flag=True, help="All that is muted.")
@click.pass_obj
def command(session: Session, what: str | None, words: str | None, tag: str | None, everything: bool) -> None:
    """Show again what `mau mute` hid."""
    from mau.marks import subject as subjects
    from mau_cli.marking import loaded_marks
    from mau_cli.muting import meant_subject, subject_words
    from mau_cli.people import suspect_keyring

    if sum((what is not None, words is not None, tag is not None, everything)) != 1:
        raise UsageError("what is to be shown again? Say WHO, '#TAG', REF, --words or --all; one of them")
    keyring, marks = suspect_keyring(session), loaded_marks(session)
    if everything:
        meant = [one.subject for one in marks.holding("mute")]
    elif words is not None:
        meant = [subjects.words(words)]
    elif tag is not None:
        meant = [subjects.tag(tag)]
    else:
        meant = [meant_subject(session, keyring, what or "")]
    for subject in meant:
        changed = marks.decide("mute", subject, on=False)
        name = clean(subject_words(keyring, subject))
        say(f"Not muted any more: {name}." if changed else f"It was not muted: {name}.")
    if not meant:
        say("Nothing is muted.")
