"""What is missing of a thread, and fetching it from those who may have it (spec/conversations.md CV50-CV54).

A piece comes from who answered or shared it, or from its author, and is judged as in any sync; one by
somebody who is not followed lies in ``.FPR``, and his key in ``.mau/known``, where it serves for verifying
alone. What is asked for was named by documents of others, so all of it is bounded.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mau.conversation.thread import Node, Thread, why_missing
from mau.deletion.held import deletes_of
from mau.errors import IdentityError, KeyRefused, MauError, NotOffered, PeerError, PeerUnreachable, PostError
from mau.marks import blocked
from mau.tree.names import is_post_name

if TYPE_CHECKING:
    from mau.account import Account
    from mau.content.address import Address
    from mau.fingerprint import Fingerprint
    from mau.hostport import Address as Place
    from mau.keyring import Keyring
    from mau.reader.summary import Summary
    from mau.syncer.once import Syncer

PIECES: Final = 100
"""Pieces that are asked for in one run."""
SECONDS: Final = 60.0
ROUNDS: Final = 8
"""So often what came may show that something else is missing."""
SOURCES: Final = 3
"""People who are asked for one piece."""

WANTED: Final = ("not held", "author unknown")


class Why:
    """Says in words why a post of a thread cannot be shown."""

    def __init__(self, account: Account, keyring: Keyring) -> None:
        self._account = account
        self._keyring = keyring
        self.told: dict[Address, str] = {}
        """What came of asking for a post."""

    def __call__(self, address: Address, summary: Summary | None) -> str:
        """ "" when it can be shown."""
        if summary is not None:
            return why_missing(address, summary)
        if address.author == self._account.fingerprint:
            # Never fetched: what its owner removed would be given out again.
            return "deleted" if self._is_deleted(address) else "yours, and not held any more"
        if self._is_deleted(address):
            return "deleted"
        told = self.told.get(address)
        if told is not None:
            return told
        known = self._keyring.certificate(address.author) is not None
        return "not held" if known else "author unknown"

    def _is_deleted(self, address: Address) -> bool:
        return bool(deletes_of(self._account, self._keyring, address.author).of(address.name or ""))


@dataclass(slots=True)
class Fetched:
    """What a run brought, and what not: by post, in words. `asked` counts the pieces that were asked for."""

    came: list[Address] = field(default_factory=list)
    failed: dict[Address, str] = field(default_factory=dict)
    keys: list[Fingerprint] = field(default_factory=list)
    asked: int = 0


async def fetch_missing(
    syncer: Syncer,
    gathered: Callable[[], Thread],
    *,
    hints: dict[Fingerprint, Sequence[Place]] | None = None,
    via: Sequence[Fingerprint] = (),
    ask_friends: bool = True,
    seconds: float = SECONDS,
    pieces: int = PIECES,
) -> Fetched:
    """Fetch what a thread misses, and what that shows to be missing, within these bounds.

    `gathered` gathers it anew. `hints`: where to ask somebody, besides what the address book says; `via`: who
    is asked first, whoever answered or shared. Without `ask_friends` these are not asked. What goes wrong
    stands in the result.
    """
    fetched = Fetched()
    run = _Run(syncer, fetched, hints or {}, via, ask_friends, pieces)
    try:
        async with asyncio.timeout(seconds):
            for _ in range(ROUNDS):
                thread = await asyncio.to_thread(gathered)
                wanted = [node for node in thread.missing if node.missing in WANTED]
                if not await run.fetch(wanted):
                    break
    except TimeoutError:
        for address in run.waiting:
            fetched.failed.setdefault(address, "not held: asking for it took too long")
    return fetched


class _Run:
    """One run: who was asked for what, and who cannot be reached."""

    def __init__(
        self,
        syncer: Syncer,
        fetched: Fetched,
        hints: dict[Fingerprint, Sequence[Place]],
        via: Sequence[Fingerprint],
        ask_friends: bool,
        pieces: int,
    ) -> None:
        self._syncer = syncer
        self._fetched = fetched
        self._hints = hints
        self._via = list(via)
        self._ask_friends = ask_friends
        self._left = pieces
        self._asked: set[tuple[Address, Fingerprint]] = set()
        self._refused = blocked(syncer.account)
        self._away: set[Fingerprint] = set(self._refused)
        self.waiting: dict[Address, None] = {}

    async def fetch(self, wanted: Sequence[Node]) -> bool:
        """Ask for these; whether anything came."""
        before = len(self._fetched.came)
        for _ in range(SOURCES):
            # What is wanted of one author goes to one source together.
            groups: dict[tuple[Fingerprint, Fingerprint], list[Address]] = defaultdict(list)
            for node in wanted:
                source = self._source(node)
                if source is not None:
                    groups[node.address.author, source].append(node.address)
            for (author, source), addresses in groups.items():
                await self._ask(author, source, addresses)
        return len(self._fetched.came) > before

    def _source(self, node: Node) -> Fingerprint | None:
        """Whom to ask for it now; None when that is nobody (any more)."""
        address = node.address
        if address in self._fetched.came or not is_post_name(address.name or ""):
            return None
        if address.author in self._refused:
            self._failed([address], "not held: you blocked its author")
            return None
        source = next((one for one in self._sources(node) if (address, one) not in self._asked), None)
        if source is None:
            return None
        if address not in self.waiting:
            if self._left == 0:
                return None
            self._left -= 1
            self._fetched.asked += 1
            self.waiting[address] = None
        self._asked.add((address, source))
        return source

    def _sources(self, node: Node) -> list[Fingerprint]:
        """Who may have it: friends who answered or shared it, then its author; all of whom can be asked.

        To ask somebody is to tell him what one reads, so of others only friends are asked.
        """
        keyring = self._syncer.keyring
        author, me = node.address.author, self._syncer.account.fingerprint
        others = node.pointed_at_by if self._ask_friends else ()
        found = [one for one in others if one not in (author, me) and keyring.is_friend(one)]
        if author != me:
            found = [author, *found] if keyring.is_friend(author) else [*found, author]
        found = list(dict.fromkeys([*self._via, *found]))
        return [one for one in found if one not in self._away and self._where(one)]

    def _where(self, peer: Fingerprint) -> list[Place]:
        return list(dict.fromkeys([*self._hints.get(peer, ()), *self._syncer.book.addresses(peer)]))

    async def _ask(self, author: Fingerprint, source: Fingerprint, addresses: Sequence[Address]) -> None:
        if source in self._away:
            self._failed(addresses, f"not held: {self._called(source)} could not be asked")
            return
        if self._syncer.keyring.certificate(author) is None:
            words = await self._hold_key(author, source)
            if words is not None:
                self._failed(addresses, words)
                return
        names = [address.name or "" for address in addresses]
        person = self._syncer.keyring.person(source)
        as_stranger = person is None or not person.confirmed
        from mau.syncer.pieces import PieceRound  # who looks at a thread that is whole needs no network

        round_ = PieceRound(self._syncer, author, source, names, as_stranger=as_stranger)
        await round_.run(self._where(source))
        report = round_.report
        if report.problem is not None:
            self._away.add(source)
            self._failed(addresses, f"not held: {self._called(source)} could not be asked ({report.problem})")
            return
        troubles = {one.name: one for one in (*report.deferred, *report.failed, *report.refused)}
        for address in addresses:
            trouble = troubles.get(address.name or "")
            if address.name in round_.forgone:
                self._failed([address], "not held: you removed it; `mau fetch` brings it back")
            elif trouble is None and address.name in round_.held:
                self._fetched.came.append(address)
                self._fetched.failed.pop(address, None)
                self.waiting.pop(address, None)
            elif trouble is None or isinstance(trouble.error, NotOffered):
                self._failed([address], f"not held: {self._called(source)} does not give it to you")
            elif isinstance(trouble.error, PostError) and trouble.error.lasting != "deferred":
                self._failed([address], f"refused: {trouble.words}")
            else:
                self._failed([address], f"not held: {trouble.words}")

    async def _hold_key(self, author: Fingerprint, source: Fingerprint) -> str | None:
        """Have the key of an author to verify with; why not, in words."""
        from mau.introduction import fetch_key

        via = None if source == author else source
        try:
            introduced = await fetch_key(
                self._syncer.account,
                author,
                via=via,
                addresses=self._where(source),
                timeouts=self._syncer.timeouts,
            )
            await asyncio.to_thread(self._syncer.keyring.hold, introduced.certificate)
        except (PeerError, IdentityError, KeyRefused) as error:
            if isinstance(error, PeerUnreachable | IdentityError):
                self._away.add(source)
            return f"author unknown: {self._called(source)} gives no key ({error})"
        except MauError as error:
            return f"author unknown: {error}"
        self._fetched.keys.append(author)
        return None

    def _failed(self, addresses: Iterable[Address], words: str) -> None:
        for address in addresses:
            self._fetched.failed[address] = words

    def _called(self, who: Fingerprint) -> str:
        person = self._syncer.keyring.person(who)
        return who.hex if person is None else person.label
