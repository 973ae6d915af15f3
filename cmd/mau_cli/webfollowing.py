"""Sources on the web: following them, asking them again, and how that went, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mau.errors import PartlyDone, PeerUnreachable
from mau_cli.output import clean, say

if TYPE_CHECKING:
    from mau.imports.looking import Refreshed
    from mau.imports.sources import Source
    from mau.imports.storing import Report
    from mau_cli.context import Session


def is_web(word: str) -> bool:
    """Whether a word is an address of the web."""
    return word.lower().startswith(("https://", "http://"))


def has_sources(session: Session) -> bool:
    """Whether anything on the web is followed, as far as a look at the directory tells."""
    from mau.content.origin import SOURCES_NAME

    return session.account().posts().entry(SOURCES_NAME) is not None


def sources_of(session: Session) -> list[Source]:
    """What is followed on the web."""
    from mau.imports.sources import Sources

    if not has_sources(session):
        return []
    sources = Sources(session.account(), session.keyring())
    try:
        return sources.held()
    finally:
        sources.close()


def follow_web(session: Session, url: str) -> None:
    """Follow one, and say what came."""
    from mau.imports.fetching import check_url
    from mau.imports.looking import follow

    done = follow(session.account(), session.keyring(), check_url(url))
    name = f"{clean(done.source.name)}, " if done.source.name else ""
    say(f"You follow {name}{clean(done.source.url)}: {report_words(done.report)}.")
    for feed in done.feeds:
        say(f"  It names a feed, too: mau follow {clean(feed)}")
    say("  What comes from the web is signed by nobody there; you keep it as copies for yourself alone.")


def unfollow_web(session: Session, url: str) -> None:
    """Follow one no longer."""
    from mau.imports.fetching import check_url
    from mau.imports.sources import Sources

    sources = Sources(session.account(), session.keyring())
    try:
        address = check_url(url, plain=True)
        gone = sources.remove(address)
        near = [one.url for one in sources.held() if one.url.startswith(address.rstrip("/"))]
    finally:
        sources.close()
    if gone is not None:
        say(f"You follow {clean(gone.url)} no longer; what was copied from there stays.")
        return
    say(f"You do not follow {clean(address)}.")
    for one in near:
        say(f"  Do you mean {clean(one)}?")


def refresh_web(session: Session, *, due: bool, dry: bool = False) -> list[Refreshed]:
    """Ask all sources again (with ``due`` those whose time has come), and say what came."""
    from mau.imports.looking import refresh

    done = refresh(session.account(), session.keyring(), due=due, dry=dry)
    for one in done:
        name = clean(one.source.name or one.source.url)
        say(f"{name}: {one.problem}" if one.problem else f"{name}: {report_words(one.report)}")
    return done


def conclude(done: Sequence[Refreshed]) -> None:
    """PartlyDone or PeerUnreachable when some or all of several sources gave nothing."""
    failed = [one for one in done if one.problem]
    if failed and len(failed) == len(done):
        raise PeerUnreachable("no source on the web could be read")
    if failed:
        raise PartlyDone(f"{len(failed)} of {len(done)} sources on the web could not be read")


def report_words(report: Report) -> str:
    """What became of what was found: ``3 new, 1 changed, 20 held already``."""
    parts = [f"{len(report.new)} new"]
    if report.changed:
        parts.append(f"{len(report.changed)} changed")
    return ", ".join([*parts, f"{report.same} held already"])


def say_left_out(report: Report) -> None:
    """Why something was not taken."""
    for why, count in report.left_out.most_common():
        say(f"Left out: {count} ({why}).")


def report_facts(report: Report) -> dict[str, object]:
    """What ``--json`` says of it."""
    return {
        "new": report.new,
        "changed": report.changed,
        "same": report.same,
        "left_out": dict(report.left_out),
    }


def refreshed_facts(one: Refreshed) -> dict[str, object]:
    """The same of one source on the web."""
    return {
        "url": one.source.url,
        "name": one.source.name or None,
        "problem": one.problem or None,
        **report_facts(one.report),
    }
