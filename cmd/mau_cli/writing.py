"""Writing at the terminal: the editor, once more when something is wrong, and nothing is ever lost."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from mau.errors import EditorFailed, EditorInterrupted, Interrupted, MauError, NoPrivatePlace
from mau_cli.output import clean, data, emit_json, say

if TYPE_CHECKING:
    from mau.content.binding import Audience
    from mau.conversation.audience import LeftOut
    from mau.keyring import Keyring
    from mau.writing.composing import Written
    from mau.writing.drafts import Draft, DraftText
    from mau_cli.attaching import Attaching
    from mau_cli.context import Session

T = TypeVar("T")
Keep = Callable[[bytes], "Draft"]


def insecure_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--insecure-tmp``: where there is no place in memory, edit in a file on the disk."""
    option = click.option(
        "--insecure-tmp",
        "insecure",
        is_flag=True,
        help="Where there is no place in memory for it, let the editor have a file on the disk.",
    )
    made: Callable[..., Any] = option(command)
    return made


class Desk:
    """One text, from the editor to where it is published; `keep` gets it when it does not come there."""

    def __init__(self, session: Session, keep: Keep, *, insecure: bool) -> None:
        self._session = session
        self._keep = keep
        self._insecure = insecure
        self._written: bytes | None = None

    def write(
        self,
        start: str,
        suffix: str,
        read: Callable[[str], T],
        *,
        empty: Callable[[str], bool],
        begin: str | None = None,
        as_it_is: bool = False,
    ) -> T | None:
        """What `read` makes of the text that somebody wrote; None when he wrote nothing.

        On a terminal the editor is opened again for as long as something is wrong with it. `begin`: a text
        that was kept, to go on with instead of `start`. `as_it_is`: something else was asked for, and a text
        that is left as it is can be published for that.
        """
        from mau.writing.private import left_texts

        for path in left_texts():
            say(f"What was being edited when a program was killed is in {path}; take it, or remove it.")
        text = start if begin is None else begin
        while True:
            edited = self._edit(text, suffix)
            if edited is None and text == start and not self._published_as_it_is(as_it_is):
                say("Nothing was changed, so nothing is published.")
                return None
            text = text if edited is None else edited
            if empty(text):
                say("There is nothing new in it, so nothing is published.")
                return None
            self._written = text.encode("utf-8", "replace")
            try:
                return read(text)
            except MauError as error:
                if not self._session.interactive:
                    raise
                say(f"{error}")
                if not click.confirm("Edit it again?", default=True, err=True):
                    raise

    def _published_as_it_is(self, as_it_is: bool) -> bool:
        if not as_it_is or not self._session.interactive:
            return as_it_is
        return click.confirm("The text is as it was. Publish it all the same?", default=True, err=True)

    def _edit(self, text: str, suffix: str) -> str | None:
        from mau.writing.editor import edit_text

        try:
            return edit_text(text, suffix, insecure=self._insecure)
        except NoPrivatePlace:
            if not self._session.interactive:
                raise
            say("There is no place in memory for a text that nobody else may read.")
            self._insecure = click.confirm("Edit it in a file on the disk?", default=False, err=True)
            if not self._insecure:
                raise
            return self._edit(text, suffix)
        except (EditorFailed, EditorInterrupted) as error:
            self._written = error.written if error.written is not None else self._written
            raise

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Within the block nothing that was written is lost: whatever ends it, the text is kept before."""
        with _told_to_end():
            try:
                yield
            except BaseException:
                self.keep()
                raise

    def keep(self) -> None:
        """Keep what was written, encrypted, and say where."""
        if self._written is None:
            return
        try:
            draft = self._keep(self._written)
        except Exception:  # a full disk, for example
            from mau.writing.private import leave_behind

            say(f"Your text is in {leave_behind(self._written)} until this machine is switched off.")
            raise
        finally:
            self._written = None
        name = draft.change_of or draft.name
        on = "" if draft.change_of else f", and `mau publish {name}` makes a post of it"
        say(f"Your text is kept, encrypted for you alone, as the draft {draft.file}.")
        say(f"`mau edit {name}` goes on with it{on}.")

    def done(self) -> None:
        """It is published: there is nothing to be kept any more."""
        self._written = None


@contextmanager
def _told_to_end() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end this like Ctrl-C."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Interrupted("interrupted")

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def audience_of_written(keyring: Keyring, written: Written) -> Audience | None:
    """For whom a page or a raw document says that it is; None when it does not say."""
    from mau.writing.audiences import audience_named

    for note in written.notes:
        say(note)
    return audience_named(keyring, written.audience) if written.audience else written.stated


def referring(session: Session) -> Callable[[str], str]:
    """What makes an address of a reference to a post, as short as it may be (spec/conversations.md)."""
    from mau_cli.posts import resolve_address

    return lambda ref: str(resolve_address(session, session.keyring(), ref))


def option_words(*, to: tuple[str, ...], friends: bool, me: bool, public: bool) -> list[str]:
    """The options of `audience_options` as the words of a page."""
    from mau.writing.audiences import EVERYBODY, FRIENDS, ME

    flags = ((friends, FRIENDS), (me and not (to or friends), ME), (public, EVERYBODY))
    return [*to, *(word for said, word in flags if said)]


def with_attached(attaching: Attaching, paths: tuple[str, ...], beside: Path) -> Attaching:
    """What the options say to attach, and what a page says, seen from the directory `beside`."""
    return replace(attaching, files=(*attaching.files, *(beside / path for path in paths)))


def say_left_out(keyring: Keyring, left_out: Sequence[LeftOut]) -> str:
    """Name those who could read a post and cannot be written to any more; what was said."""
    from mau_cli.audience import called

    if not left_out:
        return ""
    said = []
    for words, whom in (
        ("nothing can be encrypted for them now", [one for one in left_out if one.why != "blocked"]),
        ("you blocked them", [one for one in left_out if one.why == "blocked"]),
    ):
        names = sorted((clean(called(keyring, one.fingerprint)) for one in whom), key=str.casefold)
        if names:
            said.append(f"Left out, because {words}: {', '.join(names)}.")
    for words in said:
        say(words)
    return " ".join(said)


def kept_text(session: Session, name: str, form: str) -> tuple[Draft, DraftText] | None:
    """A text that was kept when it could not be published, if somebody wants to go on with it."""
    from mau.writing.drafts import kept_of, read_draft

    account = session.account()
    for draft in kept_of(account, name, form):
        if not session.interactive:
            say(f"There is a text of yours that was not published: the draft {draft.file}.")
        elif click.confirm(f"Go on with {draft.file}, which was not published?", default=True, err=True):
            return draft, read_draft(account, draft)
    return None


def tell_draft(draft: Draft, *, as_json: bool) -> None:
    """A draft that was stored: its name, or both of its names as JSON, on stdout."""
    say(f"Stored the draft {draft.file}; `mau publish {draft.name}` makes a post of it.")
    if as_json:
        emit_json({"draft": draft.name, "file": draft.file})
    else:
        data(draft.name)
