"""`mau search`: find posts by their words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mau.errors import UsageError
from mau_cli.context import Session
from mau_cli.output import clean, data, emit_json_line, say

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.search import Hit


@click.command(
    "search",
    # -word means: not this word. What is no option of ours is a word.
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option("--from", "authors", metavar="WHO", multiple=True, help="Written by these people alone.")
@click.option("--group", "groups", metavar="GROUP", multiple=True, help="Written by members of this group.")
@click.option("--since", metavar="TIME", help="Signed since then: 2h, 3d, or a date.")
@click.option("--until", metavar="TIME", help="Signed before then.")
@click.option("--type", "types", metavar="TYPE", multiple=True, help="Of this type: Recipe, Event, ...")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="With this hashtag.")
@click.option("--muted", is_flag=True, help="What you muted, too.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="So many of the newest."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object in each line.")
@click.pass_obj
def command(
    session: Session,
    words: Sequence[str],
    authors: Sequence[str],
    groups: Sequence[str],
    since: str | None,
    until: str | None,
    types: Sequence[str],
    tags: Sequence[str],
    muted: bool,
    limit: int,
    as_json: bool,
) -> None:
    """Find posts in which all WORDS stand, newest first: in texts, titles, tags, names of files and people.

    A phrase stands in quotes, -word must not be there, beginn* is the beginning of a word. Small and large
    letters are the same, and so are letters with and without their accents. Every post is opened and checked
    before it is shown.
    """
    from mau.reader.reading import Reading
    from mau.search import Search
    from mau_cli.commands.watch import parse_since
    from mau_cli.people import suspect_keyring
    from mau_cli.progress import Line

    if not (words or authors or groups or types or tags or since or until):
        raise UsageError("what is to be found? Say a word, or --from, --tag, --type, --since")
    keyring = suspect_keyring(session)
    account = session.account()
    people = _people(keyring, authors, groups)
    now = datetime.now(UTC)
    begin, end = (None if one is None else int(parse_since(one, now)) for one in (since, until))
    with Reading(account, keyring) as reading, Search(account, reading, keyring) as search:
        with Line() as line:
            search.refresh(lambda done, total: line.show(f"reading {done:,} of {total:,} posts"))
        hits = search.find(
            list(words),
            authors=people,
            since=begin,
            until=end,
            types=types,
            tags=tags,
            limit=limit,
            muted=muted,
        )
        left_out = search.left_out
    for number, hit in enumerate(hits):
        if as_json:
            emit_json_line(_facts(keyring, hit))
        else:
            data("\n" * (number > 0) + _words(keyring, hit))
    if not hits and not as_json:
        say("Nothing fits.")
    for error, count in left_out.most_common():
        say(f"Left out: {count} that did not hold ({error}).")


def _people(keyring: Keyring, authors: Sequence[str], groups: Sequence[str]) -> frozenset[Fingerprint] | None:
    """Whose posts are wanted; None for everybody's."""
    if not (authors or groups):
        return None
    found = {keyring.resolve_fingerprint(word) for word in authors}
    for group in groups:
        found.update(person.fingerprint for person in keyring.members(group.removeprefix("@")))
    return frozenset(found)


def _words(keyring: Keyring, hit: Hit) -> str:
    from mau_cli.audience import called
    from mau_cli.posts import local_time, ref_words

    one = hit.summary
    who = (
        f"{clean(one.origin)} (from the web, not signed by it)"
        if one.origin
        else clean(called(keyring, one.author))
    )
    kind = f", {clean(one.type)}" if one.type not in {"", "SocialMediaPosting"} else ""
    unsure = "" if one.checked else " (not checked yet; `mau open` does)"
    head = f"{who}, {local_time(one.time)}{kind}  {clean(ref_words(keyring, one.author, one.name))}{unsure}"
    # Indented, so that no text can pass for the head of another post.
    return f"{head}\n    {clean(hit.snippet)}"


def _facts(keyring: Keyring, hit: Hit) -> dict[str, object]:
    from mau.content.address import post_iri
    from mau_cli.audience import audience_facts
    from mau_cli.people import moment

    one = hit.summary
    person = keyring.person(one.author)
    return {
        "author": one.author,
        "who": person.local_name if person is not None and person.local_name else None,
        "name": one.name,
        "address": post_iri(one.author, one.name),
        "sha256": one.sha256,
        "time": moment(one.time),
        "type": one.type or None,
        "tags": list(one.tags),
        "audience": audience_facts(one.audience),
        "origin": one.origin or None,
        "checked": one.checked,
        "snippet": hit.snippet,
    }
