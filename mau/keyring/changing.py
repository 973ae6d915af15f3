"""What each change of the keyring does: decisions about one `Change`, in the lock (spec/keyring.md K7)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from mau.errors import (
    KeyExpired,
    KeyRefused,
    KeyRevoked,
    KeyUnusable,
    OwnKey,
    TreeChanged,
    UnknownWho,
    UsageError,
)
from mau.fingerprint import Fingerprint
from mau.keyring.change import Change
from mau.keyring.differences import Difference, reported_sha256
from mau.keyring.person import Person
from mau.keyring.snapshot import Snapshot
from mau.keyring.statement import FRIENDS, KNOWN

if TYPE_CHECKING:
    from mau.openpgp import Certificate

LEFT_OUT = (KeyRefused, UsageError)
"""What keeps one person from being confirmed and lets the others pass."""


def add(
    change: Change,
    snapshot: Snapshot,
    me: Person,
    certificate: Certificate,
    local_name: str | None,
    groups: Iterable[str],
    *,
    known: bool,
) -> None:
    """A new person, a newer copy of a key, a known key that becomes a friend, or more groups for a friend."""
    certificate = check(snapshot, me, certificate, known=known)
    fingerprint = certificate.fingerprint
    held = snapshot.person(fingerprint)
    places = set(snapshot.places.get(fingerprint, ()))
    if held is not None and held.confirmed and local_name is None:
        local_name = held.local_name
    if local_name is None:
        raise UsageError("a local name is needed; say it with --as")
    if not known:
        places = places - {KNOWN} | {FRIENDS, *groups}
    elif not snapshot.is_friend(fingerprint):
        places.add(KNOWN)
    change.put(certificate, local_name, places, reported=snapshot.reported(fingerprint))
    if KNOWN not in places:
        change.remove_files([(fingerprint, KNOWN)])


def hold(change: Change, snapshot: Snapshot, me: Person, certificate: Certificate) -> None:
    """A key file that nothing states: its holder is unconfirmed, and nobody is called anything."""
    if certificate.fingerprint != me.fingerprint and snapshot.person(certificate.fingerprint) is not None:
        return
    change.place(check(snapshot, me, certificate, known=True), KNOWN)


def remove(change: Change, snapshot: Snapshot, fingerprint: Fingerprint) -> None:
    """Out of the statement, then every key file of that name."""
    change.drop(fingerprint)
    change.remove_files(at for at in snapshot.files if at[0] == fingerprint)


def confirm(
    change: Change,
    snapshot: Snapshot,
    fingerprint: Fingerprint,
    shown: Sequence[Difference],
    local_name: str | None,
) -> None:
    """Take over what was shown about one person and nothing else; TreeChanged when it is not so any more."""
    entry = snapshot.statement.entries.get(fingerprint)
    places = set(snapshot.places.get(fingerprint, ()))
    certificate = snapshot.certificate(entry.key, fingerprint) if entry and places else None
    for difference in shown:
        if not difference.confirmable:
            continue
        if difference.kind == "reported":
            certificate = _with_reported(snapshot, certificate, difference)
            continue
        seen = snapshot.seen(fingerprint, difference.group)
        if seen.sha256 != difference.sha256:
            raise TreeChanged(
                f"the key file of {fingerprint} {difference.where} changed meanwhile; try again"
            )
        if seen.key is not None and (copy := snapshot.certificate(seen.key, fingerprint)):
            places.add(difference.group)
            certificate = certificate.merge(copy) if certificate else copy
    if certificate is None:
        change.drop(fingerprint)
        return
    if local_name is None and entry is not None:
        local_name = entry.local_name
    if local_name is None:
        raise UsageError(f"{fingerprint} needs a local name; say it with --as")
    if not snapshot.is_friend(fingerprint):
        _check(certificate, known=places == {KNOWN})
    change.put(certificate, local_name, places, reported=snapshot.reported(fingerprint))


def _with_reported(snapshot: Snapshot, certificate: Certificate | None, shown: Difference) -> Certificate:
    reported = snapshot.reported(shown.fingerprint)
    if certificate is None or reported is None or reported_sha256(reported) != shown.sha256:
        raise TreeChanged(f"the key of {shown.fingerprint} changed once more meanwhile; try again")
    return certificate.merge(reported)


def take_in(change: Change, snapshot: Snapshot, fetched: Certificate) -> None:
    """A copy that came over the network: what counts at once, and what waits (K11). UnknownWho."""
    from mau.openpgp.merging import merge_fetched

    fingerprint = fetched.fingerprint
    entry, places = snapshot.statement.entries.get(fingerprint), snapshot.places.get(fingerprint)
    held = snapshot.certificate(entry.key, fingerprint) if entry and places else None
    if entry is None or places is None or held is None:
        raise UnknownWho(f"{fingerprint} was never confirmed: no copy of that key is taken in")
    merged = merge_fetched(held, fetched, snapshot.reported(fingerprint))
    # A key file with another copy is a difference that its owner has not seen yet: it stays one.
    leave = [place for place in places if snapshot.seen(fingerprint, place).key != entry.key]
    change.put(merged.certificate, entry.local_name, places, reported=merged.reported, leave=leave)


def check(snapshot: Snapshot, me: Person, certificate: Certificate, *, known: bool) -> Certificate:
    """The key with all that the copy held here knows, when it may be added; KeyRefused."""
    if certificate.fingerprint == me.fingerprint:
        raise OwnKey("that is your own key")
    held = snapshot.person(certificate.fingerprint)
    if held is not None:
        certificate = held.certificate.merge(certificate)
    # A revocation must reach a key that is used already; only somebody new is turned away for it.
    if not snapshot.is_friend(certificate.fingerprint):
        _check(certificate, known=known)
    return certificate


def _check(certificate: Certificate, *, known: bool) -> None:
    """Who is to be a friend needs a key that can be used; to verify old posts with, an old key will do."""
    try:
        certificate.check_usable()
    except (KeyRevoked, KeyExpired, KeyUnusable):
        if not known:
            raise


def group_add(change: Change, snapshot: Snapshot, group: str, persons: Iterable[Person]) -> None:
    """Key files into the group's directory, for friends only."""
    for person in persons:
        if not snapshot.is_friend(person.fingerprint):
            raise UsageError(
                f"{person.label!r} is no confirmed friend; `mau friend add` or `mau friend confirm` first"
            )
        _place(change, snapshot, person.fingerprint, snapshot.places[person.fingerprint] | {group})


def group_remove(
    change: Change,
    snapshot: Snapshot,
    leaves: Callable[[str], bool],
    members: Collection[Fingerprint] | None,
) -> None:
    """Out of the places that `leaves` says; who had no other place stays a friend. None = everybody."""
    concerned = snapshot.places.keys() if members is None else members
    for fingerprint in sorted(concerned):
        places = snapshot.places.get(fingerprint, frozenset())
        gone = {place for place in places if leaves(place)}
        if gone:
            _place(change, snapshot, fingerprint, (places - gone - {KNOWN}) or {FRIENDS})
    change.remove_files(
        at for at in snapshot.files if leaves(at[1]) and (members is None or at[0] in members)
    )


def _place(change: Change, snapshot: Snapshot, fingerprint: Fingerprint, places: Collection[str]) -> None:
    entry = snapshot.statement.entries[fingerprint]
    certificate = snapshot.certificate(entry.key, fingerprint)
    if certificate is not None:
        change.put(certificate, entry.local_name, places, reported=snapshot.reported(fingerprint))
