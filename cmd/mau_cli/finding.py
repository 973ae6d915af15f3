"""The finder as `mau find --watch` and `mau up` run it, and what other commands say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mau.account import Account
    from mau.config.lists import Beginning
    from mau.finder.worker import Finder
    from mau.hostport import Address
    from mau.keyring import Keyring
    from mau_cli.context import Session


def beginnings(words: Sequence[str]) -> tuple[Beginning, ...]:
    """What ``--bootstrap`` says, FPR@HOST:PORT or a domain each; ConfigError."""
    from mau.config.keys import DISCOVERY_BOOTSTRAP
    from mau.config.reading import check_option

    if not words:
        return ()
    found: tuple[Beginning, ...] | None = check_option(DISCOVERY_BOOTSTRAP, ",".join(words))
    return found or ()


def make_finder(
    session: Session,
    account: Account,
    keyring: Keyring,
    where: Callable[[], Address | None],
    bootstrap: tuple[Beginning, ...] = (),
) -> Finder:
    """A finder with the settings of this run; ``where``: where our server listens, None when it does not.

    ``bootstrap``: where to enter the lookup network besides what the settings say; that switches it on.
    """
    from dataclasses import replace
    from functools import partial

    from mau.contact.post import facts_from
    from mau.finder.wants import Wants
    from mau.finder.worker import Finder

    config = session.config
    wants = Wants.of(config)
    if bootstrap:
        wants = replace(wants, kademlia=True, bootstrap=(*wants.bootstrap, *bootstrap))
    return Finder(
        account,
        keyring,
        wants,
        where=where,
        facts=partial(facts_from, config),
        given={person: tuple(places) for person, places in config.given().items()},
    )
