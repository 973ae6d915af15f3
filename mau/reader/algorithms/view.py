"""What an algorithm sees of posts, and what it answers (RA2-RA4). Values; nothing here reads anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class View:
    """One post. People are fingerprints (40 hex digits), posts are addresses (``mau:/p2p/FPR/NAME.pgp``).

    ``time``: when it came to be seen, in unix seconds: its signature's, or, of a post by somebody whom the
    reader does not follow, that of the first share. ``answers``: the posts that it answers. ``mention``: it
    names the reader, is addressed to him and few others, or answers a post of his. ``likes``, ``dislikes``,
    ``replies`` and ``shared_by`` count those that the reader can read.
    """

    id: str
    author: str
    time: int
    type: str = ""
    words: str = ""
    tags: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    public: bool = False
    read: bool = False
    mine: bool = False
    mention: bool = False
    likes: int = 0
    dislikes: int = 0
    replies: int = 0
    shared_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What it is about. ``now`` in unix seconds; ``me``: the reader; ``limit``: so many are asked for.

    ``names``: what the reader calls people. ``groups``: who is in which of his groups. ``ties``: how often he
    himself answered, liked, shared or wrote to somebody lately.
    """

    now: int
    me: str
    limit: int | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ties: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Placed:
    """A post in its place. ``why`` says for people why it stands there; ``depth``: how far it is indented
    below what it answers."""

    post: View
    why: str = ""
    depth: int = 0


Order = Callable[[Sequence[View], Context], Iterable[Placed | View]]
"""``order(posts, context)``: the posts come newest first; what is left out is not shown."""
