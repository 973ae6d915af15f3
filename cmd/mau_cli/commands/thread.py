"""`mau thread`: a post with what it answers, and all that was answered to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mau_cli.context import Session
from mau_cli.output import clean, clean_lines, data, emit_json, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mau.content.address import Address
    from mau.conversation.missing import Fetched
    from mau.conversation.thread import Node, Thread
    from mau.fingerprint import Fingerprint
    from mau.hostport import Address as Place
    from mau.keyring import Keyring

_SHORT = 10.0
"""Seconds for which missing pieces are asked for when nobody said that they are to be fetched."""
_INDENT = 12  # the deepest indentation, in steps
_SAW = {"older": "answers what it said before it was edited", "other": "answers a content that is not held"}


@click.command("thread")
@click.argument("ref")
@click.option(
    "--fetch/--offline",
    default=None,
    help="Take the time to fetch what is missing, or ask nobody. By default it is tried for ten seconds.",
)
@click.option("--at", "at", multiple=True, metavar="HOST:PORT", help="Where the author of REF is.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=200, show_default=True, help="So many posts at most."
)
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def command(
    session: Session, ref: str, fetch: bool | None, at: tuple[str, ...], limit: int, as_json: bool
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
            fetched = _fetch(session, keyring, gathered, hints, seconds=60.0 if fetch else _SHORT)
            why.told.update(fetched.failed)
            thread = gathered()
    if as_json:
        emit_json(_facts(keyring, thread))
        return
    for number, node in enumerate(thread.nodes):
        data("\n" * (number > 0) + _words(keyring, thread, node))
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
    *,
    seconds: float,
) -> Fetched:
    import asyncio

    from mau.conversation.missing import fetch_missing
    from mau.syncer.once import Syncer
    from mau_cli.following import policy_of, take_given

    take_given(session)

    async def run() -> Fetched:
        syncer = Syncer(session.account(), keyring, policy=policy_of(session))
        try:
            return await fetch_missing(syncer, gathered, hints=hints, seconds=seconds)
        finally:
            syncer.close()

    fetched = asyncio.run(run())
    if fetched.came:
        say(f"{len(fetched.came)} fetched.")
    return fetched


# --- in words ----------------------------------------------------------------------------------------------


def _words(keyring: Keyring, thread: Thread, node: Node) -> str:
    from mau_cli.audience import called
    from mau_cli.posts import local_time, ref_words

    indent = "  " * min(node.depth, _INDENT)
    ref = clean(ref_words(keyring, node.address.author, node.address.name or ""))
    mark = "> " if node.address == thread.asked and len(thread.nodes) > 1 else ""
    if node.summary is None or node.missing:
        return _indented(indent, f"{mark}{ref}: {clean(node.missing)}", [])
    summary = node.summary
    notes = [_KINDS.get(summary.links.act, ""), _SAW.get(node.saw, "")]
    notes += [_people(keyring, "liked by", node.likes), _people(keyring, "disliked by", node.dislikes)]
    notes += [_people(keyring, "shared by", node.shares)]
    head = f"{mark}{clean(called(keyring, summary.author))}, {local_time(summary.time)}  {ref}"
    said = [f"({note})" for note in notes if note]
    text = summary.words or summary.type or "a file"
    return _indented(indent, head, [*clean_lines(text).splitlines(), *said])


_KINDS = {"share": "shared it"}


def _indented(indent: str, head: str, lines: Sequence[str]) -> str:
    # So that no text can pass for the head of another post.
    return "\n".join([indent + head, *(f"{indent}    {line}" for line in lines)])


def _people(keyring: Keyring, what: str, people: Sequence[Fingerprint], most: int = 5) -> str:
    from mau_cli.audience import called

    if not people:
        return ""
    names = sorted((clean(called(keyring, one)) for one in people), key=str.casefold)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{what} {', '.join(names[:most])}{more}"


# --- in JSON -----------------------------------------------------------------------------------------------


def _facts(keyring: Keyring, thread: Thread) -> dict[str, object]:
    return {
        "asked": str(thread.asked),
        "posts": [_node_facts(keyring, node) for node in thread.nodes],
        "left_out": thread.left_out,
    }


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
            "text": summary.words,
        }
    return facts
