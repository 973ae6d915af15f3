"""One's own key and those of others: expired, revoked, not confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mau.doctor.finding import DAY, Finding, span
from mau.errors import KeyRefused

if TYPE_CHECKING:
    from mau.account import Account
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring, Person
    from mau.openpgp import Certificate

SOON: Final = 30 * DAY
_NAMED: Final = 5
_AFTER = (
    "leave mau up running until your friends have fetched the revoked key; make another account with "
    "mau init, in another directory, and tell your friends"
)
REVOKED: Final = {
    True: (
        "your key is revoked as compromised",
        "nothing that it ever signed is believed, so none of your posts is given out any more, only the "
        "key itself with its revocation. What you and others hold stays, and is shown with a warning",
        _AFTER,
    ),
    False: (
        "your key is revoked",
        "what it signed before is believed and given out as ever; nothing new is, and nobody writes to it",
        _AFTER,
    ),
}
"""By whether it is compromised: what is wrong, why it matters, what to do."""


def examine_keys(account: Account, keyring: Keyring, follows: list[Fingerprint], now: float) -> list[Finding]:
    """Everything about keys; `keyring` may be one that is not believed."""
    found = judge_own(account.certificate, now)
    if keyring.problem is not None:
        found.append(
            Finding(
                "keys",
                str(keyring.problem),
                "until you confirm, nobody counts as a friend: nothing is posted for them or served to them",
                "look with mau friend list, then mau friend confirm --all, or one by one",
            )
        )
    else:
        differences = keyring.unsettled()
        if differences:
            more = f", and {len(differences) - _NAMED} more" if len(differences) > _NAMED else ""
            found.append(
                Finding(
                    "keys",
                    "key files were changed by hand: " + "; ".join(map(str, differences[:_NAMED])) + more,
                    "what you did not confirm makes nobody a friend",
                    "mau friend confirm WHO, or mau friend remove WHO",
                )
            )
    for person in keyring.friends():
        found += judge_friend(person, now)
        if keyring.contested(person):
            found.append(
                Finding(
                    "keys",
                    f"another key carries the same encryption subkey as {person.label!r}'s",
                    "who holds it cannot be told, so what is for it is not served to either",
                    f"ask {person.label!r} in person, and remove the one that is not theirs",
                )
            )
    for fingerprint in follows:
        if keyring.certificate(fingerprint) is None:
            found.append(
                Finding(
                    "keys",
                    f"you follow {fingerprint}, and hold no key of theirs",
                    "nothing of theirs can be checked, so nothing is fetched",
                    f"mau friend add {fingerprint} --at HOST:PORT, or --via FRIEND",
                )
            )
    return found


def judge_own(certificate: Certificate, now: float) -> list[Finding]:
    """What is wrong with one's own key, and what that means for what one wrote."""
    if certificate.revoked:
        return [Finding("keys", *REVOKED[certificate.compromised])]
    if certificate.created > now:
        return [
            Finding(
                "clock",
                f"your key was made {span(certificate.created - now)} ahead of this machine's clock",
                "the clock is wrong, or was when the key was made; nobody believes a key from the future",
                "set the clock, and have it kept right: timedatectl set-ntp true",
            )
        ]
    if certificate.expires is None or certificate.expires > now + SOON:
        return []
    when = "has expired" if certificate.expires <= now else f"expires in {span(certificate.expires - now)}"
    return [
        Finding(
            "keys",
            f"your key {when}",
            "from then on nobody believes what it signs, and nobody writes to it",
            "mau key extend",
        )
    ]


def judge_friend(person: Person, now: float) -> list[Finding]:
    """What is wrong with a friend's key."""
    certificate = person.certificate
    todo = f"ask {person.label!r} for the newer copy of it, then mau friend add FILE"
    try:
        certificate.check_usable(int(now))
    except KeyRefused as error:
        return [
            Finding(
                "keys",
                f"nothing can be written to {person.label!r}: {error}",
                "posts for them are refused, and what they sign from now on is put off",
                f"ask {person.label!r} for their new key" if certificate.revoked else todo,
            )
        ]
    if certificate.expires is not None and certificate.expires <= now + SOON:
        return [
            Finding(
                "keys",
                f"the key of {person.label!r} expires in {span(certificate.expires - now)}",
                "after that nothing can be written to them with it",
                todo,
            )
        ]
    return []
