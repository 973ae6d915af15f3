"""Serving as commands show it: where it listens, and that Ctrl-C ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mau_cli.output import data, emit_json

if TYPE_CHECKING:
    import asyncio

    from mau.account import Account
    from mau.daemon.serving import Listening, Serving


def announce(as_json: bool, account: Account, wanted: Serving, where: Listening) -> None:
    """Say where it listens: one line, or one document."""
    if as_json:
        emit_json(
            {
                "address": where.address,
                "fingerprint": account.fingerprint,
                "relay": wanted.relay,
                "relay_of": {author.hex: one for author, one in wanted.relay_of.items()},
                "web": where.web,
            }
        )
    else:
        data(f"{where.address} {account.fingerprint}")


def told_to_end() -> asyncio.Event:
    """From here on Ctrl-C and SIGTERM set this event, also while something is starting."""
    import asyncio
    import signal

    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    return ended
