"""In which order posts are shown: what ships, and how to write another."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Final

from mau.reader.algorithms.loading import DEFAULT, names
from mau.reader.algorithms.view import Context, View

EXAMPLE: Final = '''
def order(posts, context):
    """Everything once, those whom I answer often first."""
    ties = context.ties
    return sorted(posts, key=lambda post: -ties.get(post.author, 0))
'''
_BEFORE: Final = """
The reader chooses the order. mau timeline --algorithm NAME takes one of these, the setting reader.algorithm
the one that counts without a word, and --explain says of each post why it stands where it stands.
"""
_OURS: Final = {
    "chronological": "newest first by the time of the signature; nothing left out",
    "catch-up": "what you have not read: what is for you, whom you are close to, whoever was silent for "
    "long; nobody fills a page",
    "conversations": "threads together, those first where something happened last",
}
_OTHERS: Final = "by another package that is installed here"
_FILE: Final = """
--algorithm FILE takes a Python file of your own (a path with / in it, or that ends with .py): a function
order(posts, context) that gets posts newest first and gives them back in the order that you want, without
those that you do not want. It must belong to you, nobody else may be able to write to it, and it may not lie
in the tree, where others put files.
"""
_SEES: Final = """
What it sees of a post: {post}. Of you: {context}. People are fingerprints, posts are addresses, times are
unix seconds. WINDOW = 500 in the file asks for so many posts, 0 for as many as are shown. It may give back
mau.reader.algorithms.Placed(post, why, depth), too: why is what --explain says, depth how far a post is set
in. Packages offer theirs as entry points of the group mau.algorithms.
"""


def text() -> str:
    """The topic."""
    ours = names()
    width = max(map(len, ours)) + 2
    lines: list[str] = []
    for name in ours:
        words = _OURS.get(name, _OTHERS) + (" (the default)" if name == DEFAULT else "")
        lines += _table(name, words, width)
    post = ", ".join(field.name for field in fields(View))
    context = ", ".join(field.name for field in fields(Context))
    example = "\n".join(f"  {line}".rstrip() for line in inspect.cleandoc(EXAMPLE).split("\n"))
    parts = [_BEFORE, "\n".join(lines), _FILE, example, _SEES.format(post=post, context=context)]
    return "\n\n".join(part.strip("\n") for part in parts)


def _table(name: str, words: str, width: int) -> list[str]:
    from textwrap import wrap

    first = f"  {name:<{width}}"
    return wrap(words, 76, initial_indent=first, subsequent_indent=" " * len(first))
