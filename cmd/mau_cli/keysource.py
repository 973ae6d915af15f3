"""Where a key to add comes from: a file, what is held already, its owner, or a friend."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mau.errors import OwnKey, PeerNotFound, PeerUnreachable, UsageError
from mau_cli.output import say

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.hostport import Address
    from mau.introduction import Introduction
    from mau.invite.link import Link
    from mau.keyring import Keyring
    from mau.openpgp import Certificate
    from mau_cli.context import Session

MAX_KEY = 1 << 21
"""Bytes of a key that are read, armored or not."""
_KEYFILE = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


def obtain_key(
    session: Session,
    keyring: Keyring,
    key: str,
    at: tuple[str, ...],
    via: str | None,
    link: Link | None = None,
) -> tuple[Certificate, Introduction | None]:
    """The key that is meant: in a file or standard input, held already, or fetched, and then also from where.

    ``at`` and ``via`` as in `mau friend add`. Fetched keys have exactly the fingerprint ``key``, or that of
    the ``link`` which ``key`` is; the key of a link is asked of its person again though it be held.
    """
    from mau.keyring import full_fingerprint
    from mau.openpgp import Certificate

    # A file that is called like a fingerprint needs its directory before it: it may hold any other key.
    wanted = full_fingerprint(key) if link is None else link.fingerprint
    if wanted is None:
        if at or via:
            raise UsageError(f"to fetch a key its fingerprint is needed, in digits or words: {key!r:.80}")
        return Certificate.parse(_read(_KEYFILE.convert(key, None, click.get_current_context()))), None
    if wanted == keyring.me.fingerprint:
        raise OwnKey("that is your own key")
    held = keyring.person(wanted)
    if held is not None and held.confirmed and not (at or via or link):
        return held.certificate, None
    introduction = _fetch(session, wanted, at, keyring.resolve_fingerprint(via) if via else None, link)
    return introduction.certificate, introduction


def _fetch(
    session: Session,
    wanted: Fingerprint,
    at: tuple[str, ...],
    via: Fingerprint | None,
    link: Link | None,
) -> Introduction:
    import asyncio

    from mau.hostport import parse_address
    from mau.introduction import fetch_key
    from mau_cli.following import take_given

    addresses = [parse_address(one) for one in at] or None
    if link is not None and via is None:
        addresses = [*(addresses or ()), *_places(session, link)]
    if via == session.account().fingerprint:
        raise UsageError("--via names somebody else to ask")
    take_given(session)
    try:
        return asyncio.run(fetch_key(session.account(), wanted, via=via, addresses=addresses))
    except (PeerNotFound, PeerUnreachable):
        found = [] if at or via else asyncio.run(_seek(session, wanted))
        if not found:
            raise
    return asyncio.run(fetch_key(session.account(), wanted, addresses=found))


async def _seek(session: Session, wanted: Fingerprint) -> list[Address]:
    """Where they prove to be by the local network or the lookup network, where the settings allow to ask."""
    from mau.config.keys import DISCOVERY_KADEMLIA, DISCOVERY_MDNS
    from mau_cli.finding import seek

    if session.config.get(DISCOVERY_MDNS) == "off" and not session.config.get(DISCOVERY_KADEMLIA):
        return []
    say("No known address leads to them; looking for them ...")
    return await seek(session, wanted)


def _places(session: Session, link: Link) -> list[Address]:
    """Where the person of a link is tried: where the link says, then where somebody else said."""
    from contextlib import closing

    from mau.addressbook import AddressBook
    from mau.invite.showing import places_of

    with closing(AddressBook(session.root)) as book:
        return list(dict.fromkeys([*places_of(link), *book.addresses(link.fingerprint)]))


def _read(keyfile: Path) -> bytes:
    if str(keyfile) == "-":
        data = sys.stdin.buffer.read(MAX_KEY + 1)
    else:
        with keyfile.open("rb") as file:
            data = file.read(MAX_KEY + 1)
    if len(data) > MAX_KEY:
        raise UsageError(f"{str(keyfile)!r} is too large to be a key")
    return data
