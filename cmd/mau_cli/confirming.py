"""Confirming people: what is shown before, and what is asked (spec/keyring.md K3.5, K3.6, K11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from mau.errors import PartlyDone, UsageError
from mau_cli.output import say

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.keyring import Difference, Keyring, Person
    from mau.openpgp import Certificate
    from mau_cli.context import Session


def choose_local_name(
    session: Session, keyring: Keyring, certificate: Certificate, local_name: str | None, *, yes: bool
) -> str:
    """The local name: as given, else asked for, else made of the user id; UsageError when it is taken."""
    from mau.keyring import plain_name

    if local_name is not None:
        return local_name
    if yes:
        # With nobody looking, a name in use is not evaded: two of one name are to be told apart by hand.
        if name := plain_name(certificate):
            return name
        raise UsageError("no local name can be made of what this key says; say it with --as")
    if not session.interactive:
        raise UsageError("a local name is needed: say it with --as, and --yes to add without being asked")
    suggestion = keyring.suggest_name(certificate)
    return str(click.prompt("Your name for them", default=suggestion or None, err=True))


def say_contested(keyring: Keyring, fingerprint: Fingerprint) -> None:
    """Warn of encryption keys of somebody that others carry as well."""
    person = keyring.person(fingerprint)
    _say_contested(keyring.contested(person) if person else {})


def _say_contested(contested: Mapping[bytes, list[Person]]) -> None:
    for keyid, others in contested.items():
        names = ", ".join(repr(other.local_name) for other in others)
        say(
            f"Warning: the encryption key {keyid.hex()} is also on the key of {names}. Between friends, "
            "nobody is given the posts for it until only one of them carries it."
        )


def confirm_one(
    session: Session, keyring: Keyring, fingerprint: Fingerprint, local_name: str | None, *, yes: bool
) -> None:
    """Show what differs about one person, ask, and confirm that and nothing else."""
    from mau_cli.people import say_differences, say_key

    person = keyring.person(fingerprint)
    if person is keyring.me:
        raise UsageError("that is you; there is nothing to confirm")
    differences = [
        difference for difference in keyring.differences() if difference.fingerprint == fingerprint
    ]
    if person is not None:
        say_key(person.certificate)
    say_differences(differences)
    if person is not None:
        _say_contested(keyring.contested_news(person))
    if (
        not any(difference.confirmable for difference in differences)
        and local_name is None
        and not keyring.problem
    ):
        say("There is nothing to confirm.")
        return
    if person is not None and not person.confirmed:
        local_name = choose_local_name(session, keyring, person.certificate, local_name, yes=yes)
    name = local_name or (person.local_name if person else fingerprint.hex)
    if not session.confirm(f"Confirm {name!r}?", yes=yes):
        raise click.Abort
    confirmed = keyring.confirm(fingerprint, local_name)
    if confirmed is None or not confirmed.confirmed:
        say(f"{name!r} is nobody's name any more.")
        return
    groups = "".join(f", in @{group}" for group in confirmed.groups)
    say(f"{confirmed.local_name!r} is {'a friend' if confirmed.status == 'friend' else 'known'}{groups}.")


def confirm_differences(
    session: Session, keyring: Keyring, differences: list[Difference], *, yes: bool
) -> None:
    """List differences, ask, confirm those and no others; PartlyDone when somebody was left out."""
    names = _names(keyring, differences)
    for difference in differences:
        name = names.get(difference.fingerprint)
        say(f"  {difference}" + (f"; you will call them {name!r}" if name and difference.confirmable else ""))
    if not any(difference.confirmable for difference in differences) and not keyring.problem:
        say("There is nothing to confirm.")
        return
    if not session.confirm("Is all of this as you want it?", yes=yes):
        raise click.Abort
    left_out = keyring.confirm_all(names, differences)
    say(f"{len(keyring.friends())} friends, {len(keyring.known())} known.")
    for fingerprint, error in left_out:
        say(f"  {fingerprint} was left out: {error}")
    if left_out:
        raise PartlyDone(f"{len(left_out)} were left out; confirm them one by one, or remove them")


def _names(keyring: Keyring, differences: list[Difference]) -> dict[Fingerprint, str]:
    """Names for those who have none, no two the same."""
    from mau.keyring import name_key

    names: dict[Fingerprint, str] = {}
    for fingerprint in dict.fromkeys(difference.fingerprint for difference in differences):
        person = keyring.person(fingerprint)
        if person is not None and not person.confirmed:
            name = keyring.suggest_name(person.certificate, {name_key(name) for name in names.values()})
            if name:
                names[fingerprint] = name
    return names
