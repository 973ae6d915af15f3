"""`mau new`: a post of any type, written in one's own editor."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mau.errors import UsageError
from mau_cli.attaching import Attaching, attach_options, attached_media
from mau_cli.audience import audience_options, choose_audience
from mau_cli.context import Session
from mau_cli.output import data, emit_json, say
from mau_cli.writing import Desk, audience_of_written, insecure_option, option_words, with_attached

if TYPE_CHECKING:
    from mau.content.binding import Audience
    from mau.content.kinds import Kind
    from mau.publish import Published
    from mau.writing.composing import Form, Written

_SHORT = {
    "post": "SocialMediaPosting",
    "image": "ImageObject",
    "video": "VideoObject",
    "audio": "AudioObject",
}
_TYPE = re.compile(r"[A-Z][A-Za-z0-9]{0,79}")


@click.command("new")
@click.argument("type_name", metavar="[TYPE]", required=False, default="SocialMediaPosting")
@audience_options
@attach_options
@click.option("--name", metavar="NAME", help="The name to post under; a held post of that name is replaced.")
@click.option("--raw", is_flag=True, help="Write the document itself, in JSON.")
@click.option("--draft", is_flag=True, help="Do not publish it: store it as a draft.")
@click.option("--template", "show", is_flag=True, help="Only print the page to begin with.")
@insecure_option
@click.option("--json", "as_json", is_flag=True, help="Show what was stored as JSON.")
@click.pass_obj
def command(
    session: Session,
    type_name: str,
    to: tuple[str, ...],
    friends: bool,
    me: bool,
    public: bool,
    name: str | None,
    raw: bool,
    draft: bool,
    show: bool,
    insecure: bool,
    as_json: bool,
    attaching: Attaching,
) -> None:
    """Write a post of TYPE (Recipe, Event, Article, ...) in your editor, and publish it.

    The editor is $MAU_EDITOR, $VISUAL or $EDITOR. It is given a page: words such as the title and for whom it
    is between two lines ---, and the text below them, in Markdown. A page that is left as it is publishes
    nothing. What the options say stands in the page already and can be changed there.
    """
    from mau.writing.audiences import audience_named

    kind, type_name = _kind(type_name)
    words = option_words(to=to, friends=friends, me=me, public=public)
    start = _start(kind, type_name, {"for": words or _usual(session), "name": name}, raw=raw)
    if show:
        data(start.removesuffix("\n"))
        return
    account, keyring = session.account(), session.keyring()
    audience_given = audience_named(keyring, words) if words else None
    now = datetime.now(UTC)
    form: Form = "json" if raw else "md"

    from mau.tree.names import random_name
    from mau.writing.composing import read_written, says_nothing
    from mau.writing.drafts import keep_text, write_draft

    def read(text: str) -> tuple[Written, Audience | None, str]:
        if draft:  # whatever stands in it, it may be finished later
            return _unread(), None, text
        written = read_written(text, form, account.fingerprint, kind)
        return written, audience_of_written(keyring, written), text

    kept = random_name(now)
    desk = Desk(session, lambda text: keep_text(account, kept, form, text), insecure=insecure)
    with desk.keeping():
        made = desk.write(start, f".{form}", read, empty=lambda text: says_nothing(text, form, start))
        if made is None:
            return
        written, audience, text = made
        if draft:
            stored = write_draft(account, name or random_name(now), form, text)
            desk.done()
            say(f"Stored the draft {stored.file}; `mau publish {stored.name}` makes a post of it.")
            if as_json:
                emit_json({"draft": stored.name, "file": stored.file})
            else:
                data(stored.name)
            return
        if audience is None:
            audience = audience_given if raw and audience_given is not None else None
        if audience is None:
            audience = choose_audience(session, to=(), friends=False, me=False, public=False)
        done = _publish(session, written, audience, attaching, now)
        desk.done()
    from mau_cli.published import tell

    tell(keyring, done, as_json=as_json)


def _usual(session: Session) -> list[str]:
    """For whom posts are by the setting post.audience: it is shown before it counts."""
    from mau.config.keys import POST_AUDIENCE

    return list(session.config.setting(POST_AUDIENCE).value or ())


def _kind(word: str) -> tuple[Kind, str]:
    """The type that a word means, whatever the case of its letters; any other that can be the name of one."""
    from mau.content.kinds import KINDS, THING, kind_of

    name = next((one for one in KINDS if one.lower() == word.lower()), _SHORT.get(word.lower(), word))
    if name in KINDS:
        return KINDS[name], name
    if not _TYPE.fullmatch(name):
        raise UsageError(f"{word!r} is no type; there are templates for: {', '.join(KINDS)}")
    kind = kind_of({"@type": name})
    if kind is THING:
        say(f"There is no template for {name}; it gets the words that everything has.")
    return kind, name


def _start(kind: Kind, type_name: str, envelope: dict[str, Any], *, raw: bool) -> str:
    from mau.content.templates import raw_template, template

    return raw_template(kind, type_name) if raw else template(kind, type_name=type_name, envelope=envelope)


def _unread() -> Written:
    from mau.writing.composing import Written

    return Written({})


def _publish(
    session: Session, written: Written, audience: Audience, attaching: Attaching, now: datetime
) -> Published:
    from mau.attachments import with_media
    from mau.publish import choose_name
    from mau.writing.composing import stamped, title_words
    from mau.writing.revising import publish_any

    account = session.account()
    chosen = choose_name(
        account,
        audience,
        given=written.name or None,
        words=title_words(written.document),
        suffix=".json",
        now=now,
    )
    document = stamped(written.document, account.fingerprint, now)
    with attached_media(session, with_attached(attaching, written.attach, Path.cwd()), audience) as media:
        return publish_any(account, session.keyring(), with_media(document, media), chosen, audience)
