"""What the kernel says of interfaces, addresses, routes and neighbours (rtnetlink(7)). Linux only.

Only dumps are asked for, which need no privilege. The reading is pure; `dump` asks.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

GETLINK: Final = 18
GETADDR: Final = 22
GETROUTE: Final = 26
GETNEIGH: Final = 30

GROUPS: Final = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
"""RTMGRP_* of what may change: links, addresses and routes of IPv4 and IPv6."""

# linux/if.h
UP: Final = 0x1
LOOPBACK: Final = 0x8
POINT_TO_POINT: Final = 0x10
RUNNING: Final = 0x40
MULTICAST: Final = 0x1000

# linux/if_addr.h: an address that is being checked, or that somebody else has, cannot be bound; a temporary
# one (RFC 8981) is made so that this machine is not recognised by it.
_TEMPORARY, _DUPLICATE, _DEPRECATED, _TENTATIVE = 0x1, 0x8, 0x20, 0x40
_NOT_OURS_TO_SAY: Final = _TEMPORARY | _DUPLICATE | _DEPRECATED | _TENTATIVE

_REQUEST, _DUMP = 0x1, 0x300
_NOOP, _ERROR, _DONE = 1, 2, 3
_HEADER: Final = struct.Struct("=IHHII")
_ATTRIBUTE: Final = struct.Struct("=HH")
_MAIN_TABLE: Final = 254
_UNICAST: Final = 1
_NO_NEIGHBOUR: Final = 0x1 | 0x20 | 0x40  # incomplete, failed, noarp


@dataclass(frozen=True, slots=True)
class Link:
    """An interface: its index, name and IFF_ flags."""

    index: int
    name: str
    flags: int


def messages(data: bytes, kind: int) -> Iterator[bytes]:
    """The bodies of one kind in what the kernel sent; what is cut short ends it."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, found, *_ = _HEADER.unpack_from(data, at)
        if length < _HEADER.size or at + length > len(data):
            return
        if found == kind:
            yield data[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def attributes(body: bytes, start: int) -> dict[int, bytes]:
    """The attributes of a message after its fixed part."""
    found: dict[int, bytes] = {}
    at = start
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size or at + length > len(body):
            break
        found[kind & 0x3FFF] = body[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return found


def links(data: bytes) -> Iterator[Link]:
    """Interfaces, of a dump of GETLINK."""
    for body in messages(data, 16):
        _, _, index, flags, _ = struct.unpack_from("=BxHiII", body)
        name = attributes(body, 16).get(3, b"").rstrip(b"\0")
        yield Link(index, os.fsdecode(name), flags)


def addresses(data: bytes) -> Iterator[tuple[int, ipaddress.IPv4Interface | ipaddress.IPv6Interface]]:
    """Index of the interface and address, of a dump of GETADDR; only those that are ready to be told."""
    for body in messages(data, 20):
        _, prefix, flags, _, index = struct.unpack_from("=BBBBI", body)
        found = attributes(body, 8)
        if len(found.get(8, b"")) == 4:
            (flags,) = struct.unpack("=I", found[8])
        raw = found.get(2, found.get(1, b""))  # IFA_LOCAL: with a peer, IFA_ADDRESS is the peer's
        if flags & _NOT_OURS_TO_SAY or len(raw) not in (4, 16):
            continue
        yield index, ipaddress.ip_interface((raw, prefix))


def routers(data: bytes) -> Iterator[tuple[int, IP]]:
    """Index of the interface and the default router there, of a dump of GETROUTE."""
    for body in messages(data, 24):
        _, length, _, _, table, _, _, kind = struct.unpack_from("=BBBBBBBB", body)
        found = attributes(body, 12)
        if len(found.get(15, b"")) == 4:
            table = struct.unpack("=I", found[15])[0]
        if length or table != _MAIN_TABLE or kind != _UNICAST:
            continue
        hops = [(found.get(4, b""), found.get(5, b""), found.get(18, b""))]
        hops += _multipath(found.get(9, b""))
        for index, direct, via in hops:
            raw = direct or via[2:]
            if len(index) == 4 and len(raw) in (4, 16):
                yield struct.unpack("=i", index)[0], ipaddress.ip_address(raw)


def _multipath(data: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """The hops of a route that has several: (index of the interface, gateway, via)."""
    hops = []
    at = 0
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("=H", data, at)
        if length < 8 or at + length > len(data):
            break
        found = attributes(data[at : at + length], 8)
        hops.append((data[at + 4 : at + 8], found.get(5, b""), found.get(18, b"")))
        at += (length + 3) & ~3
    return hops


def neighbours(data: bytes) -> Iterator[tuple[int, IP, str]]:
    """Index of the interface, address and hardware address, of a dump of GETNEIGH."""
    for body in messages(data, 28):
        _, index, state, _, _ = struct.unpack_from("=BxxxiHBB", body)
        found = attributes(body, 12)
        raw, hardware = found.get(1, b""), found.get(2, b"")
        if state & _NO_NEIGHBOUR or len(raw) not in (4, 16) or len(hardware) != 6:
            continue
        yield index, ipaddress.ip_address(raw), hardware.hex(":")


def dump(kind: int) -> bytes:
    """Everything the kernel has of a kind; OSError. It answers at once."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(2)
        kernel.bind((0, 0))
        body = struct.pack("=BxHiII", 0, 0, 0, 0, 0)  # the longest of the fixed parts, all zero: everything
        size = _HEADER.size + len(body)
        kernel.send(_HEADER.pack(size, kind, _REQUEST | _DUMP, 1, 0) + body)
        whole = b""
        while True:
            data, sender = kernel.recvfrom(1 << 18)
            if sender[0] != 0:  # only the kernel has port 0
                continue
            if any(True for _ in messages(data, _ERROR)):
                raise OSError("the kernel does not say what networks there are")
            whole += data
            if any(True for _ in messages(data, _DONE)):
                return whole
