"""What `mau timeline` and `mau read` share: the options, what they ask for, and showing it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click

from mau.errors import MauError, UsageError
from mau_cli.context import Session
from mau_cli.output import emit_json_line, say

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.marks import Marks
    from mau.reader.algorithms import Algorithm
    from mau.reader.contents import Content
    from mau.reader.reading import Choice, Reading
    from mau.reader.summary import Summary
    from mau.reader.timeline import Ask, Line
    from mau_cli.pager import Page

    Opened = tuple[Line, Content | str | None]

_AT_ONCE = 50
_KEPT = 500
_PATIENCE = 10.0
"""Seconds that somebody at a terminal waits for posts that nobody has opened yet."""


def timeline_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of both commands."""
    for option in reversed(
        (
            click.option(
                "--limit",
                type=click.IntRange(min=1),
                default=20,
                show_default=True,
                help="So many of the first.",
            ),
            click.option("--all", "everything", is_flag=True, help="All there are."),
            click.option("--since", metavar="TIME", help="Signed since then: 2h, 3d, or a date."),
            click.option("--until", metavar="TIME", help="Signed before then."),
            click.option(
                "--from", "people", metavar="WHO", multiple=True, help="Only of WHO; may be repeated."
            ),
            click.option(
                "--group", "groups", metavar="GROUP", multiple=True, help="Only of members of GROUP."
            ),
            click.option(
                "--type", "types", metavar="TYPE", multiple=True, help="Only Article, Recipe, Event, ..."
            ),
            click.option("--tag", metavar="NAME", default="", help="Only with this tag."),
            click.option("--unread", is_flag=True, help="Only what you have not read."),
            click.option("--muted", is_flag=True, help="Also what is muted."),
            click.option(
                "--algorithm", metavar="NAME|FILE", help="What orders them (the setting reader.algorithm)."
            ),
            click.option("--explain", is_flag=True, help="Say of each why it stands where it stands."),
            click.option("--follow", is_flag=True, help="Go on, and show what comes, until Ctrl-C."),
            click.option("--wait", is_flag=True, help="Wait until everything was opened once."),
            click.option("--no-pager", is_flag=True, help="Show it without a pager."),
            click.option("--json", "as_json", is_flag=True, help="One JSON object in each line."),
        )
    ):
        command = option(command)
    return command


def show_timeline(session: Session, *, mark: bool, **words: Any) -> None:
    """Do what the options say; with `mark`, what was shown is read from then on."""
    from mau.marks import Marks
    from mau.reader.algorithms.loading import find
    from mau.reader.timeline import Timeline
    from mau_cli.marking import loaded_marks
    from mau_cli.people import suspect_keyring

    keyring = suspect_keyring(session)
    ask = _ask(keyring, **words)
    algorithm = find(words["algorithm"] or _setting(session), session.root)
    if words["follow"] and words["algorithm"] and algorithm.window:
        raise UsageError("--follow shows what comes as it comes; --algorithm orders what is there")
    marks = loaded_marks(session)
    as_json = words["as_json"]
    with _reading(session, keyring, wait=words["wait"] or words["everything"] or as_json) as reading:
        timeline = Timeline(reading, keyring, marks)
        show = _Showing(session, keyring, reading, explain=words["explain"], as_json=as_json)
        if words["follow"]:
            from mau_cli.timelinefollowing import follow

            def renewed() -> Timeline:
                with contextlib.suppress(MauError, OSError):  # what was read before holds until then
                    keyring.refresh()
                return Timeline(reading, keyring, Marks.load(session.account()))

            follow(show, reading, renewed, ask, _chronological(session), marks if mark else None)
            return
        shown: list[Summary] | None = [] if mark else None
        lines = show.unmuted(timeline.stream(ask, algorithm), None if ask.muted else marks)
        count = show.all(lines, shown, pager=not words["no_pager"])
        if not count and not as_json:
            say(_nothing(ask, reading))
        _say_left_out(reading.left_out)
        if reading.pending and not as_json:
            say(f"{reading.pending} were not opened yet; the next call goes on, --wait waits for all.")
    if shown is not None:
        _mark(marks, shown)


class _Showing:
    """Shows lines, in words or as JSON."""

    def __init__(
        self, session: Session, keyring: Keyring, reading: Reading, *, explain: bool, as_json: bool
    ) -> None:
        from mau_cli.display import languages_of
        from mau_cli.pictures import pictures_wanted

        self._session = session
        self._keyring = keyring
        self._reading = reading
        self._explain = explain
        self._as_json = as_json
        self._languages = languages_of(session)
        self._pictures = not as_json and pictures_wanted(session)
        self._shown = 0

    def unmuted(self, lines: Iterator[Line], marks: Marks | None) -> Iterator[Opened]:
        """The lines with their contents, without those in whose whole text something muted stands."""
        from mau.content.posting import text_of

        count = 0
        while some := list(islice(lines, _AT_ONCE)):
            # Of a long list the end would push out what is shown again and again.
            for line, post in zip(some, self._contents(some, keep=count < _KEPT), strict=True):
                document = None if post is None or isinstance(post, str) else post.document
                if marks is None or not document or not marks.muted(line.summary, text=text_of(document)):
                    yield line, post
            count += len(some)

    def all(self, opened: Iterator[Opened], shown: list[Summary] | None, *, pager: bool) -> int:
        """All of them, by a pager if that is wanted and somebody is there; how many were shown, and which."""
        from mau_cli.pager import page

        first = next(opened, None)
        if first is None:
            return 0
        count = 0
        with page(wanted=pager and not self._as_json) as place:
            for line, post in chain([first], opened):
                self.one(line, post, place)
                count += 1
                if shown is not None:
                    shown.append(line.summary)
        return count

    def one(self, line: Line, post: Content | str | None, place: Page) -> None:
        """One of them."""
        from mau_cli.items import columns, line_end, line_facts, line_lines, media_of

        if self._as_json:
            emit_json_line(line_facts(self._keyring, line, post))
            return
        if self._shown:
            place.text([""])
        self._shown += 1
        place.text(line_lines(self._keyring, line, post, languages=self._languages))
        for media in media_of(post):
            from mau_cli.pictures import media_lines

            indent = 4 * (line.depth + 1)
            drawn = media_lines(
                self._session,
                self._keyring,
                media,
                min(columns(), 200),
                small=True,
                indent=indent,
                paged=place.paged,
            )
            place.drawing(drawn)
        place.text(line_end(line, explain=self._explain))

    def _contents(self, lines: Sequence[Line], *, keep: bool) -> list[Content | str | None]:
        """What there is to read in them; words why not; None of what is too large for a list."""
        checked = [line.summary for line in lines if line.summary.checked]
        found = iter(self._reading.opened(checked, keep=keep))
        contents = [next(found) if line.summary.checked else None for line in lines]
        # What fails now was changed or removed a moment ago.
        return [f"it cannot be shown: {one}" if isinstance(one, Exception) else one for one in contents]


# --- what is asked for -------------------------------------------------------------------------------------


def _ask(keyring: Keyring, **words: Any) -> Ask:
    from mau.reader.timeline import Ask

    limit = None if words["everything"] else words["limit"]
    return Ask(_choice(keyring, **words), limit, unread=words["unread"], muted=words["muted"])


def _choice(keyring: Keyring, **words: Any) -> Choice:
    from mau.reader.reading import Choice

    since, until = (_moment(words[end]) for end in ("since", "until"))
    authors: set[Fingerprint] | None = None
    if words["people"] or words["groups"]:
        authors = {keyring.resolve_fingerprint(who) for who in words["people"]}
        for group in words["groups"]:
            authors |= {person.fingerprint for person in keyring.members(keyring.group(group))}
    return Choice(
        authors=None if authors is None else frozenset(authors),
        since=since,
        until=until,
        types=frozenset(_type(word) for word in words["types"]),
        tag=words["tag"],
        deleted=True,
    )


def _moment(text: str | None) -> int | None:
    if text is None:
        return None
    from mau_cli.commands.watch import parse_since

    return int(parse_since(text, datetime.now().astimezone()))


def _type(word: str) -> str:
    """A type as documents write it, whatever case it was typed in."""
    from mau.content.kinds import KINDS

    return next((name for name in KINDS if name.casefold() == word.casefold()), word)


def _setting(session: Session) -> str:
    from mau.config.keys import READER_ALGORITHM

    return session.config.get(READER_ALGORITHM, None)


def _chronological(session: Session) -> Algorithm:
    from mau.reader.algorithms.loading import DEFAULT, find

    return find(DEFAULT, session.root)


# --- around it ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _reading(session: Session, keyring: Keyring, *, wait: bool) -> Iterator[Reading]:
    """Everything that can be read, brought up to date; how far that is, is told on a terminal."""
    from mau.reader.reading import Reading
    from mau_cli.progress import Line as ProgressLine

    with Reading(session.account(), keyring) as reading:
        with ProgressLine() as line:
            patience = _PATIENCE if line.shown and not wait else None
            reading.refresh(
                progress=lambda done, total: line.show(f"{done} of {total} new posts are opened"),
                patience=patience,
            )
        yield reading


def _nothing(ask: Ask, reading: Reading) -> str:
    if next(reading.newest(), None) is None:
        return "Nothing to read yet; `mau sync` fetches what friends wrote."
    return "Nothing unread." if ask.unread else "No post fits that."


def _say_left_out(left_out: Counter[str]) -> None:
    from mau import errors

    for name, count in left_out.most_common():
        kind = getattr(errors, name, None)
        why = ((kind.__doc__ if kind else "") or "it cannot be read").strip().partition("\n")[0].rstrip(".")
        say(f"Left out: {count} ({why[:1].lower()}{why[1:]}).")


def _mark(marks: Marks, shown: Sequence[Summary]) -> None:
    try:
        marks.mark_read(shown)
    except (MauError, OSError) as error:  # what was asked for was shown
        say(f"Warning: it could not be marked as read: {error}.")
