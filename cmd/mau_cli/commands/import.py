"""`mau import`: pages and feeds of the web, and archives of other networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mau.errors import UsageError
from mau_cli.audience import audience_options, choose_audience
from mau_cli.context import Session
from mau_cli.output import data, emit_json, say

if TYPE_CHECKING:
    from mau.imports.storing import Report

_MAX_FILE = 64 << 20  # bytes of a page or a feed on the disk


@click.command("import")
@click.argument("source", required=False)
@audience_options
@click.option("--all", "everything", is_flag=True, help="Ask everything on the web that you follow.")
@click.option("--boosts", is_flag=True, help="Of an archive, also what you only passed on.")
@click.option("--from-url", metavar="URL", help="Of a page or a feed in a file: where it comes from.")
@click.option("--dry-run", is_flag=True, help="Say what would become of it; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print what became of it as JSON.")
@click.pass_obj
def command(
    session: Session,
    source: str | None,
    to: tuple[str, ...],
    friends: bool,
    me: bool,
    public: bool,
    everything: bool,
    boosts: bool,
    from_url: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take over what SOURCE has: a page or a feed (https://...), or an archive of Mastodon.

    A page's embedded documents (JSON-LD, microdata) and a feed's entries become copies for you alone, which
    say where they come from; `mau follow https://...` goes on asking. An archive (.tar.gz, .zip or its
    directory) becomes your own posts with their dates, pictures and answers, for whom you say; nothing in it
    becomes wider than it was. What is there already is left: doing it twice changes nothing.
    """
    from mau_cli.webfollowing import is_web

    wide = to or friends or me or public
    if everything:
        if source is not None or wide or boosts or from_url:
            raise UsageError("--all asks what you follow; it stands alone")
        _all(session, dry_run, as_json)
        return
    if source is None:
        raise UsageError("what? Say https://..., an archive, or --all for what you follow")
    web = is_web(source) or (Path(source).is_file() and not _is_archive(Path(source)))
    if web and (to or friends or public):
        raise UsageError("what comes from the web is somebody else's: copies of it are for you alone")
    if web and boosts:
        raise UsageError("--boosts is for archives")
    report = (
        _web(session, source, from_url, dry=dry_run)
        if web
        else _archive(session, Path(source), to, friends, me, public, boosts=boosts, dry=dry_run)
    )
    _tell(report, dry_run, as_json)


def _all(session: Session, dry: bool, as_json: bool) -> None:
    from mau_cli.webfollowing import conclude, refresh_web, refreshed_facts

    done = refresh_web(session, due=False, dry=dry)
    if as_json:
        emit_json({"sources": [refreshed_facts(one) for one in done]})
    elif not done:
        say("You follow nothing on the web: `mau follow https://...`.")
    conclude(done)


def _web(session: Session, source: str, from_url: str | None, *, dry: bool) -> Report:
    import asyncio

    from mau.errors import NotOffered
    from mau.imports.fetching import check_url
    from mau.imports.looking import look, read_bytes, take
    from mau.imports.sources import Source
    from mau.imports.storing import Store
    from mau_cli.webfollowing import is_web

    account, keyring = session.account(), session.keyring()
    if is_web(source):
        if from_url:
            raise UsageError("--from-url is for a file")
        seen = asyncio.run(look(check_url(source)))
        place, finding = seen.source, seen.finding
    else:
        if not from_url:
            raise UsageError("where does that file come from? Say --from-url https://...")
        place = Source(check_url(from_url, plain=True))
        finding = read_bytes(_read(Path(source)), place.url)
    if finding is None or not finding.items:
        raise NotOffered("there are no documents of schema.org in it, and no entries of a feed")
    return take(Store(account, keyring, dry=dry), place, finding)


def _archive(
    session: Session,
    path: Path,
    to: tuple[str, ...],
    friends: bool,
    me: bool,
    public: bool,
    *,
    boosts: bool,
    dry: bool,
) -> Report:
    from mau.imports.moving import move, open_archive
    from mau.imports.storing import Store
    from mau_cli.audience import audience_words
    from mau_cli.progress import Line

    archive, finding = open_archive(path, boosts=boosts)
    audience = choose_audience(session, to=to, friends=friends, me=me, public=public)
    account, keyring = session.account(), session.keyring()
    whom = audience_words(keyring, audience, account.fingerprint)
    say(f"{len(finding.items)} posts of {finding.title or 'an archive'} become yours, for {whom}.")
    with Line() as line:

        def told(done: int, of: int) -> None:
            line.show(f"{done:,}/{of:,} posts")

        return move(Store(account, keyring, dry=dry), archive, finding, audience, told)


def _is_archive(path: Path) -> bool:
    from mau.errors import MauError
    from mau.imports.archive import Archive

    try:
        Archive(path)
    except MauError:
        return False
    return True


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        found = file.read(_MAX_FILE + 1)
    if len(found) > _MAX_FILE:
        raise UsageError(f"{str(path)!r} is larger than {_MAX_FILE >> 20} MiB")
    return found


def _tell(report: Report, dry: bool, as_json: bool) -> None:
    from mau_cli.webfollowing import report_facts, report_words, say_left_out

    if as_json:
        emit_json(report_facts(report) | {"dry_run": dry})
        return
    for name in [*report.new, *report.changed]:
        data(name)
    say(f"{'It would be' if dry else 'Imported'}: {report_words(report)}.")
    say_left_out(report)
