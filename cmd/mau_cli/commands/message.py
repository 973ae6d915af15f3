"""`mau message`: a text to one person or some, that says whom it is for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mau.errors import MauError, UsageError
from mau_cli.attaching import attach_options, attached_media
from mau_cli.context import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mau.keyring import Keyring
    from mau_cli.attaching import Attaching


@click.command("message")
@click.argument("words", nargs=-1, required=True, metavar="WHO... [TEXT]")
@click.option("-m", "--text", metavar="TEXT", help="The text; every other word is somebody then.")
@attach_options
@click.option("--json", "as_json", is_flag=True, help="Show what was stored as JSON.")
@click.pass_obj
def command(
    session: Session, words: tuple[str, ...], text: str | None, attaching: Attaching, as_json: bool
) -> None:
    """Write to WHO, or to several and to @groups at once.

    The last word is the TEXT, unless somebody is called so; without one you write it in your editor, or it
    stands on stdin, as with -.
    `mau reply` answers a message to all of those who have it.
    """
    from mau.content.binding import audience_of
    from mau.conversation.compose import message
    from mau.publish import choose_name, publish_document
    from mau_cli.deriving import text_given
    from mau_cli.published import tell

    account, keyring = session.account(), session.keyring()
    people, given = split_words(keyring, words, text)
    whom = audience_of(account.fingerprint, [one.fingerprint for one in keyring.audience(people)])
    if whom == {account.fingerprint}:
        raise UsageError("a message is for somebody; `mau post --me` keeps a note for yourself")
    with text_given(session, given) as written, attached_media(session, attaching, whom) as media:
        now = datetime.now(UTC)
        document = message(account.fingerprint, whom, written, now, media=media)
        name = choose_name(account, whom, suffix=".json", now=now)
        done = publish_document(account, keyring, document, name, whom)
    tell(keyring, done, as_json=as_json)


def split_words(keyring: Keyring, words: Sequence[str], text: str | None) -> tuple[Sequence[str], str | None]:
    """(who, text): the last word is the text when it is not the only one and names nobody."""
    if text is not None or len(words) == 1:
        return words, text
    *people, last = words
    if last != "-":
        try:
            keyring.audience([last])
        except MauError:
            pass
        else:
            return words, None
    return people, last
