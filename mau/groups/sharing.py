"""A group's owner shares it: who is in it, as a post for them, kept true (spec/groups.md G10-G13)."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mau.content.binding import Public, audience_of
from mau.deletion.publishing import contents_of, delete_post, publish_deletes
from mau.errors import MauError, NoSuchPost, UsageError
from mau.fingerprint import Fingerprint
from mau.groups.bindings import Binding
from mau.groups.document import MAX_MEMBERS, Member, compose_list, read_list
from mau.groups.following import bindings_file
from mau.marks import blocked
from mau.publish import publish_document, writable
from mau.reader.open import open_post
from mau.tree.names import post_name, random_name

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring, Person
    from mau.reader.open import OpenedPost


@dataclass(frozen=True, slots=True)
class Shared:
    """The list as it is published. `left_out`: members who cannot be written to; `told`: who went, and is
    told so. `fresh`: it had to be written."""

    group: str
    name: str
    members: tuple[Person, ...]
    left_out: frozenset[Fingerprint]
    told: frozenset[Fingerprint]
    fresh: bool


def shared_as(account: Account, group: str) -> str | None:
    """The name of the list under which the owner of this account shares a group; None when he does not."""
    binding = bindings_file(account).read().value.of_group(group)
    return binding.name if binding is not None and binding.owner == account.fingerprint else None


def share(account: Account, keyring: Keyring, group: str) -> Shared:
    """Publish who is in a group to those who are; the same list anew when it is shared already.

    UsageError when the group follows somebody else's list, or has too many members.
    """
    file = bindings_file(account)
    binding = file.read().value.of_group(group)
    if binding is not None and binding.owner != account.fingerprint:
        raise UsageError(f"{'@' + group!r} follows the list of somebody else, who says who is in it")
    if binding is None:
        name = post_name(random_name(datetime.now(UTC), ".json"))
        binding = Binding(group, account.fingerprint, name, 0)
    held = _held(account, keyring, binding.name)
    people = keyring.members(group)
    if len(people) >= MAX_MEMBERS:
        raise UsageError(f"a shared group has at most {MAX_MEMBERS - 1} members besides you")
    me = account.fingerprint
    refused = blocked(account)
    wanted = audience_of(me, [one.fingerprint for one in people if one.fingerprint not in refused])
    audience = writable(keyring, wanted)
    assert not isinstance(audience, Public)  # noqa: S101 - a group is people
    everyone = [_member(keyring.me), *map(_member, people)]
    document = compose_list(me, group.rpartition("/")[2], everyone)
    left_out = frozenset(one.fingerprint for one in people) - audience
    if held is not None and held.audience == audience:
        said, now = read_list(me, held.document), read_list(me, document)
        if said == now:
            return Shared(group, binding.name, tuple(people), left_out, frozenset(), fresh=False)
    # Written down first: a list that nobody remembers could not be changed any more.
    file.change(lambda bindings: bindings.said(replace(binding, members=frozenset(wanted)), int(time.time())))
    gone = _gone(held, frozenset(one.fingerprint for one in people) | {me})
    told = _tell(account, keyring, binding.name, gone) if gone else frozenset()
    publish_document(account, keyring, document, binding.name, audience)
    return Shared(group, binding.name, tuple(people), left_out, told, fresh=True)


def end_sharing(account: Account, keyring: Keyring, group: str) -> bool:
    """Take the list back: whoever joined is told that it is gone. Whether it was shared."""
    file = bindings_file(account)
    binding = file.read().value.of_group(group)
    if binding is None or binding.owner != account.fingerprint:
        return False
    with suppress(NoSuchPost):
        delete_post(account, keyring, binding.name)
    file.change(lambda held: held.said(replace(binding, on=False), int(time.time())))
    return True


def _held(account: Account, keyring: Keyring, name: str) -> OpenedPost | None:
    try:
        return open_post(account, keyring, account.fingerprint, name)
    except MauError:  # it is not there, or is written anew
        return None


def _gone(held: OpenedPost | None, members: frozenset[Fingerprint]) -> frozenset[Fingerprint]:
    """Who could read the list so far and is no member any more."""
    if held is None or not isinstance(held.audience, frozenset):
        return frozenset()
    return held.audience - members


def _tell(
    account: Account, keyring: Keyring, name: str, gone: frozenset[Fingerprint]
) -> frozenset[Fingerprint]:
    """Tell those who went that the lists that they could read hold no more: to them they are deleted.

    What is signed next is later, so for everybody else nothing is deleted (spec/messages.md M79).
    """
    me = account.fingerprint
    contents = {}
    for sha256, content in contents_of(account, keyring, name).items():
        if not isinstance(content.audience, Public) and content.audience & gone:
            contents[sha256] = replace(content, audience=frozenset({me}) | (content.audience & gone))
    published, _ = publish_deletes(account, keyring, name, contents)
    told: set[Fingerprint] = set()
    for one in published:
        if not isinstance(one.audience, Public):
            told |= one.audience - {me}
    return frozenset(told)


def _member(person: Person) -> Member:
    certificate = person.certificate
    return Member(person.fingerprint, certificate.name, bytes(certificate.without_others()))
