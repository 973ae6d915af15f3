"""Threads: a post, what it answers, all that answers it or acts upon it (spec/conversations.md CV40-CV43).

Gathered from what is held of everybody, mine included. Documents of others decide what hangs where, so
everything is bounded: each post stands in a thread once, whatever circles they make.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, Protocol

from mau.content.address import Address

if TYPE_CHECKING:
    from mau.content.links import Reference
    from mau.fingerprint import Fingerprint
    from mau.reader.summary import Summary

MOST: Final = 1000
"""Posts in one thread."""
DEEPEST: Final = 64
"""Answers to answers to answers ... below the first post; and so far up one looks for that."""

Saw = Literal["", "older", "other"]


class Held(Protocol):
    """What is held, in short: `mau.reader.reading.Reading`."""

    def get(self, author: Fingerprint, name: str) -> Summary | None:
        """What is held under that name."""

    def pointing_at(self, address: Address) -> list[Summary]:
        """All that answers a post or acts upon it, newest first."""


@dataclass(frozen=True, slots=True)
class Node:
    """One post of a thread, `depth` steps below the first.

    `summary` is None, or has an error, when it cannot be shown; `missing` says why in words. `saw`: which
    content of `parent` its author had before him: the one that is held (""), one that was replaced since
    ("older"), or one that is not held ("other"). Each person stands once in `likes` or in `dislikes`.
    """

    address: Address
    depth: int
    parent: Address | None
    summary: Summary | None
    missing: str = ""
    saw: Saw = ""
    likes: tuple[Fingerprint, ...] = ()
    dislikes: tuple[Fingerprint, ...] = ()
    shares: tuple[Fingerprint, ...] = ()
    pointed_at_by: tuple[Fingerprint, ...] = ()
    """Who answered or shared it: they may hold it where it is missing."""


@dataclass(frozen=True, slots=True)
class Thread:
    """`nodes` in the order in which people read them: each post before its answers, the older ones first.

    `asked` is the post that was asked for. `left_out`: so many posts more are held, beyond the bounds.
    """

    asked: Address
    nodes: tuple[Node, ...]
    left_out: int = 0

    @property
    def missing(self) -> tuple[Node, ...]:
        """What belongs to it and cannot be shown."""
        return tuple(node for node in self.nodes if node.missing)


@dataclass(slots=True)
class _Branch:
    """A post while its thread is gathered; `children` in the order in which they are read."""

    node: Node
    children: list[_Branch] = field(default_factory=list)


def gather(
    held: Held,
    address: Address,
    *,
    why: Callable[[Address, Summary | None], str] | None = None,
    most: int = MOST,
    deepest: int = DEEPEST,
) -> Thread:
    """The thread of a post, as far as it is held.

    `why` says in words why a post cannot be shown; "" when it can.
    """
    asked = Address(address.author, address.name)
    why = why or why_missing
    first, path = _first(held, asked, deepest)
    placed = {first}
    root = _Branch(_node(held, first, 0, None, None, why))
    waiting = deque([root])
    left_out = 0
    while waiting:
        branch = waiting.popleft()
        answers, branch.node = _gathered(held, branch.node, path)
        for answer in answers:
            if answer.address in placed:
                continue
            # The way to the post that was asked for is always in it.
            if (len(placed) >= most or branch.node.depth >= deepest) and answer.address not in path:
                left_out += 1
                continue
            placed.add(answer.address)
            child = _Branch(_node(held, answer.address, branch.node.depth + 1, branch.node, answer, why))
            branch.children.append(child)
            waiting.append(child)
    return Thread(asked, tuple(_in_order(root)), left_out)


def why_missing(_: Address, summary: Summary | None) -> str:
    """Why a post cannot be shown, as far as what is held says that; "" when it can."""
    if summary is None:
        return "not held"
    if summary.deleted:
        return "deleted"
    if not summary.error:
        return ""
    known = {"NotReadable": "not for you", "UnknownAuthor": "author unknown"}
    return known.get(summary.error, f"refused: {summary.error}")


def target_of(summary: Summary) -> Reference | None:
    """What a post hangs below: the post that it answers, or the one that it acts upon."""
    links = summary.links
    for one in (*links.answers, *links.objects):
        if one.address.name is not None:
            return one
    return None


def _first(held: Held, asked: Address, deepest: int) -> tuple[Address, frozenset[Address]]:
    """The post with which the thread begins, and those on the way from there to the one asked for."""
    at, path = asked, {asked}
    for _ in range(deepest):
        summary = held.get(at.author, at.name or "")
        target = None if summary is None or summary.error or summary.deleted else target_of(summary)
        if target is None or target.address in path:
            break
        at = target.address
        path.add(at)
    return at, frozenset(path)


def _gathered(held: Held, node: Node, path: frozenset[Address]) -> tuple[list[Summary], Node]:
    """What is read below a post, the oldest first; and the post with what was done to it.

    Of each person the newest like or dislike counts. A share without words is counted, one with words read;
    what is on the way to the post that was asked for is read in any case.
    """
    opinions: dict[Fingerprint, str] = {}
    shares: dict[Fingerprint, None] = {}
    pointing: dict[Fingerprint, None] = {}
    answers: list[Summary] = []
    for one in held.pointing_at(node.address):
        act = one.links.act
        if act in ("like", "dislike"):
            opinions.setdefault(one.author, act)
        elif act == "share":
            shares[one.author] = None
        if act in ("", "share"):
            pointing[one.author] = None
        if not act or (act == "share" and one.words) or one.address in path:
            answers.append(one)
    answers.sort(key=lambda one: (one.time, one.author, one.name))
    return answers, replace(
        node,
        likes=tuple(sorted(who for who, act in opinions.items() if act == "like")),
        dislikes=tuple(sorted(who for who, act in opinions.items() if act == "dislike")),
        shares=tuple(sorted(shares)),
        pointed_at_by=tuple(pointing),
    )


def _node(
    held: Held,
    address: Address,
    depth: int,
    parent: Node | None,
    answer: Summary | None,
    why: Callable[[Address, Summary | None], str],
) -> Node:
    summary = answer if answer is not None else held.get(address.author, address.name or "")
    return Node(
        address=address,
        depth=depth,
        parent=None if parent is None else parent.address,
        summary=summary,
        missing=why(address, summary),
        saw="" if parent is None or summary is None else _saw(summary, parent),
    )


def _saw(summary: Summary, parent: Node) -> Saw:
    """Which content of its parent the author of a post had before him, as he says."""
    if parent.summary is None:
        return ""
    links = summary.links
    stated = {
        one.sha256
        for one in (*links.answers, *links.objects)
        if one.address == parent.address and one.sha256 is not None
    }
    if not stated or parent.summary.sha256 in stated:
        return ""
    return "older" if summary.time <= parent.summary.time else "other"


def _in_order(root: _Branch) -> Iterable[Node]:
    waiting = [root]
    while waiting:
        branch = waiting.pop()
        yield branch.node
        waiting.extend(reversed(branch.children))
