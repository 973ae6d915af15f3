"""Search over everything that I can read (spec/search.md).

    with Reading(account, keyring) as reading, Search(account, reading) as search:
        search.refresh()                                   reads what is new in the tree, too
        for hit in search.find('"blue bicycle" -rust'): ...    newest first; each was opened and checked

Blocking. Threads take turns.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mau.content.tags import fold_tag
from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.search.query import Query, expression, names_meant, one_of, parse_query
from mau.search.snippet import snippet_of
from mau.search.texts import texts_of
from mau.search.vault import State, Vault
from mau.search.words import Known, WordIndex, Words

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from mau.account import Account
    from mau.marks import Marks
    from mau.reader.open import OpenedPost
    from mau.reader.reading import Reading
    from mau.reader.summary import Summary

Progress = Callable[[int, int], None]
_BATCH: Final = 500
_MOST_LOGGED: Final = 2000
"""Contents in the log, at which a new image is made at the latest: each takes 0.2 ms to be put in again."""
_FEW_LOGGED: Final = 500
_MOST_GONE: Final = 2000
"""Contents that are gone, from which on an index that consists of them by half is made anew."""
_MOST_PEOPLE: Final = 50


@dataclass(frozen=True, slots=True)
class Hit:
    """A post that fits, and one line of it around what was found (foreign text)."""

    summary: Summary
    snippet: str


class Search:
    """The index over what a `Reading` shows. It holds the words of all posts in memory until `close`."""

    def __init__(self, account: Account, reading: Reading, keyring: Keyring | None = None) -> None:
        """``keyring``: whose local names are searched; the account's, when it is not given."""
        self._account = account
        self._reading = reading
        self._keyring = keyring
        self._vault = Vault(account)
        self._index: WordIndex | None = None
        self._state: State | None = None
        self._logged = 0
        self._compared: int | None = None
        """How the reading was (`Reading.changes`) when this index was compared with it."""
        self._lock = threading.RLock()
        self._pending: list[Words] = []
        self.left_out: Counter[str] = Counter()
        """How many posts that fitted did not hold when they were opened, by the class of the error."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index."""
        with self._lock:
            if self._index is not None:
                self._index.close()
            self._index = self._state = self._compared = None

    # --- bringing it up to date ----------------------------------------------------------------------------

    def refresh(self, progress: Progress | None = None) -> None:
        """Bring the reading and the index up to what the tree holds; each content is opened once.

        ``progress(done, total)``: contents that are opened, of all that have to be.
        """
        with self._lock, self._vault.lock():
            index = self._opened()
            self._reading.refresh(told=self._told, progress=progress)
            self._flush(index)
            self._compare(index, progress)
            if index.gone > _MOST_GONE and index.gone > len(index):
                index = self._begin_anew()
                self._compare(index, progress)
            if self._logged >= min(_MOST_LOGGED, max(_FEW_LOGGED, len(index) // 20)):
                self._keep(index)

    def _opened(self) -> WordIndex:
        if self._index is not None and self._vault.state(self._state) is not None:
            return self._index
        self.close()
        loaded = self._vault.load()
        if loaded is None:
            return self._begin_anew()
        image, batches, self._state = loaded
        try:
            self._index = WordIndex(image)
        except ValueError:
            return self._begin_anew()
        self._logged = sum(map(len, batches))
        for batch in batches:
            self._index.add(batch)
        return self._index

    def _begin_anew(self) -> WordIndex:
        self.close()
        self._index = WordIndex()
        self._logged = 0
        with contextlib.suppress(OSError):
            self._state = self._vault.keep(b"")
        return self._index

    def _told(self, post: OpenedPost, summary: Summary) -> None:
        if not summary.hidden and self._index is not None:
            self._take(self._index, post, summary)

    def _compare(self, index: WordIndex, progress: Progress | None) -> None:
        """Have the index hold what the reading shows: no more, no less."""
        now = self._reading.changes
        if now == self._compared:
            return
        shown = set(self._reading.contents())
        held = {(author, name, sha256): number for number, author, name, sha256 in index.known()}
        missing = shown - held.keys()
        with contextlib.closing(self._reading.open_all(missing)) as opened:
            for number, (summary, post) in enumerate(opened, 1):
                self._take(index, post, summary)
                if progress is not None:
                    progress(number, len(missing))
        self._flush(index)
        gone = held.keys() - shown
        if gone:
            index.remove(held[one] for one in gone)
        self._compared = now

    def _take(self, index: WordIndex, post: OpenedPost | None, summary: Summary) -> None:
        texts = texts_of(summary, post)
        who = [summary.author.hex, *(one.hex for one in summary.links.mentions)]
        self._pending.append(
            Words(
                author=summary.author.hex,
                name=summary.name,
                sha256=summary.sha256,
                time=summary.time,
                body=texts.body,
                labels=texts.labels,
                who=" ".join(who),
                kind=summary.type,
            )
        )
        if len(self._pending) >= _BATCH:
            self._flush(index)

    def _flush(self, index: WordIndex) -> None:
        if not self._pending:
            return
        batch, self._pending = self._pending, []
        index.add(batch)
        if self._state is None:
            return
        try:
            self._state = self._vault.append(self._state, batch)
            self._logged += len(batch)
        except OSError:  # no room: it is found out again next time
            self._state = None

    def _keep(self, index: WordIndex) -> None:
        with contextlib.suppress(OSError):
            self._state = self._vault.keep(index.image())
            self._logged = 0

    # --- finding -------------------------------------------------------------------------------------------

    def find(
        self,
        words: str | Sequence[str],
        *,
        authors: Collection[Fingerprint] | None = None,
        since: int | None = None,
        until: int | None = None,
        types: Collection[str] = (),
        tags: Collection[str] = (),
        limit: int = 50,
        muted: bool = False,
    ) -> list[Hit]:
        """The newest ``limit`` posts that fit; what was muted only with ``muted``. UsageError.

        ``since`` and ``until`` in unix seconds, the first included, the second not. Each post is opened and
        checked before it is among the hits; one too large for that has ``summary.checked`` False.
        """
        query = parse_query(words)
        filters = [one_of("author", (one.hex for one in authors))] if authors else []
        filters += [one_of("kind", types)] if types else []
        filters += [one_of("labels", [tag]) for tag in tags]
        if authors is not None and not authors:
            return []
        wanted_tags = {fold_tag(tag) for tag in tags}
        kinds = {kind.casefold() for kind in types}
        asked = expression(query, self._people(query), filters)
        silent = None if muted else self._muting()
        hits: list[Hit] = []
        self.left_out = Counter()
        with self._lock:
            if self._index is None:
                self.refresh()
            assert self._index is not None  # noqa: S101 - refresh opens it
            for known in self._index.find(asked, since, until):
                summary = self._shown(known)
                if summary is None or (kinds and summary.type.casefold() not in kinds):
                    continue
                if not wanted_tags <= set(summary.tags):
                    continue
                hit = self._checked(summary, query, silent)
                if hit is not None:
                    hits.append(hit)
                    if len(hits) >= limit:
                        break
        return hits

    def _shown(self, known: Known) -> Summary | None:
        """What the reading says of it now; None when that is another content, or nothing to show."""
        summary = self._reading.get(known.author, known.name)
        if summary is None or summary.sha256 != known.sha256 or summary.error:
            return None
        return None if summary.hidden or summary.deleted or summary.apart else summary

    def _checked(self, summary: Summary, query: Query, silent: Marks | None) -> Hit | None:
        if silent is not None and silent.muted(summary, find=self._reading.get):
            return None
        if not summary.checked:
            return Hit(summary, snippet_of(texts_of(summary, None), query))
        try:
            post = self._reading.open(summary)
        except MauError as error:
            self.left_out[type(error).__name__] += 1
            return None
        if post.signed_at != summary.time:  # it became another since the reading looked
            return None
        texts = texts_of(summary, post)
        if silent is not None and silent.muted(summary, text=texts.body, find=self._reading.get):
            return None
        return Hit(summary, snippet_of(texts, query))

    def _people(self, query: Query) -> list[frozenset[str]]:
        """For each wanted term, whom it names among those whom I know by name."""
        if self._keyring is None:
            self._keyring = Keyring.load(self._account)
        called = [
            (person.fingerprint.hex, person.local_name)
            for person in self._keyring.people()
            if person.local_name
        ]
        found = [names_meant(term, called) for term in query.wanted]
        return [people if len(people) <= _MOST_PEOPLE else frozenset() for people in found]

    def _muting(self) -> Marks | None:
        from mau.marks import Marks

        return Marks.load(self._account)
