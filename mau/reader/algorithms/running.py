"""An algorithm is asked, and its answer checked (spec/reading.md RA5)."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from mau.errors import AlgorithmFailed
from mau.reader.algorithms.view import Context, Order, Placed, View

_WORDS = 500
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Algorithm:
    """``window``: so many of the newest posts it wants to see; 0: as many as are shown. ``place``: the file
    that it comes from, "" for what came with a package."""

    name: str
    order: Order
    window: int
    place: str = ""


def run(algorithm: Algorithm, posts: Sequence[View], context: Context) -> list[Placed]:
    """The posts in the order of the algorithm, at most ``context.limit``.

    AlgorithmFailed when it fails, answers something else than posts that it was given, or one twice.
    """
    given = {post.id: post for post in posts}
    seen: set[str] = set()
    found: list[Placed] = []
    try:
        for placed in islice(_answers(algorithm, posts, context), context.limit):
            post = placed.post
            if post.id not in given or given[post.id] is not post:
                raise AlgorithmFailed(f"the algorithm {algorithm.name!r} made up a post: {post.id!r:.100}")
            if post.id in seen:
                raise AlgorithmFailed(f"the algorithm {algorithm.name!r} answers {post.id!r} twice")
            seen.add(post.id)
            found.append(placed)
    except AlgorithmFailed:
        raise
    except (Exception, SystemExit) as error:  # whatever a file of somebody's own raises
        raise failed(algorithm.name, algorithm.place, error) from error
    return found


def failed(name: str, place: str, error: BaseException) -> AlgorithmFailed:
    """The error of an algorithm in words, with its line where that is known."""
    line = ""
    if place:
        lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == place]
        if isinstance(error, SyntaxError) and error.lineno is not None:
            lines.append(error.lineno)
        line = f", line {lines[-1]}" if lines else ""
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return AlgorithmFailed(f"the algorithm {name!r}{line} fails: {words:.{_WORDS}}")


def _answers(algorithm: Algorithm, posts: Sequence[View], context: Context) -> Iterator[Placed]:
    for answer in algorithm.order(tuple(posts), context):
        placed = Placed(answer) if isinstance(answer, View) else answer
        if not isinstance(placed, Placed) or not isinstance(placed.post, View):
            raise AlgorithmFailed(
                f"the algorithm {algorithm.name!r} answers {type(answer).__name__}, no View and no Placed"
            )
        if not isinstance(placed.why, str) or type(placed.depth) is not int:
            raise AlgorithmFailed(f"the algorithm {algorithm.name!r} answers a Placed whose words are none")
        yield Placed(placed.post, placed.why[:_WORDS], min(max(placed.depth, 0), _DEEPEST))
