"""People in words and in JSON, the same wherever they are shown."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mau.errors import KeyRefused
from mau_cli.output import say

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.keyring import Difference, Keyring, Person
    from mau.openpgp import Certificate
    from mau_cli.context import Session


_SOON = 30 * 86_400


def suspect_keyring(session: Session) -> Keyring:
    """The keyring even when its statement may not be believed, which is then said: to look and to confirm."""
    from mau.keyring import Keyring

    keyring = Keyring.load(session.account(), suspect=True)
    if keyring.problem is not None:
        say(f"Warning: {keyring.problem}")
        say("Until then nobody counts as a friend.")
    return keyring


def moment(seconds: int | None) -> str | None:
    """A time in unix seconds as ISO 8601 in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def grouped(person: Person) -> str:
    """The groups of somebody as they are written: ``@family @work/team``."""
    return " ".join(f"@{group}" for group in person.groups)


def user_id(certificate: Certificate) -> str:
    """What somebody calls himself: the first user id."""
    return certificate.user_ids[0] if certificate.user_ids else ""


def key_problem(certificate: Certificate) -> str | None:
    """Why nothing may be encrypted to a key, in words; None when it may."""
    try:
        certificate.check_usable()
    except KeyRefused as error:
        return str(error)
    return None


def expires_soon(certificate: Certificate, now: float | None = None) -> bool:
    """Whether a key that may be used now will have expired in 30 days."""
    now = time.time() if now is None else now
    expires = certificate.expires
    return not certificate.revoked and expires is not None and now < expires < now + _SOON


def key_marks(person: Person) -> str:
    """What somebody should know about a key, in few words; "" when there is nothing."""
    problem = key_problem(person.certificate)
    marks = [problem.partition(";")[0]] if problem else []
    marks += [f"expires {moment(person.certificate.expires)}"] if expires_soon(person.certificate) else []
    marks += ["has news to confirm"] if person.news else []
    return ", ".join(marks)


def person_facts(person: Person) -> dict[str, object]:
    """What `--json` says of a person."""
    certificate = person.certificate
    return {
        "fingerprint": person.fingerprint,
        "words": " ".join(person.fingerprint.words),
        "name": person.local_name or None,
        "status": person.status,
        "groups": list(person.groups),
        "user_ids": list(certificate.user_ids),
        "algorithm": certificate.algorithm,
        "created": moment(certificate.created),
        "expires": moment(certificate.expires),
        "revoked": certificate.revoked,
        "problem": key_problem(certificate),
        "expires_soon": expires_soon(certificate),
        "news": person.news,
    }


def difference_facts(difference: Difference) -> dict[str, object]:
    """What `--json` says of a difference between key files and keyring statement."""
    return {
        "kind": difference.kind,
        "fingerprint": difference.fingerprint,
        "name": difference.local_name or None,
        "group": difference.group or None,
        "reason": difference.reason or None,
    }


def say_key(certificate: Certificate) -> None:
    """Show a key to somebody who is to decide about it."""
    fingerprint = certificate.fingerprint.hex.upper()
    say("  fingerprint  " + " ".join(fingerprint[at : at + 4] for at in range(0, 40, 4)))
    for lead, line in zip(("words       ", " " * 12, " " * 12), worded(certificate.fingerprint), strict=True):
        say(f"  {lead} {line}")
    for name in certificate.user_ids or ("(no valid user id)",):
        say("  calls itself " + " ".join(name.split()))
    lifetime = (
        f"expires {moment(certificate.expires)}" if certificate.expires is not None else "does not expire"
    )
    say(f"  {certificate.algorithm}, made {moment(certificate.created)}, {lifetime}")


def worded(fingerprint: Fingerprint) -> list[str]:
    """The words of a fingerprint in three lines of five."""
    words = fingerprint.words
    return [" ".join(words[at : at + 5]) for at in range(0, len(words), 5)]


def say_differences(differences: Iterable[Difference]) -> None:
    """List differences for somebody who is to decide about them."""
    for difference in differences:
        say(f"  {difference}")
