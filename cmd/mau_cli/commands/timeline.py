"""`mau timeline`: what everybody I follow and I wrote, newest first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from mau_cli.context import Session
from mau_cli.output import data, emit_json_line, say

if TYPE_CHECKING:
    from mau.errors import MauError
    from mau.keyring import Keyring
    from mau.reader.timeline import Item

_SHOWN = 600  # characters of a text


@click.command("timeline")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="So many of the newest."
)
@click.option("--all", "everything", is_flag=True, help="All there are.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object in each line.")
@click.pass_obj
def command(session: Session, limit: int, everything: bool, as_json: bool) -> None:
    """Show the posts of everybody you follow and your own, newest first by the time of their signature.

    Every post is checked; those that do not hold are counted at the end, with the reason. What its author
    deleted and is still here (the setting delete.received) says so.
    """
    from mau.reader.timeline import timeline
    from mau_cli.people import suspect_keyring

    keyring = suspect_keyring(session)
    found = timeline(session.account(), keyring, None if everything else limit)
    for number, item in enumerate(found.items):
        if as_json:
            emit_json_line(item_facts(keyring, item))
        else:
            data("\n" * (number > 0) + item_words(keyring, item))
    if not found.items and not as_json:
        say("Nothing to read yet; `mau sync` fetches what friends wrote.")
    _say_left_out(found.left_out)


def item_words(keyring: Keyring, item: Item) -> str:
    from mau.content.posting import text_of
    from mau_cli.audience import audience_words, called
    from mau_cli.output import clean
    from mau_cli.posts import local_time, size_words

    who = clean(called(keyring, item.author))
    post = item.post
    if post is None:
        body = f"{size_words(item.size)}, not checked yet; `mau open` does"
        head = f"{who}, {local_time(item.time)} (when it was stored)  {clean(item.name)}"
    else:
        whom = clean(audience_words(keyring, post.audience, item.author))
        head = f"{who}, {local_time(item.time)}, for {whom}  {clean(item.name)}"
        text = text_of(post.document) if post.document is not None else ""
        called_outside = f"{clean(post.filename)}, " if post.filename else ""
        body = _short(text) if text else f"{called_outside}{size_words(item.size)}"
        if item.deleted:
            head += "  (deleted by its author)"
    # Indented, so that no text can pass for the head of another post.
    return "\n".join([head, *(f"    {line}" for line in body.splitlines())])


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN].rstrip()} ..."


def item_facts(keyring: Keyring, item: Item) -> dict[str, object]:
    from mau.content.address import post_iri
    from mau_cli.audience import audience_facts
    from mau_cli.people import moment
    from mau_cli.posts import document_facts

    person = keyring.person(item.author)
    facts: dict[str, object] = {
        "author": item.author,
        "who": person.local_name if person is not None and person.local_name else None,
        "name": item.name,
        "address": post_iri(item.author, item.name),
        "time": moment(item.time),
        "size": item.size,
        "checked": item.post is not None,
    }
    if item.post is not None:
        facts |= {
            "audience": audience_facts(item.post.audience),
            "filename": item.post.filename,
            "notes": list(item.post.notes),
            "deleted": item.deleted,
            "document": document_facts(item.post.document),
        }
    return facts


def _say_left_out(left_out: Counter[type[MauError]]) -> None:
    for kind, count in left_out.most_common():
        why = (kind.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        say(f"Left out: {count} ({why[:1].lower()}{why[1:]}).")
