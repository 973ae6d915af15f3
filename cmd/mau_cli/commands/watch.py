"""`mau watch`: tell of each new post, or run a program for it."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import clean, data, emit_json_line, json_text, say

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.reader.news import News, Newsroom, Trouble
    from mau.tree.index import Index
    from mau_cli.programs import Programs

_GRACE = 10.0  # seconds for programs that are running when it ends


@click.command("watch", context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True})
@click.option("--from", "people", metavar="WHO", multiple=True, help="Only posts of WHO; may be repeated.")
@click.option(
    "--mentions",
    is_flag=True,
    help="Only what is for you: answers to posts of yours, likes and shares of them, messages, mentions.",
)
@click.option(
    "--since",
    metavar="TIME",
    help="Begin with what came since then: 2h, 3d, or a date such as 2026-11-20 or 2026-11-20T18:00.",
)
@click.option(
    "--exec", "execute", is_flag=True, help="Run PROGRAM for each; its standard input is the post as JSON."
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1, max=64),
    default=4,
    show_default=True,
    help="With --exec: so many programs at the same time.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object in each line.")
@click.argument("program", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def command(
    session: Session,
    people: tuple[str, ...],
    mentions: bool,
    since: str | None,
    execute: bool,
    jobs: int,
    as_json: bool,
    program: tuple[str, ...],
) -> None:
    """Tell of each new post of those you follow, until Ctrl-C.

    New is what appears in the directory from now on, whoever brings it there: `mau up`, `mau sync` or a copy.
    Each content is told once. Every post is checked before.

    \b
    mau watch --mentions --exec notify-send Mau "somebody wrote to you"

    runs a program instead, without a shell. When it fails that is said, and the watch goes on.
    """
    if execute != bool(program):
        raise UsageError("--exec PROGRAM [ARGUMENT]... names the program, after all other options")
    begin = None if since is None else parse_since(since, datetime.now().astimezone())
    from mau_cli.logs import log_to_stderr
    from mau_cli.people import suspect_keyring

    keyring = suspect_keyring(session)
    authors = {keyring.resolve_fingerprint(who) for who in people} or None
    programs = None
    if execute:
        from mau_cli.programs import Programs

        programs = Programs(program, jobs)
    log_to_stderr()
    import asyncio

    watching = _Watching(session, keyring, authors, mentions=mentions, as_json=as_json, programs=programs)
    asyncio.run(watching.run(begin))


def parse_since(text: str, now: datetime) -> float:
    """Unix seconds: so long before now, or a date with or without a time, local unless it says a zone."""
    from mau.duration import parse_duration

    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        pass
    try:
        return now.timestamp() - parse_duration(text)
    except UsageError:
        raise UsageError(f"neither a length of time such as 2h nor a date: {text!r:.40}") from None


class _Watching:
    """One run: what is news is printed, or given to a program."""

    def __init__(
        self,
        session: Session,
        keyring: Keyring,
        authors: set[Fingerprint] | None,
        *,
        mentions: bool,
        as_json: bool,
        programs: Programs | None,
    ) -> None:
        from mau.catalogue import open_index
        from mau.reader.news import Newsroom

        self._keyring = keyring
        self._index: Index = open_index(session.root)
        self._room: Newsroom = Newsroom(session.account(), keyring, self._index, authors)
        self._mentions = mentions
        self._as_json = as_json
        self._programs = programs
        self._told = 0

    async def run(self, begin: float | None) -> None:
        """Until a signal ends it."""
        from mau.awaiting import unless
        from mau.reader.watching import Watching
        from mau_cli.serving import told_to_end

        ended = told_to_end()
        with self._index:
            try:
                watching = Watching(self._index, self._room)
                begun = partial(say, "Watching; Ctrl-C ends it.")
                await unless(ended, watching.run(self._tell, since=begin, begun=begun))
            finally:
                if self._programs is not None:
                    await self._programs.end(_GRACE)

    async def _tell(self, one: News | Trouble) -> None:
        from mau.reader.news import Trouble
        from mau_cli.audience import called

        if isinstance(one, Trouble):
            who = called(self._keyring, one.author)
            say(f"{clean(who)}  {clean(one.name)}: {clean(str(one.error))}")
        elif not self._mentions or one.directed != "post":
            await self._tell_one(one)

    async def _tell_one(self, news: News) -> None:
        from mau_cli.commands.timeline import item_words

        if self._programs is not None:
            await self._programs.run(
                json_text(self._facts(news)) + "\n", f"{news.item.author}/{news.item.name}"
            )
        elif self._as_json:
            emit_json_line(self._facts(news))
        else:
            data("\n" * (self._told > 0) + item_words(self._keyring, news.item) + self._deed(news))
        self._told += 1

    def _deed(self, news: News) -> str:
        """A line that says what it answers, likes or shares; "" when that is nothing."""
        from mau.content.links import links_of
        from mau_cli.deeds import deed_words

        if news.item.post is None:
            return ""
        words = deed_words(self._keyring, links_of(news.item.author, news.item.post.document))
        return f"\n    ({words})" if words else ""

    def _facts(self, news: News) -> dict[str, object]:
        from mau_cli.commands.timeline import item_facts

        return {**item_facts(self._keyring, news.item), "sha256": news.sha256, "kind": news.directed}
