"""`mau watch`: tell of each new post, or run a program for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import datetime
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

_AGAIN = 60.0  # seconds between two looks at what could not be opened yet
_PIECE = 0.5
_GRACE = 10.0  # seconds for programs that are running when it ends


@click.command("watch", context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True})
@click.option("--from", "people", metavar="WHO", multiple=True, help="Only posts of WHO; may be repeated.")
@click.option("--mentions", is_flag=True, help="Only answers to posts of yours, and posts that name you.")
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
    """One run: the index tells where something changed, a thread looks, and the loop tells people."""

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
        self._due: dict[tuple[Fingerprint, str | None], None] = {}
        self._something = asyncio.Event()

    async def run(self, begin: float | None) -> None:
        """Until a signal ends it."""
        from mau_cli.serving import told_to_end

        ended, loop = told_to_end(), asyncio.get_running_loop()

        def changed(author: Fingerprint, hidden: bool, name: str | None) -> None:
            if not hidden:
                loop.call_soon_threadsafe(self._note, author, name)

        with self._index, self._index.subscribe(changed), self._index.watch() as watch:
            # In pieces: a tree that cannot be read is never ready, and the thread would outlive the end.
            while not ended.is_set() and not await asyncio.to_thread(watch.wait_ready, _PIECE):
                pass
            if ended.is_set():
                return
            for author, name in await asyncio.to_thread(self._room.begin, begin):
                self._note(author, name)
            say("Watching; Ctrl-C ends it.")
            telling = asyncio.create_task(self._tell_on())
            try:
                await _first_of(telling, ended)
            finally:
                telling.cancel()
                await asyncio.wait([telling])
                if self._programs is not None:
                    await self._programs.end(_GRACE)
            if not telling.cancelled():
                telling.result()

    def _note(self, author: Fingerprint, name: str | None) -> None:
        self._due[author, name] = None
        self._something.set()

    async def _tell_on(self) -> None:
        clock = asyncio.get_running_loop().time
        again = clock() + _AGAIN
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(again):
                    await self._something.wait()
            if clock() >= again:  # also while others write all the time
                await self._tell(await asyncio.to_thread(self._room.again))
                again = clock() + _AGAIN
            self._something.clear()
            due, self._due = self._due, {}
            await asyncio.to_thread(self._room.refresh)
            for author, name in due:
                await self._tell(await asyncio.to_thread(self._room.look, author, name))

    async def _tell(self, found: Iterable[News | Trouble]) -> None:
        from mau.reader.news import Trouble
        from mau_cli.audience import called

        for one in found:
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
            data("\n" * (self._told > 0) + item_words(self._keyring, news.item))
        self._told += 1

    def _facts(self, news: News) -> dict[str, object]:
        from mau_cli.commands.timeline import item_facts

        return {**item_facts(self._keyring, news.item), "sha256": news.sha256, "kind": news.directed}


async def _first_of(task: asyncio.Task[object], ended: asyncio.Event) -> None:
    """Wait for either."""
    end = asyncio.create_task(ended.wait())
    await asyncio.wait([task, end], return_when=asyncio.FIRST_COMPLETED)
    end.cancel()
