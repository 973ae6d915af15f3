"""Those who write seldom first: `mau timeline --algorithm ./small_voices.py --explain`.

An algorithm is a function over values: posts come newest first, and are answered in the order in which they
are to be shown. It reads no files and asks nobody; whatever it leaves out is not shown.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from mau.reader.algorithms import Context, Placed, View

WINDOW = 500
"""So many of the newest posts are looked at."""


def order(posts: Sequence[View], context: Context) -> Iterator[Placed]:
    """Every post once, by how much its author wrote; what is for me stands above all of it."""
    written = Counter(post.author for post in posts)

    def rank(post: View) -> tuple[bool, int, int]:
        return not post.mention, written[post.author], -post.time

    for post in sorted(posts, key=rank):
        who = context.names.get(post.author, post.author[:8])
        why = "it is for you" if post.mention else f"{who} wrote {written[post.author]} of these {len(posts)}"
        yield Placed(post, why)
