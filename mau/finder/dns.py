"""A domain that stands for a person: SRV says where, TXT says who (spec/finding.md N60-N64).

DNS proves nothing here, with or without DNSSEC: whoever answers can name anybody. Where somebody is is a hint
as any other; who somebody is, is for people to compare before they act on it.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mau.domain import parse_domain
from mau.errors import AddressMalformed, PeerNotFound, PeerUnreachable
from mau.fingerprint import Fingerprint
from mau.hostport import Address, format_address, parse_address, scope_of

if TYPE_CHECKING:
    from dns.rrset import RRset

MAX_TARGETS: Final = 8
SECONDS: Final = 5.0
"""How long DNS may take, with all its repetitions."""

_SERVICE: Final = "_mau._tcp"
_MAX_RECORDS: Final = 64
_MAX_TEXT: Final = 512
_WHO: Final = re.compile(r"\s*(?:mau\s*=|openpgp4fpr:)\s*(?:0x)?([0-9a-f]{40})\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DomainAnswer:
    """Whom a domain names, and where they are, the best address first; there may be none."""

    domain: str
    fingerprint: Fingerprint
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """One SRV record (RFC 2782)."""

    priority: int
    weight: int
    host: str
    port: int


async def lookup_domain(
    name: str, *, servers: Sequence[Address] | None = None, seconds: float = SECONDS
) -> DomainAnswer:
    """Ask DNS for the person whom a domain names.

    ``servers``: addresses of DNS servers of one port; by default what the system says. AddressMalformed for
    what is no domain, PeerNotFound when it names nobody or several, PeerUnreachable when DNS does not answer.
    """
    domain = parse_domain(name)
    asked = f"{_SERVICE}.{domain}."
    async with asyncio.TaskGroup() as group:
        texts = group.create_task(_ask(asked, "TXT", servers, seconds))
        targets = group.create_task(_ask(asked, "SRV", servers, seconds))
    for answer in (texts.result(), targets.result()):
        if isinstance(answer, PeerUnreachable):
            raise answer
    who = named(_texts(texts.result()))
    if not who:
        raise PeerNotFound(
            f"{domain} names nobody: a TXT record at {_SERVICE}.{domain} with mau=FINGERPRINT would"
        )
    if len(who) > 1:
        raise PeerNotFound(f"{domain} names {len(who)} people; say the fingerprint of the one you mean")
    return DomainAnswer(domain, who.pop(), where(_targets(targets.result()), random.SystemRandom()))


# --- what records say, pure --------------------------------------------------------------------------------


def named(texts: Iterable[str]) -> set[Fingerprint]:
    """The people whom TXT records name; records of other kinds are passed over."""
    found = (_WHO.fullmatch(text) for text in texts if len(text) <= _MAX_TEXT)
    return {Fingerprint.parse(match[1].lower()) for match in found if match is not None}


def where(targets: Iterable[Target], chance: random.Random) -> tuple[Address, ...]:
    """Addresses in the order of RFC 2782: by priority, within one by chance according to the weights."""
    # Those without weight stand first in the draw, which gives them a small chance.
    waiting = sorted(set(targets), key=lambda one: (one.priority, one.weight, one.host, one.port))
    del waiting[_MAX_RECORDS:]
    found: list[Address] = []
    while waiting and len(found) < MAX_TARGETS:
        same = [one for one in waiting if one.priority == waiting[0].priority]
        drawn = chance.randint(0, sum(one.weight for one in same))
        for one in same:
            drawn -= one.weight
            if drawn <= 0:
                break
        waiting.remove(one)
        address = _address(one)
        if address is not None and address not in found:
            found.append(address)
    return tuple(found)


def _address(target: Target) -> Address | None:
    try:
        # The root alone says that there is no such service (RFC 2782).
        found = parse_address(format_address((target.host.removesuffix("."), target.port)))
    except AddressMalformed:
        return None
    # A target is a name: no digits, and not this machine.
    return found if scope_of(found[0]) == "name" else None


# --- asking ------------------------------------------------------------------------------------------------


async def _ask(
    asked: str, kind: str, servers: Sequence[Address] | None, seconds: float
) -> RRset | PeerUnreachable | None:
    """The records of one kind; None when there are none. An error is returned, so that both are asked."""
    from dns.asyncresolver import Resolver
    from dns.exception import DNSException
    from dns.resolver import NXDOMAIN

    try:
        resolver = Resolver(configure=servers is None)
        if servers is not None:
            resolver.nameservers = [host for host, _ in servers]
            resolver.port = servers[0][1]
        answer = await resolver.resolve(asked, kind, lifetime=seconds, search=False, raise_on_no_answer=False)
    except NXDOMAIN:
        return None
    except (DNSException, OSError, EOFError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        return PeerUnreachable(f"DNS does not say who is at {asked.rstrip('.')}: {why:.200}")
    return answer.rrset


def _texts(answer: Any) -> list[str]:
    """The texts of TXT records; the strings of one are one text (RFC 7208 section 3.3 does so, too)."""
    records = list(answer or ())[:_MAX_RECORDS]
    return [b"".join(record.strings).decode("utf-8", "replace") for record in records]


def _targets(answer: Any) -> list[Target]:
    return [
        Target(record.priority, record.weight, record.target.to_text().lower(), record.port)
        for record in answer or ()
    ]
