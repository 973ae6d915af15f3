"""The owner's marks: read, muted, blocked, pinned; loaded once, changed on what lies on the disk then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mau.acceptance import MAX_AHEAD
from mau.fingerprint import Fingerprint
from mau.marks.decisions import Decision, Decisions, Deed
from mau.marks.document import dump_decisions, dump_reads, load_decisions, load_reads
from mau.marks.muting import Find, Muting
from mau.marks.names import MARKS_NAME, READ_NAME
from mau.marks.reads import Reads
from mau.marks.store import Kind, MarksFile
from mau.marks.subject import Subject

if TYPE_CHECKING:
    from mau.account import Account
    from mau.reader.summary import Summary

_DECISIONS = Kind(MARKS_NAME, Decisions(), dump_decisions, load_decisions)


def _less(reads: Reads) -> Reads:
    return reads.tidy(reads.latest, max(len(reads.marks) // 2, 1)) if len(reads.marks) > 1 else reads


_READS = Kind(READ_NAME, Reads(), dump_reads, load_reads, _less)


class Marks:
    """What one owner has said about what others wrote, as of the loading or the last change.

    Every change is made on what is on the disk at that moment, under a lock: several programs lose nothing.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._decisions_file = decisions_file(account)
        self._reads_file = MarksFile(account, _READS)
        self.decisions = Decisions()
        self.reads = Reads()
        self.warnings: tuple[str, ...] = ()
        """What of the files does not hold, in words for people; it is passed over."""
        self._muting: Muting | None = None
        self._stamp: object = None
        self.refresh()

    @classmethod
    def load(cls, account: Account) -> Marks:
        """Read the marks of an unlocked account. Never an error: what does not hold is in `warnings`."""
        return cls(account)

    def refresh(self) -> bool:
        """Read again if anything changed on the disk, and see which mutes ended; whether anything changed."""
        self._muting = None
        stamp = self._decisions_file.stamp(), self._reads_file.stamp()
        if stamp == self._stamp:
            return False
        decided, read = self._decisions_file.read(), self._reads_file.read()
        self.decisions, self.reads, self._stamp = decided.value, read.value, stamp
        self.warnings = (*decided.warnings, *read.warnings)
        return True

    # --- asking --------------------------------------------------------------------------------------------

    def is_read(self, summary: Summary) -> bool:
        """Whether this content was read; one's own posts always are, but not copies from the web."""
        if summary.author == self._account.fingerprint and not summary.origin:
            return True
        return self.reads.is_read(summary.author, summary.name, summary.time)

    def muted(self, summary: Summary, *, text: str = "", find: Find | None = None) -> str:
        """Why a post is not to be shown in lists: muted or blocked; "" when it is.

        ``text``: all that is to read in it, where it is at hand (the summary has its beginning). ``find``:
        as `Reading.get`; with it answers to answers in a muted thread are found, too.
        """
        if self._muting is None:
            now = int(time.time())
            mutes = self.decisions.holding("mute", now)
            self._muting = Muting(self._account.fingerprint, mutes, self.blocked)
        return self._muting.reason(summary, text, find)

    @property
    def blocked(self) -> frozenset[Fingerprint]:
        """Who is blocked."""
        return self.decisions.blocked(int(time.time()))

    @property
    def pinned(self) -> tuple[str, ...]:
        """The pinned tags, by name."""
        return tuple(sorted(one.subject.value for one in self.decisions.holding("pin", int(time.time()))))

    def holding(self, deed: Deed) -> list[Decision]:
        """The mutes, blocks or pins that hold now, in the order in which they were said."""
        return sorted(self.decisions.holding(deed, int(time.time())), key=lambda one: (one.at, one.subject))

    # --- saying --------------------------------------------------------------------------------------------

    def mark_read(self, summaries: Iterable[Summary]) -> None:
        """Mark these contents as read; nothing is written when they are."""
        self._mark(summaries, read=True)

    def mark_unread(self, summaries: Iterable[Summary]) -> None:
        """Mark these contents as not read."""
        self._mark(summaries, read=False)

    def mark_all_read(self, until: int | None = None, authors: Iterable[Fingerprint] | None = None) -> None:
        """Mark as read whatever was signed up to `until` (unix seconds; now), of these authors or of all."""
        whose = None if authors is None else frozenset(authors)
        now = int(time.time())
        end = now if until is None else min(until, now + MAX_AHEAD)
        self._change_reads(lambda reads: reads.all_read(end, _now_after(reads.latest), whose))

    def mark_read_until(self, ends: Mapping[Fingerprint, int]) -> None:
        """Mark as read what each of these authors signed up to a time.

        With the time of the newest post of each that is held, what arrives later is unread, however old.
        """

        def change(reads: Reads) -> Reads:
            at, last = _now_after(reads.latest), int(time.time()) + MAX_AHEAD
            for author, end in ends.items():
                # A file's own time may be any: it must not hide what is written later.
                reads = reads.all_read(min(end, last), at, [author])
            return reads

        self._change_reads(change)

    def mark_all_unread(self) -> None:
        """Forget all that was read."""
        self._change_reads(lambda reads: reads.all_unread(_now_after(reads.latest)))

    def decide(self, deed: Deed, subject: Subject, *, on: bool = True, until: int | None = None) -> bool:
        """Mute, block or pin, for good or until a time; or take that back. Whether that changed anything."""
        changed = False

        def change(held: Decisions) -> Decisions:
            nonlocal changed
            now = int(time.time())
            before = held.held.get((deed, subject))
            held_before = before is not None and before.holds(now)
            changed = held_before != on or (on and before is not None and before.until != until)
            if not changed:
                return held
            word = Decision(deed, subject, _now_after(held.latest), on, until)
            return Decisions.of((*held.held.values(), word)).without_ended(now)

        self.decisions = self._decisions_file.change(change)
        self._muting = None
        return changed

    def _mark(self, summaries: Iterable[Summary], *, read: bool) -> None:
        own = self._account.fingerprint
        posts = [(one.author, one.name, one.time) for one in summaries if one.author != own or one.origin]
        if all(self.reads.is_read(*post) == read for post in posts):
            return
        self._change_reads(lambda reads: reads.marked(posts, _now_after(reads.latest), read=read))

    def _change_reads(self, change: Callable[[Reads], Reads]) -> None:
        self.reads = self._reads_file.change(change)


def decisions_file(account: Account) -> MarksFile[Decisions]:
    """The file of mutes, blocks and pins. Whom one refuses is kept outside the tree as well (MK8)."""
    from platformdirs import user_state_dir

    copy = Path(user_state_dir("mau")) / account.fingerprint.hex / MARKS_NAME
    return MarksFile(account, _DECISIONS, copy=copy)


def blocked(account: Account) -> frozenset[Fingerprint]:
    """Whom the owner of an account refuses now. Never an error."""
    return decisions_file(account).read().value.blocked(int(time.time()))


def _now_after(latest: int) -> int:
    """Now, but after everything that was said before: of two words of one second the later one counts."""
    return max(int(time.time()), latest + 1)
