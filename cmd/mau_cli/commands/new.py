"""`mau new`: a post of any type, written in one's own editor."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mau.errors import UsageError
from mau_cli.attaching import Attaching, attach_options, attached_media
from mau_cli.audience import audience_options, choose_audience
from mau_cli.context import Session
from mau_cli.output import data, say
from mau_cli.writing import (
    Desk,
    audience_of_written,
    insecure_option,
    option_words,
    referring,
    tell_draft,
    with_attached,
)

if TYPE_CHECKING:
    from mau.content.binding import Audience
    from mau.content.kinds import Kind
    from mau.publish import Published
    from mau.writing.composing import Form, Written
    from mau.writing.drafts import Draft

T = TypeVar("T")
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
    kind, type_name = _kind(type_name)
    words = option_words(to=to, friends=friends, me=me, public=public)
    start = _start(kind, type_name, {"for": words or _usual(session), "name": name}, raw=raw)
    if show:
        data(start.removesuffix("\n"))
        return
    writing = _Writing(session, start, "json" if raw else "md", insecure=insecure)
    if draft:
        if attaching:
            raise UsageError("a draft says itself what belongs to it, as in `attach: [photo.jpg]`")
        stored = writing.draft(name)
        if stored is not None:
            tell_draft(stored, as_json=as_json)
        return
    done = writing.post(kind, words, name if raw else None, attaching)
    if done is not None:
        from mau_cli.published import tell

        tell(session.keyring(), done, as_json=as_json)


class _Writing:
    """A page from the editor to a post or a draft."""

    def __init__(self, session: Session, start: str, form: Form, *, insecure: bool) -> None:
        from mau.tree.names import random_name
        from mau.writing.drafts import keep_text

        self._session = session
        self._account, self._keyring = session.account(), session.keyring()
        self._start = start
        self._form = form
        self._now = datetime.now(UTC)
        name = random_name(self._now)
        self._desk = Desk(session, lambda text: keep_text(self._account, name, form, text), insecure=insecure)

    def _write(self, read: Callable[[str], T]) -> T | None:
        from mau.writing.composing import says_nothing

        form, start = self._form, self._start
        return self._desk.write(start, f".{form}", read, empty=lambda text: says_nothing(text, form, start))

    def draft(self, name: str | None) -> Draft | None:
        """Store what is written, right or not; None when that is nothing."""
        from mau.tree.names import random_name
        from mau.writing.drafts import write_draft

        with self._desk.keeping():
            text = self._write(str)
            if text is None:
                return None
            stored = write_draft(self._account, name or random_name(self._now), self._form, text)
            self._desk.done()
        return stored

    def post(self, kind: Kind, words: list[str], name: str | None, attaching: Attaching) -> Published | None:
        """Publish what is written; None when that is nothing. A page says audience and name itself."""
        from mau.writing.audiences import audience_named
        from mau.writing.composing import read_written

        said = audience_named(self._keyring, words) if words else None

        def read(text: str) -> tuple[Written, Audience | None]:
            written = read_written(
                text, self._form, self._account.fingerprint, kind, refer=referring(self._session)
            )
            return written, audience_of_written(self._keyring, written)

        with self._desk.keeping():
            made = self._write(read)
            if made is None:
                return None
            written, audience = made
            if audience is None and self._form == "json":
                audience = said
            if audience is None:
                audience = choose_audience(self._session, to=(), friends=False, me=False, public=False)
            done = self._publish(written, audience, name, attaching)
            self._desk.done()
        return done

    def _publish(
        self, written: Written, audience: Audience, name: str | None, attaching: Attaching
    ) -> Published:
        from mau.attachments import with_media
        from mau.publish import choose_name
        from mau.writing.composing import stamped, title_words
        from mau.writing.revising import publish_any

        chosen = choose_name(
            self._account,
            audience,
            given=written.name or name,
            words=title_words(written.document),
            suffix=".json",
            now=self._now,
        )
        document = stamped(written.document, self._account.fingerprint, self._now)
        files = with_attached(attaching, written.attach, Path.cwd())
        with attached_media(self._session, files, audience) as media:
            return publish_any(self._account, self._keyring, with_media(document, media), chosen, audience)


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
