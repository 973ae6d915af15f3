"""NAT-PMP (RFC 6886): its packets. Pure.

An answer is believed for what it says when it has the length, the version and the operation of the question;
everything else is None, as if nothing had come. Where it comes from is the socket's business.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import Final

PORT: Final = 5351
"""Where routers listen, for NAT-PMP and PCP."""
_ADDRESS: Final = 0
_MAP_TCP: Final = 2
_ANSWER: Final = 128
RESULTS: Final = {
    1: "unsupported version",
    2: "not authorized",
    3: "network failure",
    4: "out of resources",
    5: "unsupported operation",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """The router answered, with a result code that is not success."""

    code: int

    @property
    def words(self) -> str:
        return RESULTS.get(self.code, f"result {self.code}")


@dataclass(frozen=True, slots=True)
class Epoch:
    """Section 3.6: the seconds since a router began to remember, as said in an answer; when it was heard.

    ``heard`` in seconds of this machine's steady clock.
    """

    said: int
    heard: float

    def forgot(self, later: Epoch) -> bool:
        """Whether the router lost what it had mapped between this answer and a later one.

        Its clock may be slower than ours by an eighth, and answers may be two seconds late.
        """
        return later.said + 2 < self.said + (later.heard - self.heard) * 7 / 8


@dataclass(frozen=True, slots=True)
class ExternalAddress:
    """Section 3.2: the address of the router on the other side."""

    epoch: int
    address: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """Section 3.3: what was mapped; ``lifetime`` in seconds, 0 for what was removed."""

    epoch: int
    internal_port: int
    external_port: int
    lifetime: int


def ask_address() -> bytes:
    """The question for the external address (section 3.2)."""
    return bytes([0, _ADDRESS])


def ask_map(internal_port: int, external_port: int, lifetime: int) -> bytes:
    """The request to map a TCP port (section 3.3); to remove it, ``lifetime`` and ``external_port`` are 0."""
    return struct.pack("!BBHHHI", 0, _MAP_TCP, 0, internal_port, external_port, lifetime)


def read_address(packet: bytes) -> ExternalAddress | Refused | None:
    """The answer to `ask_address`; None for what is none."""
    if (code := _result(packet, _ADDRESS)) is None:
        return None
    if code:
        return Refused(code)
    if len(packet) != 12:
        return None
    epoch, address = struct.unpack_from("!I4s", packet, 4)
    return ExternalAddress(epoch, str(ipaddress.IPv4Address(address)))


def read_map(packet: bytes, internal_port: int) -> Mapped | Refused | None:
    """The answer to `ask_map` for this port; None for what is none."""
    if (code := _result(packet, _MAP_TCP)) is None:
        return None
    if code:
        return Refused(code)
    if len(packet) != 16:
        return None
    mapped = Mapped(*struct.unpack_from("!IHHI", packet, 4))
    if mapped.internal_port != internal_port or (mapped.lifetime and not mapped.external_port):
        return None
    return mapped


def _result(packet: bytes, operation: int) -> int | None:
    """The result code of an answer to an operation. A router that knows PCP alone refuses with version 2."""
    if len(packet) < 4:
        return None
    version, answered, code = struct.unpack_from("!BBH", packet)
    if version == 2 and answered & _ANSWER and packet[3] == 1:
        return 1
    if version != 0 or answered != _ANSWER + operation or (code == 0 and len(packet) < 8):
        return None
    return int(code)
