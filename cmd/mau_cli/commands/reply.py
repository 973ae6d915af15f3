"""`mau reply`: an answer to a post."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from mau_cli.attaching import attach_options, attached_media
from mau_cli.context import Session
from mau_cli.deriving import derived_options

if TYPE_CHECKING:
    from mau.content.binding import Audience
    from mau.conversation.compose import ReplyKind
    from mau.keyring import Keyring
    from mau_cli.attaching import Attaching
    from mau_cli.deriving import Original


@click.command("reply")
@click.argument("ref")
@click.argument("text", required=False)
@derived_options
@attach_options
@click.option("--name", metavar="NAME", help="The name to post under; a held post of that name is replaced.")
@click.option("--json", "as_json", is_flag=True, help="Show what was stored as JSON.")
@click.pass_obj
def command(
    session: Session,
    /,
    ref: str,
    text: str | None,
    name: str | None,
    as_json: bool,
    attaching: Attaching,
    **audience: Any,
) -> None:
    """Answer the post REF with TEXT; without it, with what you write in your editor, or what stands on stdin.

    The answer is for those who can read the post, as far as they are friends of yours and for its author; who
    is left out is named. Where the post is public it asks, or --to, --friends, --me or --public says it.
    REF is WHO/NAME, an address, or the beginning of anybody's NAME.
    """
    from mau.publish import choose_name, publish_document
    from mau_cli.deriving import choose_derived, find_original, text_given
    from mau_cli.published import tell

    account, keyring = session.account(), session.keyring()
    original = find_original(session, keyring, ref)
    whom = choose_derived(session, original, **audience)
    with (
        text_given(session, text, about=_quoted(keyring, original)) as words,
        attached_media(session, attaching, whom) as media,
    ):
        now = datetime.now(UTC)
        document = _document(keyring, original, words, whom, media, now)
        chosen = choose_name(account, whom, given=name, words=words, suffix=".json", now=now)
        done = publish_document(account, keyring, document, chosen, whom)
    tell(keyring, done, as_json=as_json)


def _document(
    keyring: Keyring,
    original: Original,
    text: str,
    whom: Audience,
    media: list[dict[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    """A message answers a message, an Answer a question, a Comment everything else."""
    from mau.content.links import word_of
    from mau.content.posting import type_of
    from mau.conversation.compose import comment, message

    me = keyring.me.fingerprint
    kind = word_of(type_of(original.post.document or {}))
    if kind == "Message" and isinstance(whom, frozenset) and whom != {me}:
        return message(me, whom, text, now, parent=original.reference, media=media)
    answer: ReplyKind = "Answer" if kind == "Question" else "Comment"
    return comment(me, original.reference, text, now, media=media, kind=answer)


def _quoted(keyring: Keyring, original: Original) -> str:
    """What the editor shows of what is answered."""
    from mau.content.posting import text_of
    from mau_cli.audience import called

    text = text_of(original.post.document or {})[:2000]
    return f"{called(keyring, original.post.author)} wrote:\n{text}"
