"""Where lookups begin besides the table: friends, and what the settings name (spec/kademlia.md D27)."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable
from typing import Final

from mau.addressbook import AddressBook
from mau.errors import MauError
from mau.finder.dns import lookup_domain
from mau.finder.wants import Wants
from mau.fingerprint import Fingerprint
from mau.hostport import circuit_of
from mau.kademlia import Node

_FRIENDS: Final = 8
_log = logging.getLogger("mau.finder")


async def bootstrap(wants: Wants) -> list[Node]:
    """The nodes that the settings name; domains are asked of DNS, where that is allowed."""
    found = []
    for one in wants.bootstrap:
        if one.fingerprint is not None and one.address is not None:
            found.append(Node(one.fingerprint, *one.address))
        elif one.domain is not None and wants.dns:
            try:
                answer = await lookup_domain(one.domain)
            except MauError as error:
                _log.warning("bootstrap %s: %s", one.domain, error)
                continue
            found += [Node(answer.fingerprint, *address) for address in answer.addresses]
    return found


def friends_at(book: AddressBook, friends: Iterable[Fingerprint]) -> list[Node]:
    """Some of the friends, others each time, where each is reached best without a circuit."""
    found = []
    for friend in sorted(friends, key=lambda _: random.random())[:_FRIENDS]:  # noqa: S311 - not for secrets
        direct = [one for one in book.addresses(friend) if circuit_of(one[0]) is None]
        found += [Node(friend, *one) for one in direct[:1]]
    return found
