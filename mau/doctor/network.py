"""Whether friends could reach us, and where they were reached. Speaks to nobody but this machine."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from mau.addressbook import AddressBook, KnownAddress
from mau.doctor.finding import DAY, Finding, span
from mau.errors import IdentityError, MauError
from mau.hostport import Address, format_address
from mau.tree.layout import Root
from mau.wire.tls import client_context, identity_error, peer_fingerprint, server_context

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring

_SECONDS: Final = 10.0
_ANY: Final = ("", "0.0.0.0", "::")  # noqa: S104 - what others wrote is compared with


async def examine_network(
    root: Root, account: Account | None, keyring: Keyring | None, listen: Address, now: float
) -> list[Finding]:
    """Listening, the proof over TLS, and the addresses of those whom one follows."""
    found = await _listening(account, listen)
    if account is not None and keyring is not None:
        found += _addresses(root, account, keyring, now)
    return found


def judge_connected(addresses: Iterable[str]) -> list[Finding]:
    """Whether this machine is in any network, by the addresses that it has there. Pure."""
    if not all(ipaddress.ip_address(one).is_loopback for one in addresses):
        return []
    return [
        Finding(
            "network",
            "this machine is connected to no network",
            "nobody can be reached, and nobody reaches you",
            "connect it; mau up goes on by itself then, and what was posted meanwhile travels",
        )
    ]


def own_addresses() -> list[str]:
    """The addresses of this machine; nobody is asked for them."""
    from ifaddr import get_adapters

    ips = (one.ip for adapter in get_adapters() for one in adapter.ips)
    return [ip if isinstance(ip, str) else ip[0] for ip in ips]


# --- listening ---------------------------------------------------------------------------------------------


async def _listening(account: Account | None, listen: Address) -> list[Finding]:
    problem = await asyncio.to_thread(_bind, listen)
    if problem is None:
        return [] if account is None else await _prove_oneself(account)
    where = format_address((listen[0] or "*", listen[1]))
    if problem != errno.EADDRINUSE:
        return [
            Finding(
                "network",
                f"nothing can listen on {where}: {_words(problem)}",
                "friends cannot fetch from you",
                "set server.listen to an address of this machine and a port from 1024 on, "
                "e.g. mau config set server.listen :8880",
            )
        ]
    host = "127.0.0.1" if listen[0] in _ANY else listen[0]
    if account is None:
        return []
    try:
        await _connect(account, host, listen[1])
    except (MauError, OSError, TimeoutError):
        return [
            Finding(
                "network",
                f"another program listens on {where}, or a Mau of another account",
                "friends who come there do not find you",
                "end it, or set server.listen to another port",
            )
        ]
    return []  # our own server runs


def _bind(listen: Address) -> int | None:
    """The number of the error when that address cannot be listened on; None when it can."""
    host, port = listen
    try:
        places = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        return errno.EADDRNOTAVAIL
    for family, kind, protocol, _, address in places:
        try:
            with socket.socket(family, kind, protocol) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind(address)
                listener.listen(1)
        except OSError as error:
            if family == socket.AF_INET6 and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                continue  # a machine without IPv6 still resolves it
            return error.errno or errno.EINVAL
    return None


async def _prove_oneself(account: Account) -> list[Finding]:
    """A handshake with oneself over loopback, as friends will do it."""
    try:
        server = await asyncio.start_server(
            lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=server_context(account.identity())
        )
    except OSError as error:
        return [_no_loopback(str(error))]
    async with server:
        host, port = server.sockets[0].getsockname()[:2]
        try:
            await _connect(account, host, port)
        except (MauError, OSError, TimeoutError) as error:
            return [_no_loopback(str(error) or type(error).__name__)]
    return []


def _no_loopback(words: str) -> Finding:
    return Finding(
        "network",
        f"this machine cannot prove its own identity to itself: {words}",
        "then it can prove it to nobody",
        "see that the loopback interface is up (ip link set lo up) and that no firewall filters it",
    )


async def _connect(account: Account, host: str, port: int) -> None:
    """Have whoever listens there prove to be this account; IdentityError, OSError, TimeoutError."""
    context = client_context(account.identity(), account.fingerprint)
    async with asyncio.timeout(_SECONDS):
        try:
            _, writer = await asyncio.open_connection(host, port, ssl=context)
        except OSError as error:
            raise identity_error(error) or error from None
        try:
            if peer_fingerprint(writer.transport) != account.fingerprint:
                raise IdentityError("it did not prove who it is")
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await writer.wait_closed()


def _words(number: int) -> str:
    import os

    return os.strerror(number)


# --- addresses ---------------------------------------------------------------------------------------------


def _addresses(root: Root, account: Account, keyring: Keyring, now: float) -> list[Finding]:
    try:
        return _in_book(root, account, keyring, now)
    except (OSError, sqlite3.Error) as error:
        return [
            Finding(
                "disk",
                f"the address book cannot be opened: {error}",
                "where friends were reached is neither known nor noted",
                "see that the disk has room and can be written; the directory .peers may be deleted",
            )
        ]


def _in_book(root: Root, account: Account, keyring: Keyring, now: float) -> list[Finding]:
    book = AddressBook(root)
    try:
        found = []
        for fingerprint in root.follows(account.fingerprint):
            person = keyring.person(fingerprint)
            label = person.label if person is not None else fingerprint.hex
            found += judge_addresses(label, book.known(fingerprint), now)
        return found
    finally:
        book.close()


def judge_addresses(label: str, known: list[KnownAddress], now: float) -> list[Finding]:
    """What is wrong with the addresses of one person who is followed. Pure."""
    if not known:
        return [
            Finding(
                "network",
                f"no address of {label!r} is known",
                "nothing of theirs can be fetched but what others pass on",
                f"ask them where they are, then mau sync {label!r} --at HOST:PORT",
            )
        ]
    if all(one.failures for one in known):
        proven = max((one.last_proven for one in known if one.last_proven is not None), default=None)
        if proven is None or now - proven > DAY:
            when = "never reached" if proven is None else f"last reached {span(now - proven)} ago"
            return [
                Finding(
                    "network",
                    f"{label!r} was {when}, and failed {'' if proven is None else 'since then '}at "
                    + ", ".join(format_address((one.host, one.port)) for one in known[:3]),
                    "what they wrote since may be missing here",
                    f"ask them whether they moved, then mau sync {label!r} --at HOST:PORT",
                )
            ]
    return []
