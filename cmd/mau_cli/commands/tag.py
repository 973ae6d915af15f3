"""`mau tag`: the posts with a tag, and which tags there are."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import clean, clean_lines, data, emit_json, emit_json_line, say, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.marks import Marks
    from mau.reader.reading import Reading
    from mau.reader.summary import Summary


@click.command("tag")
@click.argument("name", metavar="TAG", required=False)
@click.option("--from", "who", metavar="WHO", multiple=True, help="Only what WHO wrote; can be repeated.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="So many of the newest."
)
@click.option("--all", "everything", is_flag=True, help="All there are.")
@click.option("--list", "as_list", is_flag=True, help="List the tags instead, with how many posts have them.")
@click.option("--pin", is_flag=True, help="Pin TAG: pinned tags stand first in the list.")
@click.option("--unpin", is_flag=True, help="Pin it no longer.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object in each line; a list as JSON.")
@click.pass_obj
def command(
    session: Session,
    name: str | None,
    who: tuple[str, ...],
    limit: int,
    everything: bool,
    as_list: bool,
    pin: bool,
    unpin: bool,
    as_json: bool,
) -> None:
    """Show the posts with TAG, newest first; without TAG, list the tags.

    Tags are the words after # in a text, and what stands in keywords; capitals make no difference. What is
    muted is left out, unless it is this tag.
    """
    from mau.marks import subject as subjects
    from mau_cli.marking import loaded_marks
    from mau_cli.people import suspect_keyring

    if pin and unpin:
        raise UsageError("--pin or --unpin?")
    if (pin or unpin) and (name is None or as_list):
        raise UsageError("which tag?")
    if as_list and name is not None:
        raise UsageError("--list stands without TAG")
    keyring, marks = suspect_keyring(session), loaded_marks(session)
    if name is not None:
        tag = subjects.tag(name)
        if pin or unpin:
            changed = marks.decide("pin", tag, on=pin)
            done = ("Pinned" if pin else "Not pinned any more") if changed else "It was so already"
            say(f"{done}: #{clean(tag.value)}.")
            return
    authors = [keyring.resolve_fingerprint(word) for word in who] or None
    from mau.reader.reading import Reading

    with Reading(session.account(), keyring) as reading:
        reading.refresh()
        if name is None:
            _list(_shown(reading, marks, authors), marks, None if everything else limit, as_json=as_json)
            return
        found = _shown(reading, marks, authors, tag.value)
        _show(keyring, marks, islice(found, None if everything else limit), as_json=as_json)


def _shown(
    reading: Reading, marks: Marks, authors: list[Fingerprint] | None, tag: str = ""
) -> Iterator[Summary]:
    """Posts that are not muted, newest first; with a tag, those that have it."""
    from mau.reader.reading import Choice

    muted = {one.subject.value for one in marks.holding("mute") if one.subject.kind == "tag"}
    for summary in reading.choose(Choice(None if authors is None else frozenset(authors), tag=tag)):
        if not marks.muted(summary, find=reading.get) or (
            tag in muted and summary.author not in marks.blocked
        ):
            yield summary


def _show(keyring: Keyring, marks: Marks, found: Iterator[Summary], *, as_json: bool) -> None:
    from mau_cli.audience import called
    from mau_cli.posts import local_time, ref_words

    number = 0
    for number, one in enumerate(found, 1):
        if as_json:
            emit_json_line(_facts(keyring, marks, one))
            continue
        head = f"{clean(called(keyring, one.author))}, {local_time(one.time)}  "
        body = clean_lines(one.words).splitlines()
        data("\n" * (number > 1) + head + clean(ref_words(keyring, one.author, one.name)))
        for line in body:
            data(f"    {line}")  # indented, so that no text can pass for the head of another post
    if not number and not as_json:
        say("No post that you can read has that tag.")


def _facts(keyring: Keyring, marks: Marks, one: Summary) -> dict[str, object]:
    from mau_cli.people import moment

    person = keyring.person(one.author)
    return {
        "author": one.author,
        "who": person.local_name if person is not None and person.local_name else None,
        "name": one.name,
        "address": str(one.address),
        "time": moment(one.time),
        "type": one.type,
        "words": one.words,
        "tags": list(one.tags),
        "read": marks.is_read(one),
    }


def _list(found: Iterator[Summary], marks: Marks, limit: int | None, *, as_json: bool) -> None:
    """The pinned tags by name, then the others, those of most posts first."""
    counts = Counter(tag for one in found for tag in one.tags)
    pinned = marks.pinned
    others = sorted((tag for tag in counts if tag not in pinned), key=lambda tag: (-counts[tag], tag))
    rows = [*pinned, *others[:limit]]
    if as_json:
        emit_json([{"tag": tag, "posts": counts[tag], "pinned": tag in pinned} for tag in rows])
        return
    table([(f"#{tag}", counts[tag], "pinned" if tag in pinned else "") for tag in rows], ("tag", "posts", ""))
    if not rows:
        say("No post that you can read has a tag.")
    elif limit is not None and len(others) > limit:
        say(f"And {len(others) - limit} more; --all lists them.")
