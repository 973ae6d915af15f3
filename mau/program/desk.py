"""Reading for programs: people, posts, timeline. Blocking; called in the program's own thread."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mau.config.keys import READER_LANGUAGES
from mau.errors import MauError, NoSuchPost, TooLarge
from mau.fingerprint import Fingerprint
from mau.program.refs import Ref, address_of
from mau.program.values import Found, Friend, Post, Turn, post_of, unopened
from mau.reader.open import directories_of, open_post

if TYPE_CHECKING:
    from mau.account import Account
    from mau.config.settings import Config
    from mau.content.address import Address
    from mau.conversation.thread import Node, Thread
    from mau.keyring import Keyring
    from mau.marks import Marks
    from mau.program.values import Wanted
    from mau.reader.open import OpenedPost
    from mau.reader.reading import Reading
    from mau.reader.summary import Summary
    from mau.search import Search

IN_MEMORY: Final = 64 << 20
"""Bytes of a content that `content` hands out."""
ROWS: Final = frozenset({"", "share"})
"""What stands in a timeline: posts, and what people share."""


class Desk:
    """An open account with what was read of its tree."""

    def __init__(self, account: Account, keyring: Keyring, config: Config) -> None:
        self.account = account
        self.keyring = keyring
        self.config = config

    @cached_property
    def reading(self) -> Reading:
        """What lies in the tree, in short; opened when first asked for."""
        from mau.reader.reading import Reading

        return Reading(self.account, self.keyring)

    @cached_property
    def marks(self) -> Marks:
        """What was read and muted."""
        from mau.marks import Marks

        return Marks.load(self.account)

    @cached_property
    def index(self) -> Search:
        """The words of everything that can be read; in memory from the first search on."""
        from mau.search import Search

        return Search(self.account, self.reading, self.keyring)

    def close(self) -> None:
        """Let go of what was opened."""
        if "index" in self.__dict__:
            self.index.close()
        if "reading" in self.__dict__:
            self.reading.close()

    # --- people --------------------------------------------------------------------------------------------

    def friends(self) -> tuple[Friend, ...]:
        """Confirmed friends, by name."""
        self.keyring.refresh()
        return tuple(
            Friend(person.fingerprint, person.local_name, person.groups) for person in self.keyring.friends()
        )

    def add_friend(self, key: bytes | str, name: str | None, groups: Sequence[str]) -> Friend:
        """Make the owner of a public key a friend, and follow him; KeyMalformed, KeyRefused, UsageError."""
        from mau.openpgp import Certificate

        certificate = Certificate.parse(key.encode() if isinstance(key, str) else key)
        person = self.keyring.add(certificate, name, groups)
        self.account.root.follow(person.fingerprint)
        return Friend(person.fingerprint, person.local_name, person.groups)

    def resolve(self, who: str | Fingerprint) -> Fingerprint:
        """Whom a word means; UnknownWho, AmbiguousWho."""
        if isinstance(who, Fingerprint):
            return who
        self.keyring.refresh()
        return self.keyring.resolve_fingerprint(who)

    def called(self, author: Fingerprint) -> str:
        """What the owner calls somebody; "" for one of whom no key is held."""
        person = self.keyring.person(author)
        return "" if person is None else person.local_name

    # --- posts ---------------------------------------------------------------------------------------------

    def address(self, ref: Ref) -> Address:
        """The address of a post; see `address_of`."""
        self.keyring.refresh()
        return address_of(self.account, self.keyring, ref)

    def read(self, ref: Ref) -> Post:
        """One post, or the version of it that `ref` names; NoSuchPost, one PostError when it does not hold.

        TooLarge beyond 64 MiB.
        """
        address = self.address(ref)
        self._check_size(address)
        return self.value(self._open(address))

    def content(self, ref: Ref) -> bytes:
        """The content of a post as it was signed; errors as of `read`."""
        address = self.address(ref)
        self._check_size(address)
        return self._open(address).opened.data or b""

    def save(self, ref: Ref, path: Path) -> Post:
        """Write the content to a file, which is there only when all of it held; in bounded memory."""
        address = self.address(ref)
        assert address.name is not None  # noqa: S101 - `address_of` says so
        beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
        try:
            opened = open_post(
                self.account, self.keyring, address.author, address.name, address.version, sink=beside
            )
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return self.value(opened)

    def value(self, opened: OpenedPost) -> Post:
        """What a program gets of an opened post."""
        languages = self.config.get(READER_LANGUAGES)
        return post_of(opened, self.account.fingerprint, self.called(opened.author), languages or ())

    def _open(self, address: Address) -> OpenedPost:
        assert address.name is not None  # noqa: S101 - `address_of` says so
        return open_post(self.account, self.keyring, address.author, address.name, address.version)

    def _check_size(self, address: Address) -> None:
        """TooLarge when it had better not come into memory whole."""
        assert address.name is not None  # noqa: S101 - `address_of` says so
        for directory in directories_of(self.account, address.author):
            entry = directory.entry(address.name)
            if entry is not None and entry.size > IN_MEMORY:
                raise TooLarge(f"{address.name!r} has {entry.size >> 20} MiB; save it to a file")

    # --- many posts ----------------------------------------------------------------------------------------

    def lines(self, wanted: Wanted) -> Iterator[Summary]:
        """In short, in the order of the algorithm; as far as it is asked for where that is the time."""
        from mau.reader.algorithms.loading import DEFAULT, find
        from mau.reader.reading import Choice
        from mau.reader.timeline import Ask, Timeline

        self.keyring.refresh()
        algorithm = find(wanted.algorithm or DEFAULT, self.account.root)
        authors = wanted.authors
        choice = Choice(
            authors=None if authors is None else frozenset(self.resolve(one) for one in authors),
            since=None if wanted.since is None else int(wanted.since.timestamp()),
            until=None if wanted.until is None else int(wanted.until.timestamp()),
            types=frozenset(wanted.types),
            tag=wanted.tag,
        )
        ask = Ask(choice, wanted.limit, unread=wanted.unread, muted=wanted.muted)
        self.marks.refresh()
        self.reading.refresh()
        timeline = Timeline(self.reading, self.keyring, self.marks)
        if algorithm.window:
            return (line.summary for line in timeline.lines(ask, algorithm))
        summaries = self.reading.choose(replace(choice, acts=ROWS))
        return (line.summary for one in summaries if (line := timeline.line(one, ask)) is not None)

    def mark_read(self, refs: Sequence[Ref]) -> None:
        """These were read; what is not held is passed over."""
        self.reading.refresh()
        addresses = [self.address(ref) for ref in refs]
        found = (self.reading.get(one.author, one.name) for one in addresses if one.name is not None)
        self.marks.refresh()
        self.marks.mark_read([summary for summary in found if summary is not None])

    def some(self, summaries: Iterator[Summary], count: int) -> list[Post] | None:
        """So many of them as posts; None when there are no more."""
        taken = list(islice(summaries, count))
        return self.opened(taken) if taken else None

    def opened(self, summaries: Sequence[Summary]) -> list[Post]:
        """The posts themselves; without those that went, or no longer hold, meanwhile."""
        found = []
        for summary in summaries:
            if not summary.checked:
                found.append(unopened(summary, self.called(summary.author)))
                continue
            try:
                found.append(self.value(self.reading.open(summary)))
            except MauError:
                continue
        return found

    def thread(self, ref: Ref) -> tuple[Turn, ...]:
        """The post, what it answers and all that answers it, in reading order, as far as it is held."""
        return tuple(self._turn(node) for node in self.gathered(self.address(ref)).nodes)

    def gathered(self, address: Address) -> Thread:
        """The thread of a post, as far as it is held now."""
        from mau.conversation.thread import gather

        self.reading.refresh()
        return gather(self.reading, address)

    def _turn(self, node: Node) -> Turn:
        posts = [] if node.summary is None or node.missing else self.opened([node.summary])
        missing = node.missing or ("" if posts else "it cannot be read any more")
        return Turn(
            str(node.address),
            node.depth,
            None if node.parent is None else str(node.parent),
            posts[0] if posts else None,
            missing,
            node.likes,
            node.shares,
        )

    def search(
        self,
        words: str,
        authors: Collection[str | Fingerprint] | None,
        types: Collection[str],
        tags: Collection[str],
        since: float | None,
        until: float | None,
        limit: int,
    ) -> tuple[Found, ...]:
        """The newest posts that fit; see `mau.search`."""
        self.keyring.refresh()
        whose = None if authors is None else {self.resolve(one) for one in authors}
        first = None if since is None else int(since)
        last = None if until is None else int(until)
        self.index.refresh()
        hits = self.index.find(
            words, authors=whose, since=first, until=last, types=types, tags=tags, limit=limit
        )
        return tuple(Found(post, hit.snippet) for hit in hits for post in self.opened([hit.summary]))

    def directory_sum(self, address: Address) -> str | None:
        """The sha256 of what is held under an address now, None when nothing is."""
        if address.version is not None or address.name is None:
            return address.version
        for directory in directories_of(self.account, address.author):
            try:
                return directory.sha256(address.name)
            except NoSuchPost:
                continue
        return None
