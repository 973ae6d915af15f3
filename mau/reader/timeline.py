"""The timeline: posts of everybody I follow and mine, in the order that I chose (spec/reading.md RL1-RL10).

Likes and the like are no lines: they are counted at what they are about. A share shows what was shared, when
that is not in the timeline anyway. Every line is looked at once more before it is told: what it says is what
its file holds.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from mau.content.binding import PUBLIC
from mau.fingerprint import Fingerprint
from mau.reader.algorithms import Algorithm, Context, View, run
from mau.reader.looking import MAX_OPENED
from mau.reader.rows import Act, Choice
from mau.reader.summary import Summary

if TYPE_CHECKING:
    from mau.content.address import Address
    from mau.keyring import Keyring
    from mau.marks import Marks
    from mau.reader.open import OpenedPost
    from mau.reader.reading import Reading

__all__ = ["MAX_OPENED", "Ask", "Item", "Line", "Timeline"]

_ROWS: Final = frozenset({"", "share"})
_OWN: Final = 500
"""So many of the newest own posts tell to whom the reader is close."""
_FEW: Final = 4
"""People of an audience, author and reader among them: what is for so few is for the reader."""
_ATTEMPTS: Final = 3
_PIECE: Final = 500


@dataclass(frozen=True, slots=True)
class Item:
    """A post among others. `post` is None for a file too large to be opened for a list.

    `time` is the signature's, in unix seconds; the file's own when it was not opened. `deleted`: its author
    deleted it, and it is still here.
    """

    author: Fingerprint
    name: str
    size: int
    time: int
    post: OpenedPost | None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be shown: at most so many of these, only unread ones, muted ones too."""

    choice: Choice = field(default_factory=Choice)
    limit: int | None = None
    unread: bool = False
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One post in its place; a share of something that is not here stands for it.

    ``time``: when it came to be seen (`View.time`). ``why`` and ``depth`` as the algorithm says. ``answers``:
    the post that it answers, where that is held and not muted; ``answered``: its address, held or not.
    ``muted``: why it is not shown as a rule.
    """

    summary: Summary
    time: int
    why: str = ""
    depth: int = 0
    shared_by: tuple[Fingerprint, ...] = ()
    replies: int = 0
    likes: int = 0
    dislikes: int = 0
    read: bool = False
    muted: str = ""
    answers: Summary | None = None
    answered: Address | None = None

    @property
    def missing(self) -> Address | None:
        """What was shared and is not here; None for a post."""
        objects = self.summary.links.objects
        return objects[0].address if self.summary.links.act == "share" and objects else None


class Timeline:
    """Gathers lines from a `Reading` that was brought up to date."""

    def __init__(self, reading: Reading, keyring: Keyring, marks: Marks) -> None:
        self._reading = reading
        self._keyring = keyring
        self._marks = marks
        self._me = keyring.me.fingerprint

    @property
    def marks(self) -> Marks:
        """What is read and muted, as it was taken."""
        return self._marks

    def lines(self, ask: Ask, algorithm: Algorithm) -> list[Line]:
        """The lines in the order of the algorithm. AlgorithmFailed."""
        for _ in range(_ATTEMPTS):
            found = self._lines(ask, algorithm)
            if self._reading.check(line.summary for line in found):
                break  # else a file was changed by hand in the meantime: now that is known
        return found

    def stream(self, ask: Ask, algorithm: Algorithm) -> Iterator[Line]:
        """As `lines`; where the order is known from a few at a time, no more are held in memory."""
        if algorithm.window or ask.limit is not None:
            yield from self.lines(ask, algorithm)
            return
        gathered = self._gathered(self._reading.choose(replace(ask.choice, acts=_ROWS)), ask)
        while some := list(islice(gathered, _PIECE)):
            if not self._reading.check(line.summary for line in some):
                held = ((line, self._reading.get(line.summary.author, line.summary.name)) for line in some)
                some = [replace(line, summary=one) for line, one in held if one is not None and not one.error]
            yield from self._ordered(some, ask, algorithm)

    def line(self, summary: Summary, ask: Ask) -> Line | None:
        """The line of one post that has just come; None when it is not asked for."""
        if not replace(ask.choice, acts=_ROWS).fits(summary):
            return None
        return next(self._gathered([summary], ask), None)

    def _lines(self, ask: Ask, algorithm: Algorithm) -> list[Line]:
        choice = replace(ask.choice, acts=_ROWS)
        gathered = self._gathered(self._reading.choose(choice), ask)
        window = None if ask.limit is None else max(algorithm.window, ask.limit)
        return self._ordered(list(islice(gathered, window)), ask, algorithm)

    def _ordered(self, lines: Sequence[Line], ask: Ask, algorithm: Algorithm) -> list[Line]:
        by_id = {str(line.summary.address): line for line in lines}
        views = [self._view(line) for line in lines]
        context = self._context(ask, ties=algorithm.window > 0)
        return [
            replace(by_id[placed.post.id], why=placed.why, depth=placed.depth)
            for placed in run(algorithm, views, context)
        ]

    def _gathered(self, summaries: Iterable[Summary], ask: Ask) -> Iterator[Line]:
        """Lines of posts and of what was shared, those that are asked for, in the order of the posts."""
        for summary in summaries:
            line = self._of_share(summary, ask.choice) if summary.links.act else self._of_post(summary, ())
            if line is None or (ask.unread and line.read):
                continue
            line = replace(line, muted=self._muted(line, summary))
            if ask.muted or not line.muted:
                yield line

    def _of_share(self, share: Summary, choice: Choice) -> Line | None:
        """What was shared; None when it stands elsewhere in the timeline."""
        if not share.links.objects:
            return None
        target = share.links.objects[0].address
        held = None if target.name is None else self._reading.get(target.author, target.name)
        if held is None or held.error or held.apart:
            return Line(share, share.time, read=self._marks.is_read(share))
        if held.deleted or not held.hidden:
            return None  # it is gone; or it stands there itself
        sharers = self._sharers(held, choice)
        if not sharers or (sharers[0].author, sharers[0].time) != (share.author, share.time):
            return None  # it stands where it was shared first
        return replace(self._of_post(held, sharers), time=share.time)

    def _of_post(self, summary: Summary, sharers: Iterable[Act]) -> Line:
        acts = self._reading.acts_upon(summary.address)
        by_act = Counter(act for act, _ in {(one.act, one.author) for one in acts})
        shared_by = [one.author for one in sharers or acts if one.act == "share" and not one.hidden]
        answered = summary.links.answers[0].address if summary.links.answers else None
        answers = None
        if answered is not None and answered.name is not None:
            answers = self._reading.get(answered.author, answered.name)
        return Line(
            summary,
            summary.time,
            shared_by=tuple(dict.fromkeys(shared_by)),
            replies=sum(one.act == "" for one in acts),
            likes=by_act["like"],
            dislikes=by_act["dislike"],
            read=self._marks.is_read(summary),
            answers=answers if answers is not None and self._is_told(answers) else None,
            answered=answered,
        )

    def _sharers(self, summary: Summary, choice: Choice) -> list[Act]:
        """Who of those that count shared a post, the first one first."""
        acts = self._reading.acts_upon(summary.address)
        return [
            one
            for one in acts
            if one.act == "share"
            and not one.hidden
            and (choice.authors is None or one.author in choice.authors)
            and (choice.since is None or one.time >= choice.since)
        ]

    def _is_told(self, summary: Summary) -> bool:
        """Whether its beginning may stand above an answer."""
        return not (summary.error or summary.apart or summary.deleted or self._marks.muted(summary))

    def _muted(self, line: Line, brought: Summary) -> str:
        reason = self._marks.muted(line.summary, find=self._reading.get)
        if not reason and brought is not line.summary:
            reason = self._marks.muted(brought)
        return reason

    # --- for the algorithm ---------------------------------------------------------------------------------

    def _view(self, line: Line) -> View:
        one = line.summary
        few = isinstance(one.audience, frozenset) and len(one.audience) <= _FEW and self._me in one.audience
        named = self._me in one.links.mentions
        answers = [reference.address for reference in one.links.answers]
        return View(
            id=str(one.address),
            author=one.author.hex,
            time=line.time,
            type=one.type,
            words=one.words,
            tags=one.tags,
            answers=tuple(map(str, answers)),
            public=one.audience == PUBLIC,
            read=line.read,
            mine=one.author == self._me,
            mention=few or named or any(address.author == self._me for address in answers),
            likes=line.likes,
            dislikes=line.dislikes,
            replies=line.replies,
            shared_by=tuple(author.hex for author in line.shared_by),
        )

    def _context(self, ask: Ask, *, ties: bool) -> Context:
        people = [self._keyring.me, *self._keyring.friends(), *self._keyring.known()]
        groups = {
            group: frozenset(person.fingerprint.hex for person in self._keyring.members(group))
            for group in self._keyring.groups()
        }
        return Context(
            now=int(time.time()),
            me=self._me.hex,
            limit=ask.limit,
            names={person.fingerprint.hex: person.local_name for person in people},
            groups=groups,
            ties=self._ties() if ties else {},
        )

    def _ties(self) -> dict[str, int]:
        """How often I turned to whom in my newest posts."""
        found: Counter[str] = Counter()
        for summary in islice(self._reading.newest([self._me]), _OWN):
            links = summary.links
            people = {reference.address.author for reference in (*links.answers, *links.objects)}
            found.update(person.hex for person in people | set(links.mentions))
        del found[self._me.hex]
        return dict(found)
