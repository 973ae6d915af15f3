"""Newest first, and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mau.reader.algorithms.view import Context, Placed, View

WINDOW = 0
"""So many posts as are shown are enough to know their order."""


def order(posts: Sequence[View], context: Context) -> Iterator[Placed]:
    """Every post, in the order of time."""
    for post in posts:
        why = "it came to you by a share" if post.shared_by and not post.mine else "newest first"
        yield Placed(post, f"{why}, {ago(context.now - post.time)}")


def ago(seconds: int) -> str:
    """A span of time in words: ``3 hours ago``."""
    for size, word in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {word}{'s' * (count > 1)} ago"
    return "just now" if seconds >= 0 else "ahead of this clock"
