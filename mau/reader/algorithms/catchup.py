"""What you missed: unread posts, those for you and of people close to you first, of nobody too many. Pure.

After some days away, whoever writes most would fill every page. So each author's first posts come before
anybody's fourth; who was silent for long is heard first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from mau.reader.algorithms.chronological import ago
from mau.reader.algorithms.view import Context, Placed, View

WINDOW: Final = 2000
PER_AUTHOR: Final = 3
LONG: Final = 14 * 86_400
"""Seconds of silence before a post that make it stand out."""
CLOSE: Final = "close"
"""Who is in the group of this name is close, whatever the ties."""


def order(posts: Sequence[View], context: Context) -> Iterator[Placed]:
    """Unread posts of others, the most urgent first."""
    silence = _silences(posts)
    written: Counter[str] = Counter()
    ranked: list[tuple[tuple[int, int, int], Placed]] = []
    for post in posts:
        if post.read or post.mine:
            continue
        written[post.author] += 1
        rank, why = _rank(post, context, silence.get(post.id, 0))
        # Who wrote much waits with the rest of it until everybody was heard; what is for me never waits.
        turn = 0 if rank == 0 else (written[post.author] - 1) // PER_AUTHOR
        if turn:
            why = f"{why}; number {written[post.author]} of the same author"
        ranked.append(((turn, rank, -post.time), Placed(post, f"{why}, {ago(context.now - post.time)}")))
    for _, placed in sorted(ranked, key=lambda one: one[0]):
        yield placed


def _rank(post: View, context: Context, silence: int) -> tuple[int, str]:
    if post.mention:
        return 0, "it is for you"
    if post.author in context.groups.get(CLOSE, ()):
        return 1, f"its author is in your group @{CLOSE}"
    if context.ties.get(post.author, 0) >= _close(context):
        return 1, f"you answered or liked this author {context.ties[post.author]} times lately"
    if silence >= LONG:
        return 2, f"the first of its author after {silence // 86_400} days"
    people = len(post.shared_by) + post.likes + post.replies
    if people >= 3:
        return 3, f"{people} likes, shares and answers"
    return 4, "unread"


def _close(context: Context) -> int:
    """So many ties make somebody close: among the upper fifth, and three at the least."""
    counts = sorted(context.ties.values(), reverse=True)
    return max(counts[len(counts) // 5], 3) if counts else 3


def _silences(posts: Sequence[View]) -> dict[str, int]:
    """For each post how long its author had been silent before, as far back as the posts go."""
    found: dict[str, int] = {}
    later: dict[str, View] = {}
    for post in posts:
        after = later.get(post.author)
        if after is not None:
            found[after.id] = after.time - post.time
        later[post.author] = post
    return found
