"""The finder as `mau find --watch` and `mau up` run it, and what other commands say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mau.addressbook import Source
    from mau.config.lists import Beginning
    from mau.finder.search import Finding
    from mau.fingerprint import Fingerprint
    from mau.hostport import Address
    from mau_cli.context import Session


def beginnings(words: Sequence[str]) -> tuple[Beginning, ...]:
    """What ``--bootstrap`` says, FPR@HOST:PORT or a domain each; ConfigError."""
    from mau.config.keys import DISCOVERY_BOOTSTRAP
    from mau.config.reading import check_option

    if not words:
        return ()
    found: tuple[Beginning, ...] | None = check_option(DISCOVERY_BOOTSTRAP, ",".join(words))
    return found or ()


async def seek(
    session: Session,
    wanted: Fingerprint,
    others: Iterable[tuple[Source, Address]] = (),
    *,
    everywhere: bool = False,
    said: Callable[[Finding], None] = lambda _: None,
) -> list[Address]:
    """Where ``wanted`` proved to be, out of every source that the settings allow; noted in the address book.

    ``others``: addresses from elsewhere. ``everywhere``: go on after the first. ``said`` is told everything.
    """
    from contextlib import aclosing

    from mau.addressbook import AddressBook
    from mau.finder.beginnings import bootstrap, friends_at
    from mau.finder.nodes import Nodes
    from mau.finder.pool import Pool
    from mau.finder.search import Search
    from mau.finder.wants import Wants
    from mau_cli.people import suspect_keyring

    account, wants = session.account(), Wants.of(session.config)
    identity = account.identity()
    book = AddressBook(session.root)
    try:
        # Who does not want to be known looks as a stranger; nodes of the Go reference answer to no stranger.
        async with Pool(identity if wants.announce else None) as pool:
            nodes = None
            if wants.kademlia:
                begin = await bootstrap(wants)
                begin += friends_at(book, [one.fingerprint for one in suspect_keyring(session).friends()])
                nodes = Nodes(account.fingerprint, book, pool, friends=lambda: begin)
            search = Search(
                identity,
                book,
                wanted,
                networks=None if wants.networks.mode == "off" else wants.networks,
                nodes=nodes,
                others=others,
                everywhere=everywhere,
            )
            async with aclosing(search.run()) as findings:
                async for finding in findings:
                    said(finding)
        return search.proven
    finally:
        book.close()
