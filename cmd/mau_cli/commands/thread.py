"""`mau thread`: a post with what it answers, and all that was answered to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mau.errors import MauError
from mau_cli.context import Session
from mau_cli.output import clean, data, emit_json, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mau.content.address import Address
    from mau.conversation.missing import Fetched
    from mau.conversation.thread import Node, Thread
    from mau.fingerprint import Fingerprint
    from mau.hostport import Address as Place
    from mau.keyring import Keyring
    from mau.reader.reading import Reading
    from mau.reader.summary import Summary

_SHORT = 10.0
"""Seconds for which missing pieces are asked for when nobody said that they are to be fetched."""
_INDENT = 12  # the deepest indentation, in steps of two columns
_NARROWEST = 30  # columns that a text has, however deep it stands
_CHARACTERS = 2000  # of a text
_LARGE = 2 << 20  # bytes of a file that is not opened for this: no document is as large
_DOCUMENTS = 16 << 20  # bytes of the files whose documents stand in the JSON
_TOLD = frozenset({"parentItem", "inReplyTo", "object"})  # what the tree shows by itself
_SAW = {"older": "answers what it said before it was edited", "other": "answers a content that is not held"}


@click.command("thread")
@click.argument("ref")
@click.option(
    "--fetch/--offline",
    default=None,
    help="Take the time to fetch what is missing, or ask nobody. By default it is tried for ten seconds.",
)
@click.option("--via", metavar="FRIEND", multiple=True, help="Ask this friend first; may be repeated.")
@click.option("--at", "at", multiple=True, metavar="HOST:PORT", help="Where the author of REF is.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=200, show_default=True, help="So many posts at most."
)
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def command(
    session: Session,
    ref: str,
    fetch: bool | None,
    via: tuple[str, ...],
    at: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """Show the post REF in its conversation: what it answers, its answers, who likes and shares it.

    What is missing is fetched from whoever answered or shared it, or from its author, and said with
    the reason where it cannot be had. Posts of people whom you do not follow stay out of the timeline.
    """
    from mau.conversation.missing import Why
    from mau.conversation.thread import gather
    from mau.reader.reading import Reading
    from mau_cli.people import suspect_keyring
    from mau_cli.posts import resolve_address

    keyring = suspect_keyring(session)
    asked = resolve_address(session, keyring, ref)
    why = Why(session.account(), keyring)
    with Reading(session.account(), keyring) as reading:

        def gathered() -> Thread:
            reading.refresh()
            return gather(reading, asked, why=why, most=limit)

        thread = gathered()
        if fetch is not False and thread.missing and keyring.problem is None:
            hints = _hints(asked, ref, at)
            friends = [keyring.resolve_fingerprint(who) for who in via]
            fetched = _fetch(session, keyring, gathered, hints, friends, 60.0 if fetch else _SHORT)
            why.told.update(fetched.failed)
            thread = gathered()
        if as_json:
            emit_json(_facts(keyring, thread, reading))
            return
        showing = _Showing(session, keyring, thread, reading)
        for number, node in enumerate(thread.nodes):
            data("\n" * (number > 0) + showing.words(node))
        showing.done()
    if thread.left_out:
        say(f"{thread.left_out} more are held; --limit shows more of them.")


def _hints(asked: Address, ref: str, at: Sequence[str]) -> dict[Fingerprint, Sequence[Place]]:
    """Where the author is, as it was said by hand or stands in the address itself."""
    from mau.content.address import location_of
    from mau.hostport import parse_address

    said = [parse_address(one) for one in at]
    place = location_of(ref) if ref.startswith("mau:") else None
    places = [*said, *([place] if place is not None else [])]
    return {asked.author: places} if places else {}


def _fetch(
    session: Session,
    keyring: Keyring,
    gathered: Callable[[], Thread],
    hints: dict[Fingerprint, Sequence[Place]],
    via: Sequence[Fingerprint],
    seconds: float,
) -> Fetched:
    import asyncio

    from mau.conversation.missing import fetch_missing
    from mau.syncer.once import Syncer
    from mau_cli.following import asks_friends, policy_of, take_given

    take_given(session)

    async def run() -> Fetched:
        syncer = Syncer(session.account(), keyring, policy=policy_of(session))
        try:
            return await fetch_missing(
                syncer,
                gathered,
                hints=hints,
                via=via,
                ask_friends=asks_friends(session),
                seconds=seconds,
            )
        finally:
            syncer.close()

    fetched = asyncio.run(run())
    if fetched.came:
        say(f"{len(fetched.came)} fetched.")
    return fetched


# --- in words ----------------------------------------------------------------------------------------------


class _Showing:
    """Shows posts of one thread: each opened when it is its turn."""

    def __init__(self, session: Session, keyring: Keyring, thread: Thread, reading: Reading) -> None:
        from mau_cli.display import languages_of
        from mau_cli.marking import loaded_marks

        self._session = session
        self._keyring = keyring
        self._thread = thread
        self._reading = reading
        self._marks = loaded_marks(session)
        self._shown: list[Summary] = []
        self._languages = languages_of(session)
        asked = next(node.summary for node in thread.nodes if node.address == thread.asked)
        # Who asks for a thread that is muted wants to see it.
        self._mutes = asked is None or not self._marks.muted(asked, find=reading.get)

    def words(self, node: Node) -> str:
        """A post in several lines, indented below what it answers."""
        from mau_cli.audience import audience_words, called
        from mau_cli.deeds import deed_words
        from mau_cli.posts import local_time, ref_words

        keyring = self._keyring
        ref = clean(ref_words(keyring, node.address.author, node.address.name or ""))
        mark = "> " if node.address == self._thread.asked and len(self._thread.nodes) > 1 else ""
        summary = node.summary
        if summary is None or node.missing:
            return _indented(node.depth, f"{mark}{ref}: {clean(node.missing)}", [], _counts(keyring, node))
        whom = clean(audience_words(keyring, summary.audience, summary.author))
        who = clean(called(keyring, summary.author))
        head = f"{mark}{who}, {local_time(summary.time)}, for {whom}  {ref}"
        notes = [deed_words(keyring, summary.links)] if summary.links.act else []
        notes += [_SAW[node.saw]] if node.saw else []
        muted = self._marks.muted(summary) if self._mutes and node.address != self._thread.asked else ""
        text = [f"(muted: {clean(muted)})"] if muted else self._text(node, summary)
        if not muted:
            self._shown.append(summary)
        return _indented(node.depth, head, text, [*notes, *_counts(keyring, node)])

    def done(self) -> None:
        """What was shown is read from now on."""
        from mau_cli.marking import mark_shown

        mark_shown(self._session, self._shown, self._marks)

    def _text(self, node: Node, summary: Summary) -> list[str]:
        from mau.content.links import word_of
        from mau_cli.display import columns, item_lines
        from mau_cli.posts import size_words

        if not summary.checked or summary.size > _LARGE:
            return [f"{size_words(summary.size)}; `mau open` opens it"]
        try:
            post = self._reading.open(summary)
        except (MauError, OSError) as error:  # it went, or changed, meanwhile
            return [clean(str(error))]
        if post.document is None:
            return [clean(f"{post.filename or 'a file'}, {size_words(summary.size)}")]
        return item_lines(
            post.author,
            {key: value for key, value in post.document.items() if word_of(key) not in _TOLD},
            width=max(_NARROWEST, columns() - 2 * min(node.depth, _INDENT) - 4),
            languages=self._languages,
            characters=_CHARACTERS,
            signed_at=summary.time,
            keyring=self._keyring,
            media=True,
        )


def _indented(depth: int, head: str, text: Sequence[str], notes: Sequence[str]) -> str:
    # Two columns less than the text, so that no text can pass for what we say of it, or for another head.
    indent = "  " * min(depth, _INDENT)
    lines = [*(f"{indent}    {line}" for line in text), *(f"{indent}  {note}" for note in notes)]
    return "\n".join([indent + head, *lines])


def _counts(keyring: Keyring, node: Node) -> list[str]:
    counts = (("like", node.likes), ("dislike", node.dislikes), ("share", node.shares))
    return [_people(keyring, word, people) for word, people in counts if people]


def _people(keyring: Keyring, word: str, people: Sequence[Fingerprint], most: int = 5) -> str:
    from mau_cli.audience import called

    names = sorted((clean(called(keyring, one)) for one in people), key=str.casefold)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{len(names)} {word}{'s' * (len(names) > 1)}: {', '.join(names[:most])}{more}"


# --- in JSON -----------------------------------------------------------------------------------------------


def _facts(keyring: Keyring, thread: Thread, reading: Reading) -> dict[str, object]:
    left = _DOCUMENTS
    posts = []
    for node in thread.nodes:
        facts = _node_facts(keyring, node)
        if node.summary is not None and not node.missing:
            left -= node.summary.size
            facts["document"] = _document(reading, node.summary) if left >= 0 else None
        posts.append(facts)
    return {"asked": str(thread.asked), "posts": posts, "left_out": thread.left_out}


def _node_facts(keyring: Keyring, node: Node) -> dict[str, object]:
    from mau_cli.audience import audience_facts
    from mau_cli.people import moment

    person = keyring.person(node.address.author)
    facts: dict[str, object] = {
        "address": str(node.address),
        "author": node.address.author,
        "author_name": person.local_name if person is not None and person.local_name else None,
        "depth": node.depth,
        "parent": None if node.parent is None else str(node.parent),
        "missing": node.missing or None,
        "saw": node.saw or None,
        "likes": list(node.likes),
        "dislikes": list(node.dislikes),
        "shares": list(node.shares),
    }
    if node.summary is not None and not node.missing:
        summary = node.summary
        facts |= {
            "type": summary.type or None,
            "act": summary.links.act or None,
            "signed": moment(summary.time) if summary.checked else None,
            "sha256": summary.sha256,
            "audience": audience_facts(summary.audience),
        }
    return facts


def _document(reading: Reading, summary: Summary) -> object:
    from mau_cli.posts import document_facts

    try:
        return document_facts(reading.open(summary).document)
    except (MauError, OSError):
        return None
