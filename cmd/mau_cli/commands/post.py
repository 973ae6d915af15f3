"""`mau post`: a text, as a document that says where it belongs and for whom it is."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from mau.errors import UsageError
from mau_cli.attaching import Attaching, attach_options, attached_media
from mau_cli.audience import audience_options, choose_audience
from mau_cli.context import Session
from mau_cli.output import say

_MAX_TEXT = 1 << 20  # bytes


@click.command("post")
@click.argument("text", required=False)
@audience_options
@attach_options
@click.option("--name", metavar="NAME", help="The name to post under; a held post of that name is replaced.")
@click.option("--json", "as_json", is_flag=True, help="Show what was stored as JSON.")
@click.pass_obj
def command(
    session: Session,
    text: str | None,
    to: tuple[str, ...],
    friends: bool,
    me: bool,
    public: bool,
    name: str | None,
    as_json: bool,
    attaching: Attaching,
) -> None:
    """Post TEXT, or what stands on stdin when TEXT is - or missing; with --attach, files that belong to it.

    For whom is always said: --to, --friends, --me or --public. Otherwise the setting
    post.audience says it, or it asks, on a terminal. Posting under a name that is taken keeps the old content
    as a version. Pictures lose what they say about place, time and camera, unless --keep-metadata.
    """
    from mau.attachments import with_media
    from mau.content.posting import compose_posting
    from mau.publish import choose_name, publish_document
    from mau_cli.published import tell

    audience = choose_audience(session, to=to, friends=friends, me=me, public=public)
    account, keyring = session.account(), session.keyring()
    words = _read_text(session) if text is None or text == "-" else text
    if not words.strip() and not attaching:
        raise UsageError("there is nothing in it to post")
    now = datetime.now(UTC)
    chosen = choose_name(account, audience, given=name, words=words, suffix=".json", now=now)
    document = compose_posting(account.fingerprint, words, now)
    with attached_media(session, attaching, audience) as media:
        done = publish_document(account, keyring, with_media(document, media), chosen, audience)
    tell(keyring, done, as_json=as_json)


def _read_text(session: Session) -> str:
    if session.interactive:
        say("Write the text; Ctrl-D on a line of its own ends it.")
    data = sys.stdin.buffer.read(_MAX_TEXT + 1)
    if len(data) > _MAX_TEXT:
        raise UsageError("a text has at most 1 MiB; `mau share` takes any file")
    try:
        return data.decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise UsageError("that is no text in UTF-8; `mau share` takes any file") from None
