"""PCP (RFC 6887): its packets, as far as one TCP port of our own needs them. Pure.

A nonce of 12 random bytes belongs to each mapping: only who saw the request can answer it, renew it or remove
it (section 11.1). What does not carry it, is short, or answers another question, is None.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import Final

VERSION: Final = 2
MAX_PACKET: Final = 1100
"""Octets that a packet may have (section 7)."""
NONCE_SIZE: Final = 12
_MAP: Final = 1
_ANSWER: Final = 0x80
_TCP: Final = 6
_FOUR: Final = bytes(10) + b"\xff\xff"
"""What stands before an IPv4 address (section 5)."""
RESULTS: Final = {
    1: "unsupported version",
    2: "not authorized",
    3: "malformed request",
    4: "unsupported operation",
    5: "unsupported option",
    6: "malformed option",
    7: "network failure",
    8: "no resources",
    9: "unsupported protocol",
    10: "too many mappings",
    11: "cannot provide the external port",
    12: "address mismatch: another router is between",
    13: "too many remote peers",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """The router answered, with a result code that is not success (section 7.4)."""

    code: int

    @property
    def words(self) -> str:
        return RESULTS.get(self.code, f"result {self.code}")


@dataclass(frozen=True, slots=True)
class Mapped:
    """Section 11.1: what was mapped; ``lifetime`` in seconds, 0 for what was removed."""

    epoch: int
    external_address: str
    external_port: int
    lifetime: int


def ask_map(
    client: str, nonce: bytes, internal_port: int, external: tuple[str, int] | None, lifetime: int
) -> bytes:
    """The request to map a TCP port of ``client``, the very address that the packet is sent from.

    ``external`` is what it was mapped to until now, if it was; ``lifetime`` 0 removes it.
    """
    host, port = external or ("", 0)
    unknown = bytes(16) if ":" in client else _FOUR + bytes(4)  # section 11.1: any address will do
    suggested = _sixteen(host) if host else unknown
    payload = struct.pack("!12sB3xHH16s", nonce, _TCP, internal_port, port, suggested)
    return _request(_MAP, lifetime, client) + payload


def read_map(packet: bytes, nonce: bytes, internal_port: int, *, v6: bool) -> Mapped | Refused | None:
    """The answer to `ask_map` with this nonce and port; None for what is none.

    A refusal carries the nonce too, but for those of a router that cannot read the request (it speaks another
    version, or NAT-PMP alone).
    """
    head = _head(packet, _MAP)
    if isinstance(head, Refused) and head.code == 1:
        return head
    if head is None or len(packet) < 60:
        return None
    echoed, protocol, internal, external_port, raw = struct.unpack_from("!12sB3xHH16s", packet, 24)
    if echoed != nonce or protocol != _TCP or internal != internal_port:
        return None
    if isinstance(head, Refused):
        return head
    lifetime, epoch = head
    address = ipaddress.IPv6Address(raw)
    if v6:
        host = None if address.ipv4_mapped else str(address)
    else:
        host = str(address.ipv4_mapped) if address.ipv4_mapped else None
    if host is None or (lifetime and (not external_port or not int(ipaddress.ip_address(host)))):
        return None
    return Mapped(epoch, host, external_port, lifetime)


def _request(operation: int, lifetime: int, client: str) -> bytes:
    return struct.pack("!BBHI16s", VERSION, operation, 0, lifetime, _sixteen(client))


def _sixteen(host: str) -> bytes:
    """An address in 16 bytes, IPv4 as ``::ffff:a.b.c.d`` (section 5)."""
    address = ipaddress.ip_address(host.partition("%")[0])
    return address.packed if address.version == 6 else _FOUR + address.packed


def _head(packet: bytes, operation: int) -> tuple[int, int] | Refused | None:
    """Lifetime and epoch of an answer to an operation (section 7.2)."""
    if len(packet) >= 4 and packet[0] == 0 and packet[1] & _ANSWER and packet[2:4] == b"\x00\x01":
        return Refused(1)  # NAT-PMP's way to say so (RFC 6886 section 3.5)
    if not 24 <= len(packet) <= MAX_PACKET or len(packet) % 4:
        return None
    version, answered, code, lifetime, epoch = struct.unpack_from("!BBxBII", packet)
    if not answered & _ANSWER:
        return None
    if version != VERSION:
        return Refused(1) if code == 1 else None
    if answered != _ANSWER | operation:
        return None
    return Refused(code) if code else (lifetime, epoch)
