"""Membership that follows its owner's newest list (spec/groups.md G30-G36)."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from mau.deletion.held import deletes_of
from mau.errors import MauError, NoSuchPost, UsageError
from mau.fingerprint import Fingerprint
from mau.groups.bindings import Binding, Bindings, dump_bindings, load_bindings
from mau.groups.document import GroupList, read_list
from mau.keyring.names import check_local_name
from mau.marks import blocked
from mau.marks.store import Kind, MarksFile
from mau.reader.open import open_post
from mau.tree.names import GROUPS_NAME, check_group, fold

if TYPE_CHECKING:
    from mau.account import Account
    from mau.content.address import Address
    from mau.keyring import Keyring, Person

State = Literal["held", "missing", "deleted", "broken", "older", "left out", "blocked", "clash"]
"""Of the list that a group follows. ``held``: it is followed; ``left out``: we stand in it no more."""
FOLLOWED: Final[frozenset[State]] = frozenset({"held"})
_ENDING: Final[frozenset[State]] = frozenset({"deleted", "left out"})
BINDINGS: Final = Kind(GROUPS_NAME, Bindings(), dump_bindings, load_bindings)


@dataclass(frozen=True, slots=True)
class Found:
    """The list under an address, as it is held. `listed` is None in every state but ``held``."""

    state: State
    listed: GroupList | None = None
    signed_at: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of one group: who came into it here and who went, by the newest list."""

    binding: Binding
    state: State
    listed: GroupList | None = None
    added: tuple[Person, ...] = ()
    removed: tuple[Person, ...] = ()
    reason: str = ""

    @property
    def changed(self) -> bool:
        """Whether anything is otherwise than it was."""
        return bool(self.added or self.removed)


def bindings_file(account: Account) -> MarksFile[Bindings]:
    """Where it stands which groups are shared."""
    return MarksFile(account, BINDINGS)


def find_list(account: Account, keyring: Keyring, owner: Fingerprint, name: str) -> Found:
    """The list that is held under a post's name. Never an error."""
    deletes = deletes_of(account, keyring, owner)
    try:
        post = open_post(account, keyring, owner, name)
    except NoSuchPost:
        return Found("deleted" if deletes.of(name) else "missing")
    except (MauError, OSError) as error:
        return Found("broken", reason=str(error))
    if deletes.until(name) >= post.signed_at:
        return Found("deleted")
    listed = read_list(owner, post.document)
    if listed is None or not post.statement.bound:
        return Found("broken", reason="it is no list of a group, or one that is too long")
    return Found("held", listed, post.signed_at)


def local_group(keyring: Keyring, word: str, *, given: bool) -> str:
    """The name of a new group here. What the owner calls it serves only when it can be no trick (G31).

    UsageError: it is taken, or may not be, with what to do about it.
    """
    hint = "" if given else "; choose another name with --as"
    try:
        name = check_group(word.removeprefix("@") if given else word)
        if not given:
            check_local_name(name)
    except UsageError as error:
        raise UsageError(f"{error}{hint}") from None
    taken = {fold(part) for group in keyring.groups() for part in (group, group.partition("/")[0])}
    if fold(name) in taken or (not given and "/" in name):
        raise UsageError(f"there is a group {name!r} here already{hint or '; choose another name'}")
    return name


def join(account: Account, keyring: Keyring, address: Address, group: str | None = None) -> Followed:
    """Let a group here follow the list of that post. UsageError, NoSuchPost.

    A group that follows it already is followed anew, whatever it followed so far: an older list, too.
    """
    owner, name = address.author, address.name or ""
    if owner == account.fingerprint:
        raise UsageError("that is your own list")
    found = find_list(account, keyring, owner, name)
    if found.state in ("missing", "deleted"):
        raise NoSuchPost(f"no list {name!r} is held here")
    if found.listed is None:
        raise UsageError(f"{name!r} cannot be joined: {found.reason}")
    if account.fingerprint not in found.listed.members:
        raise UsageError("you do not stand in that list")
    if owner in blocked(account):
        raise UsageError("you blocked its owner; `mau unblock` ends that")
    file = bindings_file(account)
    same = [one for one in file.read().value if (one.owner, one.name) == (owner, name)]
    if same and group is None:
        local = same[0].group
    else:
        local = local_group(
            keyring, group if group is not None else found.listed.name, given=group is not None
        )
    binding = Binding(local, owner, name, 0, found.signed_at, frozenset(found.listed.members))

    def change(held: Bindings) -> Bindings:
        now = int(time.time())
        for one in same:
            if one.group != local:
                held = held.said(replace(one, on=False), now)
        return held.said(binding, now)

    bound = file.change(change).held[local]
    return _follow(account, keyring, bound, found, frozenset())


def leave(account: Account, group: str) -> bool:
    """Let a group follow no list any more; whether it did. Its members stay as they are."""
    file = bindings_file(account)
    binding = file.read().value.of_group(group)
    if binding is None:
        return False
    file.change(lambda held: held.said(replace(binding, on=False, ended=False), int(time.time())))
    return True


def follow_lists(account: Account, keyring: Keyring) -> list[Followed]:
    """Bring every joined group to what the newest list of its owner says, and tell what became of each.

    Only confirmed friends become members, whatever a list says (G32).
    """
    file = bindings_file(account)
    refused = blocked(account)
    done = []
    for binding in file.read().value:
        if binding.owner == account.fingerprint:
            continue
        found = find_list(account, keyring, binding.owner, binding.name)
        one = _follow(account, keyring, binding, found, refused)
        done.append(one)
        if one.binding != binding:
            with suppress(MauError, OSError):  # what is done is done; it is said again the next time
                _say(file, one.binding)
    return done


def _say(file: MarksFile[Bindings], binding: Binding) -> None:
    file.change(lambda held: held.said(binding, int(time.time())))


def _follow(
    account: Account, keyring: Keyring, binding: Binding, found: Found, refused: frozenset[Fingerprint]
) -> Followed:
    state, listed = found.state, found.listed
    if binding.owner in refused:
        return Followed(binding, "blocked")
    if listed is not None and found.signed_at < binding.signed_at:
        return Followed(binding, "older")
    if listed is not None and account.fingerprint not in listed.members:
        state = "left out"
    if state not in _ENDING and listed is None:
        return Followed(binding, state, reason=found.reason)
    wanted = frozenset() if state in _ENDING or listed is None else frozenset(listed.members)
    friends = keyring.friends()
    added = tuple(one for one in friends if one.fingerprint in wanted and binding.group not in one.groups)
    removed = tuple(one for one in friends if one.fingerprint not in wanted and binding.group in one.groups)
    try:
        if added:
            keyring.group_add(binding.group, added)
        if removed:
            keyring.group_remove(binding.group, removed)
    except UsageError as error:  # another group is called like that by now
        return Followed(binding, "clash", listed, reason=str(error))
    ended = state in _ENDING
    if (binding.signed_at, binding.members, binding.ended) != (found.signed_at, wanted, ended):
        signed_at = max(found.signed_at, binding.signed_at)
        binding = replace(binding, signed_at=signed_at, members=wanted, ended=ended)
    return Followed(binding, state, listed, added, removed)
