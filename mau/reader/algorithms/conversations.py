"""Threads together, first those where something happened last; a post without answers is one, too. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from mau.reader.algorithms.chronological import ago
from mau.reader.algorithms.view import Context, Placed, View

WINDOW: Final = 1000
DEEPEST: Final = 6
"""Answers below that are not indented further."""


def order(posts: Sequence[View], context: Context) -> Iterator[Placed]:
    """Each thread from its first post on, answers below what they answer, oldest first."""
    held = {post.id: post for post in posts}
    parents = {post.id: _parent(post, held) for post in posts}
    heads = {post.id: _head(post.id, parents) for post in posts}
    below: dict[str, list[View]] = defaultdict(list)
    latest: dict[str, View] = {}
    for post in posts:  # newest first: of each thread, the first one met is its latest
        head = heads[post.id]
        latest.setdefault(head, post)
        parent = parents[post.id]
        if parent is not None and post.id != head:
            below[parent].append(post)
    for head, last in sorted(latest.items(), key=lambda one: (-one[1].time, one[0])):
        why = f"the last of this conversation is from {ago(context.now - last.time)}"
        waiting = [(held[head], 0)]
        while waiting:
            post, depth = waiting.pop()
            yield Placed(post, why if depth == 0 else "it answers what stands above", min(depth, DEEPEST))
            waiting += [(answer, depth + 1) for answer in below[post.id]]  # newest first, so oldest on top


def _parent(post: View, held: dict[str, View]) -> str | None:
    """The first of the posts that it answers that is here."""
    return next((one for one in post.answers if one in held and one != post.id), None)


def _head(post: str, parents: dict[str, str | None]) -> str:
    """Where its thread begins. Posts that answer each other in a ring begin with the least address."""
    seen: dict[str, None] = {}
    here = post
    while (parent := parents[here]) is not None:
        if here in seen:
            ring = list(seen)[list(seen).index(here) :]
            return min(ring)
        seen[here] = None
        here = parent
    return here
