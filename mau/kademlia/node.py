"""A fingerprint at an address: what tables hold and lookups ask (spec/kademlia.md D1-D3)."""

from __future__ import annotations

import kademlia.node

from mau.fingerprint import Fingerprint
from mau.hostport import Address, format_address


class Node(kademlia.node.Node):
    """One entry. Two addresses of one person are two nodes: a false one cannot stand before the true one.

    `id` is the key of the entry: the fingerprint's bytes, then the address. `long_id` is the place in the
    space of fingerprints, and knows no address. Never changed once made.
    """

    id: bytes
    ip: str
    port: int
    long_id: int

    def __init__(self, fingerprint: Fingerprint, host: str, port: int) -> None:
        """``host`` in the form that `mau.hostport.parse_address` gives it."""
        super().__init__(fingerprint.raw, host, port)
        self.id += format_address((host, port)).encode("utf-8", "surrogatepass")
        self.fingerprint = fingerprint

    @property
    def host(self) -> str:
        """Without brackets."""
        return self.ip

    @property
    def address(self) -> Address:
        """(host without brackets, port)."""
        return self.ip, self.port

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"Node({self.fingerprint.hex}@{format_address(self.address)})"


def position(fingerprint: Fingerprint) -> int:
    """The place of a fingerprint in the space: 0 up to 2**160 - 1. The distance of two is their XOR."""
    return int.from_bytes(fingerprint.raw, "big")
