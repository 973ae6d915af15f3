"""`mau tag`: the posts with a tag, and which tags there are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import clean, emit_json, say, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mau.marks import Marks
    from mau.reader.summary import Summary


_DEFAULTS: dict[str, Any] = {
    "since": None,
    "until": None,
    "groups": (),
    "types": (),
    "unread": False,
    "algorithm": None,
    "explain": False,
    "follow": False,
    "wait": False,
    "no_pager": False,
}
"""Of the timeline, what `mau tag` has no options for."""


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
    """Show the posts with TAG as `mau timeline --tag` does; without TAG, list the tags.

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
    if name is not None:
        from mau_cli.timeline import show_timeline

        muted = any(one.subject == tag for one in marks.holding("mute"))
        asked = {
            "tag": tag.value,
            "people": who,
            "limit": limit,
            "everything": everything,
            "as_json": as_json,
        }
        show_timeline(session, mark=False, **_DEFAULTS | asked | {"muted": muted})
        return
    from mau.reader.reading import Choice, Reading

    authors = [keyring.resolve_fingerprint(word) for word in who]
    with Reading(session.account(), keyring) as reading:
        reading.refresh()
        found = reading.choose(Choice(frozenset(authors) if authors else None))
        shown = (one for one in found if not marks.muted(one, find=reading.get))
        _list(shown, marks, None if everything else limit, as_json=as_json)


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
