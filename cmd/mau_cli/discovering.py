"""How a new account is to find friends: three questions, or one option, and the settings that follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from mau_cli.output import say

if TYPE_CHECKING:
    from mau.config.keys import Key
    from mau_cli.context import Session

WAYS: Final = ("lan", "lookup", "router")
_NONE: Final = "none"
_QUESTIONS: Final = {
    "lan": "Find friends in this local network, and be found by them?\n"
    "  Everybody in it then sees your fingerprint.",
    "lookup": "Find friends by the lookup network, wherever they are, and be found by it?\n"
    "  Strangers then see whom you look for, and who knows your fingerprint sees your address.",
    "router": "May the router be asked to let friends in from the internet (UPnP, PCP, NAT-PMP)?",
}


def read_ways(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """``lan,lookup,router``, some of them, or ``none``, in the order of WAYS; a usage error otherwise."""
    if value is None:
        return None
    words = {word.strip() for word in value.split(",")} - {""}
    if words == {_NONE}:
        return ()
    if not words or not words <= set(WAYS):
        raise click.BadParameter(f"{', '.join(WAYS)} or several of them with commas, or {_NONE}")
    return tuple(way for way in WAYS if way in words)


def ask_ways(session: Session) -> tuple[str, ...]:
    """Ask on the terminal; without one nothing is wanted, and what is set already is not asked."""
    if not session.interactive:
        return ()
    asked = [way for way in WAYS if not _is_set(session, way)]
    return tuple(way for way in asked if click.confirm(_QUESTIONS[way], err=True))


def switch_on(session: Session, ways: tuple[str, ...]) -> None:
    """Write the settings, and say which."""
    from mau.config.editing import put

    def write(key: Key[Any], value: object) -> None:
        put(session.config.path, key, value)
        shown = key.kind.show(value)
        say(f"{key.name} = {', '.join(shown) if isinstance(shown, list) else shown}")

    for way in ways:
        _SWITCHES[way](session, write)
    if ways:
        say(f"That is written into {str(session.config.path)!r}; `mau config` changes it.")


def _is_set(session: Session, way: str) -> bool:
    from mau.config.keys import DISCOVERY_KADEMLIA, DISCOVERY_MDNS, REACH_ROUTER

    keys: dict[str, Key[Any]] = {"lan": DISCOVERY_MDNS, "lookup": DISCOVERY_KADEMLIA, "router": REACH_ROUTER}
    return session.config.setting(keys[way]).origin != "default"


Write = Callable[["Key[Any]", object], None]


def _local(session: Session, write: Write) -> None:
    from mau.config.keys import DISCOVERY_MDNS, DISCOVERY_NETWORKS
    from mau.finder.mdns.interfaces import known_networks

    held = session.config.get(DISCOVERY_NETWORKS)
    here = tuple(network.name for network in known_networks() if network.name is not None)
    write(DISCOVERY_MDNS, "trusted")
    trusted = tuple(dict.fromkeys((*(held or ()), *here)))
    if trusted != (held or ()):
        write(DISCOVERY_NETWORKS, trusted)
    if not here:
        say(
            "This machine is in no local network that can be told from others; `mau nearby --trust` adds one."
        )


def _lookup(_: Session, write: Write) -> None:
    from mau.config.keys import DISCOVERY_ANNOUNCE, DISCOVERY_KADEMLIA

    write(DISCOVERY_KADEMLIA, True)
    write(DISCOVERY_ANNOUNCE, True)


def _router(_: Session, write: Write) -> None:
    from mau.config.keys import REACH_ROUTER

    write(REACH_ROUTER, True)


_SWITCHES: Final[dict[str, Callable[[Session, Write], None]]] = {
    "lan": _local,
    "lookup": _lookup,
    "router": _router,
}
