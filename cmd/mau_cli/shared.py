"""Shared groups in words: what became of them, and who of a list cannot be written to (spec/groups.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mau.errors import MauError, UsageError
from mau_cli.output import clean, say

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.groups.bindings import Binding
    from mau.groups.document import GroupList
    from mau.groups.following import Followed, State
    from mau.groups.sharing import Shared
    from mau.keyring import Keyring
    from mau_cli.context import Session

_STATES: Final[dict[State, str]] = {
    "missing": "the list is not here; `mau sync` fetches it",
    "deleted": "its owner took the list back, or you out of it",
    "broken": "the list does not hold",
    "older": "an older list than the one you joined was put back; `mau group join` adopts it",
    "left out": "you are not in the list any more",
    "blocked": "you blocked its owner",
    "clash": "another group here has the name",
}


def follow_shared(session: Session, keyring: Keyring) -> list[Followed]:
    """Bring joined groups to their newest lists, and say who came and who went. Never an error."""
    from mau.groups.following import follow_lists

    try:
        followed = follow_lists(session.account(), keyring)
    except (MauError, OSError) as error:
        say(f"Warning: shared groups are not brought up to date: {error}.")
        return []
    for one in followed:
        say_changes(keyring, one)
    return followed


def say_changes(keyring: Keyring, one: Followed) -> None:
    """Who came into a group here and who went, by its owner's list."""
    from mau_cli.audience import called

    owner = clean(called(keyring, one.binding.owner))
    for people, words in ((one.added, "is in it now"), (one.removed, "is in it no more")):
        if people:
            names = ", ".join(clean(person.label) for person in people)
            say(f"@{clean(one.binding.group)}, by {owner}: {names} {words}.")


def shared_words(session: Session, keyring: Keyring, binding: Binding, one: Followed | None) -> str:
    """``by alice, 3 members, 1 whose key you do not hold``; for one's own, that it is shared."""
    from mau_cli.audience import called

    if binding.owner == session.account().fingerprint:
        return "shared by you"
    words = [f"by {called(keyring, binding.owner)}"]
    if one is not None and one.state != "held":
        return ", ".join([*words, _STATES.get(one.state, one.state)])
    words.append(f"{len(binding.members)} member{'s' * (len(binding.members) != 1)}")
    unknown = sum(keyring.person(member) is None for member in binding.members)
    others = sum(
        not keyring.is_friend(member) and keyring.person(member) is not None
        for member in binding.members - {keyring.me.fingerprint}
    )
    if unknown:
        words.append(f"{unknown} whose key you do not hold")
    if others:
        words.append(f"{others} who {'is' if others == 1 else 'are'} no friend of yours")
    return ", ".join(words)


def say_members(keyring: Keyring, binding: Binding, listed: GroupList | None) -> None:
    """Who of a list is not written to, with what it takes."""
    if listed is None:
        return
    for fingerprint, member in listed.members.items():
        if fingerprint == keyring.me.fingerprint or keyring.is_friend(fingerprint):
            continue
        who = f"{fingerprint}" + (f" (calls itself {clean(member.name)!r})" if member.name else "")
        if keyring.person(fingerprint) is None:
            say(f"Not written to: {who}: no key of theirs is held; `mau group keys {clean(binding.group)}`.")
        else:
            say(f"Not written to: {who}: not confirmed; compare, then `mau friend add {fingerprint}`.")


def listed_facts(keyring: Keyring, members: Sequence[Fingerprint]) -> list[dict[str, object]]:
    """What `--json` says of the members of a list."""
    found: list[dict[str, object]] = []
    for one in members:
        person = keyring.person(one)
        status = "me" if one == keyring.me.fingerprint else person.status if person else "no key"
        found.append({"fingerprint": one, "status": status})
    return found


def binding_facts(
    session: Session, keyring: Keyring, binding: Binding | None, one: Followed | None
) -> dict[str, object] | None:
    """What `--json` says of a shared group; null for one that is not."""
    if binding is None:
        return None
    mine = binding.owner == session.account().fingerprint
    return {
        "owner": binding.owner,
        "address": str(binding.address),
        "state": "shared" if mine else one.state if one is not None else None,
        "members": listed_facts(keyring, sorted(binding.members)),
    }


def say_shared(keyring: Keyring, done: Shared) -> None:
    """What came of publishing a list."""
    from mau_cli.audience import called

    if not done.fresh:
        say(f"The list of @{clean(done.group)} says that already.")
        return
    say(f"The list of @{clean(done.group)} is published for its members, as {done.name}.")
    for words, people in (("Told that they are out of it", done.told), ("Does not get it", done.left_out)):
        if people:
            say(f"{words}: {', '.join(sorted(clean(called(keyring, one)) for one in people))}.")


def publish_change(session: Session, keyring: Keyring, group: str) -> None:
    """After a change of the owner's group: the new list, where the group is shared, or one above it is."""
    from mau.groups.sharing import share, shared_as

    parts = group.split("/")
    for depth in range(len(parts), 0, -1):
        name = "/".join(parts[:depth])
        if shared_as(session.account(), name) is None or name not in keyring.groups():
            continue
        try:
            say_shared(keyring, share(session.account(), keyring, name))
        except (MauError, OSError) as error:
            say(f"Warning: its list is not published: {error}. `mau group share {clean(name)}` tries again.")


def check_mine(session: Session, group: str) -> None:
    """UsageError for a group that follows somebody else's list: he says who is in it."""
    from mau.groups.following import bindings_file
    from mau.tree.names import fold

    for binding in bindings_file(session.account()).read().value:
        inside = f"{fold(group)}/".startswith(f"{fold(binding.group)}/")
        if inside and binding.owner != session.account().fingerprint:
            raise UsageError(f"its owner says who is in {'@' + binding.group!r}; `mau group leave` ends that")


def fetch_missing(
    session: Session, keyring: Keyring, owner: Fingerprint, missing: Sequence[Fingerprint]
) -> tuple[list[Fingerprint], dict[Fingerprint, MauError]]:
    """Ask the owner of a list for keys that it does not give; whose are held now, and why others are not."""
    import asyncio

    from mau.introduction import fetch_key
    from mau_cli.following import take_given

    take_given(session)
    held: list[Fingerprint] = []
    problems: dict[Fingerprint, MauError] = {}
    for fingerprint in missing:
        try:
            found = asyncio.run(fetch_key(session.account(), fingerprint, via=owner))
            keyring.hold(found.certificate)
            held.append(fingerprint)
        except MauError as error:
            problems[fingerprint] = error
    return held, problems
