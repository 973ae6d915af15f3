"""`mau publish`: a draft, or each finished file of a folder, becomes a post."""

from __future__ import annotations

import contextlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mau.errors import PageMalformed, UsageError
from mau_cli.attaching import Attaching, attach_options, attached_media
from mau_cli.audience import audience_options, choose_audience
from mau_cli.context import Session
from mau_cli.output import say
from mau_cli.writing import audience_of_written, referring, with_attached

if TYPE_CHECKING:
    from mau.publish import Published
    from mau.writing.composing import Form
    from mau.writing.drafts import Draft, DraftText
    from mau.writing.publishing import Source


@click.command("publish")
@click.argument("name", metavar="[NAME]", required=False)
@audience_options
@attach_options
@click.option("--name", "post_name", metavar="NAME", help="The name to post under.")
@click.option("--keep", is_flag=True, help="Keep the draft.")
@click.option(
    "--watch",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Publish each finished file of this folder that names an audience, until Ctrl-C.",
)
@click.option("--once", is_flag=True, help="With --watch: what is there now, and then end.")
@click.option("--json", "as_json", is_flag=True, help="Show what was stored as JSON.")
@click.pass_obj
def command(
    session: Session,
    name: str | None,
    to: tuple[str, ...],
    friends: bool,
    me: bool,
    public: bool,
    post_name: str | None,
    keep: bool,
    folder: Path | None,
    once: bool,
    as_json: bool,
    attaching: Attaching,
) -> None:
    """Publish your draft NAME; a path such as ./NAME.md publishes that file, and - what stands on stdin.

    For whom stands in the draft (`for: bob, @family`), or is said with --to, --friends, --me or --public; the
    options count first. The draft goes when the post is stored, unless --keep; a file elsewhere always stays.

    With --watch, each file NAME.md or NAME.json of DIR that says itself for whom it is becomes a post when it
    is finished, and is moved to DIR/published. Whatever names no audience is left alone and told on stderr.
    """
    if folder is not None:
        if name or to or friends or me or public or post_name or keep or attaching:
            raise UsageError("with --watch each file says for itself what becomes of it")
        from mau_cli.folder import FolderRun

        FolderRun(session, folder, as_json=as_json).run(once=once)
        return
    if name is None or once:
        raise UsageError("which draft? `mau drafts` lists them; --watch DIR takes a folder")
    from mau_cli.published import tell

    with contextlib.ExitStack() as stack:
        publishing = _Publishing(session, name, stack, keep=keep)
        done = publishing.run(attaching, post_name, to=to, friends=friends, me=me, public=public)
    if done is not None:
        tell(session.keyring(), done, as_json=as_json)


class _Publishing:
    """One draft, which stays locked until `stack` ends, or one text from elsewhere, on its way to a post."""

    def __init__(self, session: Session, name: str, stack: contextlib.ExitStack, *, keep: bool) -> None:
        self._session = session
        self._account = session.account()
        self._draft: tuple[Draft, DraftText] | None = None
        elsewhere = name == "-" or "/" in name
        self._keep = keep or elsewhere
        self._source = self._elsewhere(name) if elsewhere else self._own(name, stack)

    def _own(self, name: str, stack: contextlib.ExitStack) -> Source:
        from mau.writing.drafts import draft_path, find_draft, locked_draft, read_draft
        from mau.writing.publishing import Source

        draft = find_draft(self._account, name)
        if draft.change_of:
            raise UsageError(f"that is a change of a post; `mau edit {draft.change_of}` goes on with it")
        stack.enter_context(locked_draft(self._account, draft))
        text = read_draft(self._account, draft)
        self._draft = draft, text
        form: Form = "json" if draft.form == "json" else "md"
        return Source(draft_path(self._account, draft), text.text, form, text.sha256)

    @staticmethod
    def _elsewhere(name: str) -> Source:
        from mau.tree import safe
        from mau.writing.folder import MAX_FILE
        from mau.writing.publishing import Source

        path = Path(name)
        if name == "-":
            data = sys.stdin.buffer.read(MAX_FILE)
            return Source.of(Path("stdin.json" if data.lstrip().startswith(b"{") else "stdin.md"), data)
        return Source.of(path, safe.read_bytes(path, MAX_FILE))

    def run(
        self,
        attaching: Attaching,
        name: str | None,
        *,
        to: tuple[str, ...],
        friends: bool,
        me: bool,
        public: bool,
    ) -> Published | None:
        from mau.content.binding import PUBLIC
        from mau.writing.publishing import publish_source

        session, source, keyring = self._session, self._source, self._session.keyring()
        try:
            written = source.read(self._account, referring(session))
        except PageMalformed as error:
            raise PageMalformed(f"{source.path.name}: {error}") from None
        said = bool(to or friends or me or public)
        audience = None if said else audience_of_written(keyring, written)
        if audience is None:
            audience = choose_audience(session, to=to, friends=friends, me=me, public=public)
        files = with_attached(attaching, written.attach, source.path.parent)
        done = publish_source(
            self._account,
            keyring,
            source,
            written,
            audience,
            datetime.now(UTC),
            name=name,
            words=self._stem() if audience is PUBLIC else "",
            once=not self._keep,
            attaching=lambda people: attached_media(session, files, people),
        )
        self._put_away()
        if done is None:
            say("It was published before; only the draft was left.")
        return done

    def _stem(self) -> str:
        """What a draft is called becomes the name of a public post, unless nobody chose it."""
        return "" if self._draft is None or self._draft[0].kept else self._draft[0].name

    def _put_away(self) -> None:
        """The post is stored: the draft goes, and so does what was noted of it."""
        from mau.writing.drafts import is_unchanged
        from mau.writing.publishing import put_away

        if self._keep or self._draft is None:
            return
        if is_unchanged(self._account, *self._draft):
            put_away(self._source.path)
            return
        # What was noted stays, too: published again, it becomes another content of that post.
        say(f"The draft {self._draft[0].file} was changed meanwhile, so it stays.")
