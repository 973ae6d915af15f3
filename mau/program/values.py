"""What programs get. Frozen values: they hold what was true when they were made. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mau.content.address import Address
from mau.content.binding import Audience
from mau.content.links import links_of
from mau.content.shown import Media, Shown, shown
from mau.content.tags import tags_of
from mau.fingerprint import Fingerprint
from mau.reader.directed import Directed, directed_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mau.reader.open import OpenedPost
    from mau.reader.summary import Summary

_NOTHING = Shown("", "", "")


@dataclass(frozen=True, slots=True)
class Friend:
    """Somebody whose posts are for me, and mine for them. `name` is what I call them."""

    fingerprint: Fingerprint
    name: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Posted:
    """A post as it was stored.

    `address` is ``mau:/p2p/FPR/NAME.pgp``; `name` the whole file name; `sha256` that of the stored file.
    `left_out`: people who could read what this derives from and are not written to.
    """

    address: str
    name: str
    sha256: str
    audience: Audience
    left_out: tuple[Fingerprint, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """A post that was opened and checked: its one good signature is its author's.

    Only `checked` is False for a file larger than 16 MiB in a list: it is checked when `Me.save` opens it.
    All texts are others' words: cleaned of nothing, and to be shown inert. `author_name` is what I call the
    author, "" for somebody of whom no key is held. `kind` says what it is to me: an answer to a post of mine
    (``reply``), something that names me (``mention``), or just a ``post``.
    """

    address: str
    """``mau:/p2p/FPR/NAME.pgp``: what every method takes that asks for a post."""
    author: Fingerprint
    author_name: str
    name: str
    time: datetime
    """When it was signed, in UTC, to the second."""
    kind: Directed
    type: str
    """The schema.org word, such as ``SocialMediaPosting``; "" for a file that is no document."""
    title: str
    text: str
    tags: tuple[str, ...]
    audience: Audience | None
    """`PUBLIC`, or those for whom its author wrote it; None when it does not say."""
    answers: tuple[str, ...]
    """The addresses of what it answers; of what it acts upon, for a like or a share."""
    media: tuple[Media, ...]
    filename: str | None
    """What a shared file was called outside. Write to no such path."""
    size: int
    """Of the content, in bytes."""
    notes: tuple[str, ...]
    """What a reader should know although nothing is wrong."""
    document: Mapping[str, Any] | None = field(repr=False)
    """The whole JSON-LD document, when it is one."""
    checked: bool = True


@dataclass(frozen=True, slots=True)
class Turn:
    """One post of a thread, `depth` steps below the first.

    `post` is None when it cannot be shown; `missing` says why. Each person stands once in `likes`.
    """

    address: str
    depth: int
    parent: str | None
    post: Post | None
    missing: str
    likes: tuple[Fingerprint, ...]
    shares: tuple[Fingerprint, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A post that was searched for; `snippet` is one line of it around what was found (others' words)."""

    post: Post
    snippet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which posts of a timeline; see `Me.timeline`."""

    limit: int | None = None
    authors: Collection[str | Fingerprint] | None = None
    since: datetime | None = None
    until: datetime | None = None
    types: Collection[str] = ()
    tag: str = ""
    unread: bool = False
    muted: bool = False
    algorithm: str = ""


def post_of(opened: OpenedPost, me: Fingerprint, author_name: str, languages: Sequence[str] = ()) -> Post:
    """The value of an opened post. Texts are in the first of `languages` that it has."""
    document = opened.document
    seen = _NOTHING if document is None else shown(opened.author, document, languages)
    links = links_of(opened.author, document)
    return Post(
        address=str(Address(opened.author, opened.name)),
        author=opened.author,
        author_name=author_name,
        name=opened.name,
        time=datetime.fromtimestamp(opened.signed_at, UTC),
        kind=directed_at(me, opened.author, document),
        type=seen.type,
        title=seen.title,
        text=seen.body,
        tags=tags_of(document),
        audience=opened.audience,
        answers=tuple(str(one.address) for one in (*links.answers, *links.objects)),
        media=seen.media,
        filename=opened.filename,
        size=opened.opened.size,
        notes=opened.notes,
        document=document,
    )


def unopened(summary: Summary, author_name: str) -> Post:
    """A file that is too large to be opened for a list: known are its name, its size and its file's time."""
    return Post(
        address=str(summary.address),
        author=summary.author,
        author_name=author_name,
        name=summary.name,
        time=datetime.fromtimestamp(summary.time, UTC),
        kind="post",
        type="",
        title="",
        text="",
        tags=(),
        audience=None,
        answers=(),
        media=(),
        filename=None,
        size=summary.size,
        notes=(),
        document=None,
        checked=False,
    )
