"""`mau sync`: fetch what is new from those whom I follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mau.errors import Interrupted, MauError, PartlyDone, PeerNotFound, UsageError
from mau_cli.bar import Bar
from mau_cli.following import asks_friends, note_rounds, policy_of, take_given
from mau_cli.output import clean, data, emit_json, emit_json_line, say
from mau_cli.turns import short_turns

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.hostport import Address
    from mau.keyring import Keyring
    from mau.syncer.report import SyncReport, Trouble
    from mau_cli.context import Session

SHOWN = 20  # troubles of one person that are shown one by one; --json has them all
AT_ONCE = 4  # people who are asked at the same time


@click.command("sync", short_help="Fetch what is new.")
@click.argument("who", required=False)
@click.option(
    "--at",
    "at",
    metavar="HOST:PORT",
    multiple=True,
    help="Where to find WHO; remembered once proven. Or https://..., where public posts of WHO are on the "
    "web; say that each time.",
)
@click.option("--via", metavar="PEER", help="Ask PEER for what WHO has written.")
@click.option("--full", is_flag=True, help="Compare everything, and judge again what was refused before.")
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C: what is posted arrives by itself.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def command(
    session: Session,
    who: str | None,
    at: Sequence[str],
    via: str | None,
    full: bool,
    watch: bool,
    as_json: bool,
) -> None:
    """Fetch what is new from WHO, or from everybody you follow whose address is known.

    Everything is checked before it enters the tree. What it replaces is kept as a version. What you follow on
    the web is asked, too, when half an hour went by since the last time.
    """
    from mau.hostport import is_site, parse_address, parse_site
    from mau.marks import blocked
    from mau_cli.webfollowing import has_sources, refresh_web, refreshed_facts

    if watch:
        if who is not None or at or via or full:
            raise UsageError("--watch follows everybody, at the addresses that are known; it stands alone")
        short_turns()
        _watch(session, as_json)
        return
    if who is None and (at or via):
        raise UsageError("--at and --via need WHO: whose posts are they for?")
    site = None
    if any(map(is_site, at)):
        if len(at) > 1 or via:
            raise UsageError("https://... stands alone: no other --at, and no --via")
        site = parse_site(at[0])
    addresses = None if site else [parse_address(one) for one in at] or None
    account, keyring = session.account(), session.keyring()
    take_given(session)
    short_turns()
    peer = None if via is None else _somebody(keyring, via)
    everybody = session.root.follows(account.fingerprint)
    refused = blocked(account)
    followed = [author for author in everybody if author not in refused]
    if who is not None:
        author = _somebody(keyring, who)
        if author in refused:
            raise UsageError(f"you blocked {_called(keyring, author)}; `mau unblock` ends that")
        if author not in followed:
            raise UsageError(f"you do not follow {_called(keyring, author)}; `mau follow` does that")
        followed = [author]
    reports = _run(session, followed, addresses, peer, site, full=full)
    web = refresh_web(session, due=True) if who is None and has_sources(session) else []
    if as_json:
        said: dict[str, object] = {"reports": [_as_json(keyring, report) for report in reports]}
        emit_json(said | ({"web": [refreshed_facts(one) for one in web]} if web else {}))
    else:
        for report in reports:
            if len(reports) > 1 or not _unreached(report):  # of one alone, the error says it
                _show(keyring, report)
        if not everybody and not web:
            say("You follow nobody yet: `mau friend add` or `mau follow`.")
    _conclude(reports)
    if any(one.problem for one in web):
        raise PartlyDone("not everything on the web that you follow could be read")


def _somebody(keyring: Keyring, word: str) -> Fingerprint:
    fingerprint = keyring.resolve_fingerprint(word)
    if fingerprint == keyring.me.fingerprint:
        raise UsageError("that is you: there is nothing to fetch from yourself")
    return fingerprint


def _called(keyring: Keyring, fingerprint: Fingerprint) -> str:
    person = keyring.person(fingerprint)
    return person.local_name if person and person.local_name else fingerprint.hex


def _run(
    session: Session,
    authors: Sequence[Fingerprint],
    addresses: Sequence[Address] | None,
    via: Fingerprint | None,
    site: str | None,
    *,
    full: bool,
) -> list[SyncReport]:
    import asyncio

    from mau.syncer.once import Syncer

    with Bar() as bar:
        policy = policy_of(session)
        syncer = Syncer(session.account(), session.keyring(), progress=bar.update, policy=policy)

        async def all_of_them() -> list[SyncReport]:
            _end_in_order()
            turns = asyncio.Semaphore(AT_ONCE)

            async def one(author: Fingerprint) -> SyncReport:
                async with turns:
                    return await syncer.sync(author, addresses=addresses, via=via, site=site, full=full)

            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(author)) for author in authors]
            reports = [task.result() for task in tasks]
            note_rounds(session, syncer, reports)
            return reports

        try:
            return asyncio.run(all_of_them())
        except asyncio.CancelledError:
            raise Interrupted("interrupted; what came stays, and the next sync brings the rest") from None
        finally:
            syncer.close()


def _end_in_order() -> None:
    """Let SIGTERM end this task as Ctrl-C does: nothing half-written stays behind."""
    import asyncio
    import signal
    import threading

    task = asyncio.current_task()
    if task is not None and threading.current_thread() is threading.main_thread():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _watch(session: Session, as_json: bool) -> None:
    """Follow everybody until a signal; one line for each round that brought something, or would not."""
    import asyncio
    import signal

    from mau.imports.rounds import asking
    from mau.syncer.worker import Worker

    account, keyring, policy = session.account(), session.keyring(), policy_of(session)
    take_given(session)

    def told(report: SyncReport) -> None:
        if as_json:
            emit_json_line(_as_json(keyring, report))
        elif (
            report.fetched
            or report.deleted
            or report.refused
            or report.deferred
            or report.failed
            or report.problem
        ):
            _show(keyring, report)

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        say("Following; Ctrl-C ends it.")
        worker = Worker(account, keyring, told=told, policy=policy, relayed=asks_friends(session))
        async with asking(account, stop):
            await worker.run(stop)

    asyncio.run(run())


# --- what came of it ---------------------------------------------------------------------------------------


def _show(keyring: Keyring, report: SyncReport) -> None:
    called = clean(_called(keyring, report.author))
    if report.peer != report.author:
        called += f" (from {clean(_called(keyring, report.peer))})"
    if report.site is not None:
        called += f" (from {clean(report.site)})"
    if _unreached(report):
        say(f"{called}: {clean(report.unreachable or '')}")
        return
    counts = f"{len(report.fetched)} new, {report.same} held already"
    if report.forgone:
        counts += f", {report.forgone} refused, removed or deleted before"
    if report.deleted:
        counts += f", {len(report.deleted)} deleted by their author"
    data(f"{called}: {counts}")
    kinds = (("refused", report.refused), ("deferred", report.deferred), ("failed", report.failed))
    for word, troubles in kinds:
        _show_troubles(word, troubles)
    if report.archive is not None:
        say(f"  one by one: {clean(str(report.archive))}")
    for words in report.beyond_reach:
        say(f"  beyond reach: {clean(words)}")
    if report.key is not None:
        for words in report.key.changes:
            say(f"  key: {clean(words)}")
        for words in report.key.waiting if report.key.fresh else ():
            say(f"  key: {clean(words)} (counts after `mau friend confirm`)")
    if report.problem is not None:
        say(f"  broken off: {clean(report.unreachable or '')}")


def _show_troubles(word: str, troubles: Sequence[Trouble]) -> None:
    for trouble in troubles[:SHOWN]:
        say(f"  {word}: {clean(trouble.name)[:200]}: {clean(trouble.words)}")
    if len(troubles) > SHOWN:
        say(f"  {word}: {len(troubles) - SHOWN} more; --json lists them all")


def _as_json(keyring: Keyring, report: SyncReport) -> dict[str, Any]:
    from mau.hostport import format_address

    def listed(troubles: Sequence[Trouble]) -> list[dict[str, str]]:
        return [
            {"name": one.name, "sha256": one.sha256, "error": one.kind, "message": one.words}
            for one in troubles
        ]

    problem = report.problem
    return {
        "author": report.author.hex,
        "name": _called(keyring, report.author),
        "peer": report.peer.hex if report.site is None else None,
        "site": report.site,
        "address": format_address(report.address) if report.address else None,
        "fetched": sorted(report.fetched),
        "fetched_bytes": report.fetched_bytes,
        "deleted": sorted(report.deleted),
        "same": report.same,
        "refused_before": report.forgone,
        "refused": listed(report.refused),
        "deferred": listed(report.deferred),
        "key_changes": list(report.key.changes) if report.key else [],
        "key_waiting": list(report.key.waiting) if report.key else [],
        "failed": listed(report.failed),
        "beyond_reach": report.beyond_reach,
        "archive": str(report.archive) if report.archive else None,
        "problem": {"error": type(problem).__name__, "message": str(problem)} if problem else None,
    }


def _conclude(reports: Sequence[SyncReport]) -> None:
    """Raise what the exit code has to say; return when everything came."""
    unreached = [report for report in reports if _unreached(report)]
    if reports and len(unreached) == len(reports):
        problems = [report.problem for report in unreached if report.problem is not None]
        # A proof that failed says more than a silence.
        raise max(problems, key=lambda problem: problem.exit_code) if len(reports) == 1 else _nobody(problems)
    # Somebody whose address was never told is no failure of a sync of everybody.
    troubled = [
        report for report in reports if not report.whole and not isinstance(report.problem, PeerNotFound)
    ]
    if troubled:
        count = sum(len(one.refused) + len(one.deferred) + len(one.failed) for one in troubled)
        raise PartlyDone(f"not everything came ({count} files)" if count else "not everything came")


def _unreached(report: SyncReport) -> bool:
    return report.problem is not None and report.address is None


def _nobody(problems: Sequence[MauError]) -> MauError:
    worst = max(problems, key=lambda problem: problem.exit_code)
    return type(worst)("nobody whom you follow could be reached")
