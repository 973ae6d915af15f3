"""`mau status`: how it stands with everybody you follow, and with your own posts."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from mau_cli.context import Session
from mau_cli.output import clean, data, emit_json, emit_json_line, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mau.daemon.status import DaemonStatus
    from mau.doctor.finding import Finding
    from mau.finder.status import FinderStatus
    from mau.reader.unpublished import Unpublished
    from mau.syncer.status import FriendStatus

_SHOWN = 3
_LOOK_EVERY = 1.0  # seconds between two looks with --watch


@dataclass(frozen=True, slots=True)
class _Found:
    friends: Sequence[FriendStatus]
    daemon: DaemonStatus | None
    own: Sequence[Unpublished]
    gone: Sequence[str]
    key: Sequence[Finding]
    requests: int
    finder: FinderStatus | None


@click.command("status")
@click.option("--watch", is_flag=True, help="Show it again whenever it changes, until Ctrl-C.")
@click.option(
    "--json", "as_json", is_flag=True, help="Show it as JSON; with --watch, one object in each line."
)
@click.pass_obj
def command(session: Session, watch: bool, as_json: bool) -> None:
    """Show how it stands: with everybody you follow (last contact, what is behind, refused or deferred, and
    why), with the workers of `mau up`, how you are reached, and which of your files are shown to nobody.
    """
    if not watch:
        found = _gather(session)
        if as_json:
            emit_json(_facts(session, found))
        else:
            _show(session, found)
        return
    before: Any = None
    while True:
        found = _gather(session)
        now = _facts(session, found)
        if now != before:
            if as_json:
                emit_json_line(now)
            else:
                if before is not None:
                    data("")
                _show(session, found)
            before = now
        time.sleep(_LOOK_EVERY)


def _gather(session: Session) -> _Found:
    from mau.catalogue import open_index
    from mau.daemon.status import read_status
    from mau.deletion.held import deletes_of
    from mau.deletion.publishing import removed_by_hand
    from mau.doctor.keys import judge_own
    from mau.finder.status import read_status as read_finder
    from mau.reader.unpublished import unpublished
    from mau.syncer.status import StatusBook
    from mau_cli.asking import count_waiting

    account, keyring = session.account(), session.keyring()
    keyring.refresh()
    followed = session.root.follows(account.fingerprint)
    book = StatusBook(session.root)
    try:
        friends = [book.of(author) for author in followed]
    finally:
        book.close()
    deletes = deletes_of(account, keyring, account.fingerprint)
    with open_index(session.root) as index:
        index.refresh(account.fingerprint)
        own = unpublished(account, keyring, index, deletes)
    gone = removed_by_hand(account, deletes)
    key = judge_own(account.certificate, time.time())
    finder = read_finder(session.root)
    return _Found(friends, read_status(session.root), own, gone, key, count_waiting(session), finder)


def _facts(session: Session, found: _Found) -> dict[str, Any]:
    from mau.marks import blocked

    friends, daemon, own = found.friends, found.daemon, found.own
    refused = blocked(session.account())
    return {
        "friends": [
            {
                **asdict(one),
                "author": one.author.hex,
                "name": _called(session, one),
                "blocked": one.author in refused,
            }
            for one in friends
        ],
        "daemon": None if daemon is None else asdict(daemon),
        "own": [asdict(one) for one in own],
        "removed_here": list(found.gone),
        "key": [one.what for one in found.key],
        "finder": None if found.finder is None else asdict(found.finder),
        "requests": found.requests,
    }


def _show(session: Session, found: _Found) -> None:
    from mau.marks import blocked

    friends, daemon, own = found.friends, found.daemon, found.own
    now = time.time()
    if daemon is not None and daemon.pid is not None:
        for worker in daemon.workers:
            say(clean(worker.words(now)))
    for line in () if found.finder is None else found.finder.words():
        say(clean(line))
    for trouble in found.key:
        say(f"{clean(trouble.what)}: {clean(trouble.why)} (`mau doctor` says what to do)")
    if found.requests:
        say(f"{found.requests} {'request waits' if found.requests == 1 else 'requests wait'}: mau requests")
    refused = blocked(session.account())
    for one in friends:
        words = "blocked, nothing is fetched" if one.author in refused else _words(one, now)
        data(f"{clean(_called(session, one))}: {clean(words)}")
        for word, troubles in (("refused", one.refused), ("deferred", one.deferred)):
            for words in troubles[:_SHOWN]:
                data(f"  {word}: {clean(words)}")
            if len(troubles) > _SHOWN:
                data(f"  {word}: {len(troubles) - _SHOWN} more; --json lists them")
    if not friends:
        say("You follow nobody yet: `mau friend add` or `mau follow`.")
    for file in own:
        data(f"yours, shown to nobody: {clean(file.name)}: {clean(file.words)}")
    if found.gone:
        say(
            f"{len(found.gone)} of your posts were removed here, and those who had them were not told; "
            "--json names them, `mau delete` tells"
        )


def _called(session: Session, one: FriendStatus) -> str:
    person = session.keyring().person(one.author)
    return person.local_name if person and person.local_name else one.author.hex


def _words(one: FriendStatus, now: float) -> str:
    from mau_cli.posts import size_words

    doing = {
        "waiting": "connected, news comes at once",
        "syncing": "syncing",
        "polling": "asked now and then",
        "unreachable": "not reachable",
        "nowhere": "no address is known",
        "stopped": "not watched (`mau up`, or `mau sync --watch`)",
    }[one.doing]
    parts = [doing]
    if one.last_contact:
        parts.append(
            f"last contact {_ago(now - one.last_contact)}{f' at {one.address}' if one.address else ''}"
        )
    else:
        parts.append("never reached")
    if one.behind:
        parts.append(f"behind by {one.behind} ({size_words(one.behind_bytes)})")
    if one.error and one.doing not in ("waiting", "syncing", "nowhere"):
        parts.append(one.error)
    if one.next_try > now:
        parts.append(f"next in {_span(one.next_try - now)}")
    return "; ".join(parts)


def _ago(seconds: float) -> str:
    return "just now" if seconds < 5 else f"{_span(seconds)} ago"


def _span(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
