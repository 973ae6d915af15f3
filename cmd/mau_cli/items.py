"""A post among others, in words and in JSON: in the timeline, and where news are told."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mau_cli.output import clean

if TYPE_CHECKING:
    from mau.content.binding import Audience
    from mau.content.media import Media
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.reader.contents import Content
    from mau.reader.summary import Summary
    from mau.reader.timeline import Item, Line

CHARACTERS = 600
"""Of a text among others."""
MOST_MEDIA = 4
_INDENT = "    "
_BAR = "|   "
_TOLD = frozenset({"parentItem", "inReplyTo"})
"""Words that are told beside the text: what it answers."""
_NAMED = 5


def item_words(keyring: Keyring, item: Item) -> str:
    """An item in several lines, without pictures."""
    from mau.content.origin import from_web

    post = _content(item)
    audience = None if post is None else post.audience
    me = keyring.me.fingerprint
    seen = None if post is None else from_web(me, post.author, post.document, post.audience)
    origin = "" if seen is None else seen.host
    head = _head(
        keyring, item.author, item.name, item.time, audience, checked=post is not None, origin=origin
    )
    if item.deleted:
        head += "  (deleted by its author)"
    lines = _unopened(item.size) if post is None else post_lines(keyring, post)
    return "\n".join([head, *(f"{_INDENT}{line}" for line in lines)])


def item_facts(keyring: Keyring, item: Item) -> dict[str, object]:
    """An item as `--json` tells it."""
    post = _content(item)
    facts = _facts(keyring, item.author, item.name, item.time, item.size, checked=post is not None)
    return facts | (_post_facts(post, deleted=item.deleted) if post is not None else {})


def _content(item: Item) -> Content | None:
    from mau.reader.contents import content_of

    return None if item.post is None else content_of(item.post)


def line_lines(
    keyring: Keyring,
    line: Line,
    post: Content | str | None,
    *,
    languages: Sequence[str] = (),
) -> list[str]:
    """A line of the timeline, cleaned. ``post``: opened; why it is not; None: too large for that.

    What we say of it is indented by two columns less than its text, so no text can pass for that. What it
    answers stands above; it is set in by bars, which no text of another depth can begin with.
    """
    one, margin = line.summary, _BAR * line.depth
    head = _head(
        keyring, one.author, one.name, one.time, one.audience, checked=one.checked, origin=one.origin
    )
    if one.deleted:
        head += "  (deleted by its author)"
    said = [clean(words) for words in _said(keyring, line)]
    if line.missing is not None:
        body = []
    elif post is None:
        body = _unopened(one.size)
    elif isinstance(post, str):
        body = [clean(post)]
    else:
        body = post_lines(keyring, post, languages, columns() - len(margin) - len(_INDENT))
    lines = [head, *(f"  {words}" for words in said), *(f"{_INDENT}{words}" for words in body)]
    return [f"{margin}{words}".rstrip() for words in lines]


def line_end(line: Line, *, explain: bool = False) -> list[str]:
    """What stands below a line and its pictures."""
    words = [*_counted(line)]
    if explain and line.why:
        words.append(f"here because: {line.why}")
    return [f"{_BAR * line.depth}  {clean(one)}" for one in words]


def line_facts(keyring: Keyring, line: Line, post: Content | str | None) -> dict[str, object]:
    """A line of the timeline as `--json` tells it."""
    one = line.summary
    facts = _facts(keyring, one.author, one.name, one.time, one.size, checked=one.checked)
    facts |= {
        "sha256": one.sha256,
        "type": one.type or None,
        "origin": one.origin or None,
        "tags": list(one.tags),
        "read": line.read,
        "muted": line.muted or None,
        "likes": line.likes,
        "dislikes": line.dislikes,
        "replies": line.replies,
        "shared_by": list(line.shared_by),
        "answers": None if line.answered is None else str(line.answered),
        "missing": None if line.missing is None else str(line.missing),
        "depth": line.depth,
        "why": line.why or None,
    }
    if isinstance(post, str):
        return facts | {"problem": post}
    return facts | (_post_facts(post, deleted=one.deleted) if post is not None else {})


def post_lines(keyring: Keyring, post: Content, languages: Sequence[str] = (), width: int = 0) -> list[str]:
    """What there is to read in a post, its beginning; for a file what it is. Cleaned."""
    from mau.content.links import word_of
    from mau_cli.display import item_lines
    from mau_cli.posts import size_words

    lines: list[str] = []
    if post.document is not None:
        lines = item_lines(
            post.author,
            {key: value for key, value in post.document.items() if word_of(key) not in _TOLD},
            width=width or columns() - len(_INDENT),
            languages=tuple(languages),
            characters=CHARACTERS,
            signed_at=post.signed_at,
            keyring=keyring,
        )
    if lines:
        return lines
    called_outside = f"{clean(post.filename)}, " if post.filename else ""
    return [f"{called_outside}{size_words(post.size)}"]


def media_of(post: Content | str | None) -> Sequence[Media]:
    """The first media of a post."""
    if post is None or isinstance(post, str) or post.document is None:
        return ()
    from mau.content.shown import shown

    return shown(post.author, post.document).media[:MOST_MEDIA]


def columns() -> int:
    """How wide the terminal is; where there is none nothing is wrapped."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000


# --- words -------------------------------------------------------------------------------------------------


def _head(
    keyring: Keyring,
    author: Fingerprint,
    name: str,
    time: int,
    audience: Audience | None,
    *,
    checked: bool,
    origin: str = "",
) -> str:
    from mau_cli.audience import audience_words, called
    from mau_cli.posts import local_time

    # What was copied from the web is never said to be somebody's own words.
    who = f"{clean(origin)} (from the web, not signed by it)" if origin else clean(called(keyring, author))
    if not checked:
        return f"{who}, {local_time(time)} (when it was stored)  {clean(name)}"
    whom = clean(audience_words(keyring, audience, author))
    return f"{who}, {local_time(time)}, for {whom}  {clean(name)}"


def _unopened(size: int) -> list[str]:
    from mau_cli.posts import size_words

    return [f"{size_words(size)}, not checked yet; `mau open` does"]


def _said(keyring: Keyring, line: Line) -> Iterator[str]:
    """What stands above the text."""
    from mau_cli.audience import called

    if line.missing is not None:
        yield f"shared {line.missing}, which is not held here; `mau thread` fetches it"
    if line.shared_by:
        yield f"shared by {_names(keyring, line.shared_by)}"
    if line.answers is not None:
        words = _beginning(line.answers)
        yield f"answers {called(keyring, line.answers.author)}{words}"
    elif line.answered is not None:
        yield f"answers {called(keyring, line.answered.author)}"
    if line.muted:
        yield f"muted: {line.muted}"


def _counted(line: Line) -> Iterator[str]:
    """What stands below the text."""
    counts = ((line.replies, "answer"), (line.likes, "like"), (line.dislikes, "dislike"))
    words = ", ".join(f"{count} {word}{'s' * (count > 1)}" for count, word in counts if count)
    if words:
        yield words


def _beginning(summary: Summary, most: int = 60) -> str:
    words = " ".join(summary.words.split())
    if not words:
        return ""
    return f": {words}" if len(words) <= most else f": {words[:most].rstrip()} ..."


def _names(keyring: Keyring, people: Sequence[Fingerprint]) -> str:
    from mau_cli.audience import called

    names = [called(keyring, one) for one in people[:_NAMED]]
    more = len(people) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


# --- JSON --------------------------------------------------------------------------------------------------


def _facts(
    keyring: Keyring, author: Fingerprint, name: str, time: int, size: int, *, checked: bool
) -> dict[str, object]:
    from mau.content.address import post_iri
    from mau_cli.people import moment

    person = keyring.person(author)
    return {
        "author": author,
        "who": person.local_name if person is not None and person.local_name else None,
        "name": name,
        "address": post_iri(author, name),
        "time": moment(time),
        "size": size,
        "checked": checked,
    }


def _post_facts(post: Content, *, deleted: bool) -> dict[str, object]:
    from mau_cli.audience import audience_facts
    from mau_cli.posts import document_facts

    return {
        "audience": audience_facts(post.audience),
        "filename": post.filename,
        "notes": list(post.notes),
        "deleted": deleted,
        "document": document_facts(post.document),
    }
