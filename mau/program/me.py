"""An account for programs, in one place: read, write, watch, fetch, serve."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mau.program import writing
from mau.program.audience import To
from mau.program.desk import Desk
from mau.program.news import Feed
from mau.program.refs import Ref
from mau.program.thread import OwnThread
from mau.program.values import Found, Friend, Post, Posted, Turn, Wanted
from mau.program.writing import Attach

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.program.workers import Running
    from mau.syncer.report import SyncReport

_OPENED_AT_ONCE: Final = 20


@asynccontextmanager
async def open_account(
    directory: Path | str | None = None,
    *,
    passphrase: str | None = None,
    ask: Callable[[], str] | None = None,
) -> AsyncIterator[Me]:
    """Open an account for as long as the block lasts:

        async with mau.open_account() as me:
            await me.post("The kettle is on.", to=["bob", "@tea"])

    The tree is `directory`, else what `mau` itself would take (MAU_DIR, the setting ``dir``, ``~/Mau``). The
    passphrase is the one given; else MAU_PASSPHRASE, the agent (`mau unlock`), the settings ``passphrase.*``
    and the system's keyring are tried in this order, and at last ``ask`` is called, in a thread.

    NoAccount, PassphraseNeeded, WrongPassphrase, AccountDamaged, KeyringUntrusted, ConfigError.
    """
    from mau.program.opening import open_desk

    thread = OwnThread()
    me: Me | None = None
    try:
        me = Me(await thread.run(open_desk, directory, passphrase, ask), thread)
        yield me
    finally:
        await (thread.close() if me is None else me.close())


class Me:
    """An open account. Made by `open_account`; every method may be called from many tasks of one event loop.

    Whatever goes wrong is a MauError (or an OSError of the disk). What blocks is done in one thread, one call
    after another: a call that is cancelled before its turn does nothing, one that has begun is carried to its
    end. Everything is closed with the block; what is called later is a UsageError.
    """

    def __init__(self, desk: Desk, thread: OwnThread) -> None:
        self._desk = desk
        self._thread = thread
        self._feeds: list[Feed] = []

    async def close(self) -> None:
        """End all feeds of news, let what has begun end, and let go of the files. Twice is once."""
        for feed in self._feeds:
            await feed.aclose()
        self._feeds.clear()
        await self._thread.close(self._desk.close)

    # --- who I am ------------------------------------------------------------------------------------------

    @property
    def fingerprint(self) -> Fingerprint:
        """Who this is."""
        return self._desk.account.fingerprint

    @property
    def name(self) -> str:
        """The name in the key, "" when there is none."""
        return self._desk.account.name

    @property
    def directory(self) -> Path:
        """The tree."""
        return self._desk.account.root.path

    @property
    def key(self) -> str:
        """The public key, armored: for friends to add."""
        return self._desk.account.certificate.armored()

    async def friends(self) -> tuple[Friend, ...]:
        """Confirmed friends, by name."""
        return await self._thread.run(self._desk.friends)

    async def add_friend(
        self, key: bytes | str, name: str | None = None, groups: Sequence[str] = ()
    ) -> Friend:
        """Make the owner of a public key a friend, and follow him. Compare the fingerprint with him first.

        KeyMalformed, KeyRefused; UsageError for a name that may not be given.
        """
        return await self._thread.run(self._desk.add_friend, key, name, groups)

    # --- writing -------------------------------------------------------------------------------------------

    async def post(
        self,
        what: str | Mapping[str, Any],
        *,
        to: To,
        name: str | None = None,
        title: str = "",
        attach: Attach = (),
    ) -> Posted:
        """Post a text (Markdown), or a JSON-LD document with the words of schema.org.

        `to` is `mau.PUBLIC`, or one or several of: a local name, ``@group``, ``friends``, ``me``, a
        fingerprint. `name`: to post under; a held post of that name becomes a version. `attach`: paths, or
        `mau.Attachment` with a text for those who do not see it; stored for the same people.

        UnknownWho, AmbiguousWho, NoAudience, KeyRefused, InvalidName, UsageError.
        """
        return await self._thread.run(writing.post, self._desk, what, to, name, title, attach)

    async def share(
        self, source: Path | bytes, *, to: To, name: str | None = None, filename: str | None = None
    ) -> Posted:
        """Post a file as it is. `filename` travels inside, encrypted; errors as of `post`."""
        return await self._thread.run(writing.share, self._desk, source, to, name, filename)

    async def reply(
        self, ref: Ref, text: str, *, to: To | None = None, wider: bool = False, attach: Attach = ()
    ) -> Posted:
        """Answer a post. Without `to` for its author and those of its readers who are friends.

        NoAudience when it is public and `to` is not given; UsageError when it would be for people who cannot
        read the post, without `wider`; NoSuchPost when it is not held.
        """
        return await self._thread.run(writing.reply, self._desk, ref, text, to, attach, wider=wider)

    async def like(self, ref: Ref, *, to: To | None = None, wider: bool = False) -> Posted:
        """Like a post; `to`, `wider` and errors as of `reply`."""
        return await self._thread.run(writing.act, self._desk, ref, "LikeAction", "", to, wider=wider)

    async def repost(self, ref: Ref, text: str = "", *, to: To | None = None, wider: bool = False) -> Posted:
        """Share somebody's post, with a word of one's own; `to`, `wider` and errors as of `reply`."""
        return await self._thread.run(writing.act, self._desk, ref, "ShareAction", text, to, wider=wider)

    async def message(self, to: To, text: str, *, attach: Attach = ()) -> Posted:
        """Write to some people alone; errors as of `post`."""
        return await self._thread.run(writing.message, self._desk, to, text, attach)

    async def delete(self, ref: Ref) -> None:
        """Take back a post of one's own with the files that it alone has; its readers are told."""
        await self._thread.run(writing.delete, self._desk, ref)

    # --- reading -------------------------------------------------------------------------------------------

    async def read(self, ref: Ref) -> Post:
        """One post that is held: by its address, or ``WHO/NAME``.

        NoSuchPost; one PostError when anything about it does not hold; TooLarge beyond 64 MiB.
        """
        return await self._thread.run(self._desk.read, ref)

    async def content(self, ref: Ref) -> bytes:
        """The content of a post as it was signed: a document, or a file's bytes; errors as of `read`."""
        return await self._thread.run(self._desk.content, ref)

    async def save(self, ref: Ref, path: Path) -> Post:
        """Write the content to a file, of any size; the file is there only when all of it held."""
        return await self._thread.run(self._desk.save, ref, path)

    async def timeline(
        self,
        *,
        limit: int | None = None,
        authors: Collection[str | Fingerprint] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        types: Collection[str] = (),
        tag: str = "",
        unread: bool = False,
        muted: bool = False,
        algorithm: str = "",
    ) -> AsyncIterator[Post]:
        """Posts of everybody followed and one's own, newest signature first, as `mau timeline` shows them.

        As of the moment at which it begins. `since` and `until` are aware datetimes, `types` words of
        schema.org; with `muted` also what was muted. `algorithm` names another order, or is the path of a
        file of one's own (`mau help algorithms`). Likes are no posts; what does not hold is passed over.
        UnknownWho, UsageError, AlgorithmFailed.
        """
        wanted = Wanted(
            limit=limit,
            authors=authors,
            since=since,
            until=until,
            types=types,
            tag=tag,
            unread=unread,
            muted=muted,
            algorithm=algorithm,
        )
        summaries = await self._thread.run(self._desk.lines, wanted)
        left = limit
        while left is None or left > 0:
            count = _OPENED_AT_ONCE if left is None else min(left, _OPENED_AT_ONCE)
            posts = await self._thread.run(self._desk.some, summaries, count)
            if posts is None:
                return
            for post in posts:
                yield post
                left = None if left is None else left - 1

    async def mark_read(self, *refs: Ref) -> None:
        """Mark posts as read, here and for `mau timeline --unread`; nobody else learns of it."""
        await self._thread.run(self._desk.mark_read, refs)

    async def thread(self, ref: Ref, *, fetch: float = 0) -> tuple[Turn, ...]:
        """A conversation: what the post answers, it, and all that answers it, each before its answers.

        What is missing stands in it with the reason. With `fetch`, whoever may have it is asked for it, for
        so many seconds at most.
        """
        desk = self._desk
        if fetch > 0:
            from mau.keyring import Keyring
            from mau.program.workers import fetch_pieces

            address = await self._thread.run(desk.address, ref)
            keyring = await self._thread.run(Keyring.load, desk.account)
            gathered = partial(desk.gathered, address)
            await fetch_pieces(desk.account, keyring, desk.config, gathered, fetch)
        return await self._thread.run(desk.thread, ref)

    async def search(
        self,
        words: str,
        *,
        authors: Collection[str | Fingerprint] | None = None,
        types: Collection[str] = (),
        tags: Collection[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
    ) -> tuple[Found, ...]:
        """The newest posts with these words, ``"in a row"``, ``-without`` those; UsageError.

        `types` are words of schema.org. What was muted is not found. The first search of a program loads the
        index, which may take a second; those after it take milliseconds.
        """
        first = None if since is None else since.timestamp()
        last = None if until is None else until.timestamp()
        return await self._thread.run(self._desk.search, words, authors, types, tags, first, last, limit)

    def news(
        self, *, authors: Collection[str | Fingerprint] | None = None, since: datetime | None = None
    ) -> Feed:
        """Posts as they appear in the tree, whoever brings them there; each content once, one's own not.

            async for post in me.news(): ...

        Begins with what came `since`, when that is given (an aware datetime).
        """
        feed = Feed(self._desk, self._thread, authors, None if since is None else since.timestamp())
        self._feeds.append(feed)
        return feed

    # --- the network ---------------------------------------------------------------------------------------

    async def sync(
        self, who: str | Fingerprint | None = None, *, at: Sequence[str] | None = None, via: str | None = None
    ) -> list[SyncReport]:
        """Fetch what is new from somebody, or from everybody followed; one report for each.

        `at`: HOST:PORT where to ask; `via`: whom to ask instead. What goes wrong on the way stands in the
        reports (``problem``, ``refused``, ``deferred``, ``failed``). With everybody, what is followed on the
        web is asked, too, every half an hour at most. UnknownWho, AddressMalformed.
        """
        from mau.keyring import Keyring
        from mau.program.workers import ask_the_web, sync

        desk = self._desk
        if who is None:
            authors = await self._thread.run(desk.account.root.follows, desk.account.fingerprint)
        else:
            authors = [await self._thread.run(desk.resolve, who)]
        asked = None if via is None else await self._thread.run(desk.resolve, via)
        keyring = await self._thread.run(Keyring.load, desk.account)
        reports = await sync(desk.account, keyring, desk.config, authors, at, asked)
        if who is None:
            await ask_the_web(desk.account, keyring)
        return reports

    def running(
        self, *, serve: bool = True, sync: bool = True, find: bool = True, listen: str | None = None
    ) -> AbstractAsyncContextManager[Running]:
        """Serve, follow everybody and find them while a block lasts, as `mau up` does:

            async with me.running(listen="127.0.0.1:0") as up:
                print(up.address)

        `listen` is HOST:PORT, else the setting ``server.listen``. AlreadyRunning when `mau up` does it.
        """
        from mau.program.workers import running

        return running(
            self._desk.account, self._desk.config, serve=serve, sync=sync, find=find, listen=listen
        )
