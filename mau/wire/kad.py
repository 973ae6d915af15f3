"""What is said about peers under /kad: nodes near a fingerprint, and the answer to being dialled back. Pure.

Each entry of an answer is a claim of whoever gave it. What cannot be one is passed over, as `null` in the
answers of the Go reference is; an answer that is too long, or no list at all, is not believed in any part.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from mau.errors import AddressMalformed, InvalidFingerprint, PeerMisbehaved
from mau.fingerprint import Fingerprint
from mau.hostport import Address, format_address, parse_address

MOST_NODES: Final = 20
"""How many nodes an answer names (k of Kademlia); of what comes beyond that nothing is read."""
MAX_ANSWER: Final = 16 * 1024
"""Bytes of an answer under /kad."""

Node = tuple[Fingerprint, Address]


@dataclass(frozen=True, slots=True)
class DialBack:
    """What a peer found when it dialled us: where it sees us, and whether we answered there as who we are."""

    address: Address
    reached: bool


def dump_nodes(nodes: Iterable[Node]) -> bytes:
    """The JSON of an answer, in the order given."""
    return json.dumps(
        [{"fingerprint": node.hex, "address": format_address(address)} for node, address in nodes],
        separators=(",", ":"),
    ).encode()


def parse_nodes(body: bytes) -> list[Node]:
    """The first `MOST_NODES` entries of an answer, without those that are none and those that repeat."""
    document = _json(body)
    if document is None:
        return []
    if not isinstance(document, list):
        raise PeerMisbehaved("its answer is not a list of peers")
    found: dict[Node, None] = {}
    for entry in document[:MOST_NODES]:
        if isinstance(entry, dict):
            try:
                fingerprint, address = entry.get("fingerprint"), entry.get("address")
                if isinstance(fingerprint, str) and isinstance(address, str):
                    found[Fingerprint.parse(fingerprint), parse_address(address)] = None
            except (InvalidFingerprint, AddressMalformed):
                continue
    return list(found)


def dump_dial_back(answer: DialBack) -> bytes:
    """The JSON of an answer."""
    return json.dumps({"address": format_address(answer.address), "reached": answer.reached}).encode()


def parse_dial_back(body: bytes) -> DialBack:
    """Read the answer; PeerMisbehaved when it is none."""
    document = _json(body)
    if isinstance(document, dict):
        address, reached = document.get("address"), document.get("reached")
        if isinstance(address, str) and isinstance(reached, bool):
            try:
                return DialBack(parse_address(address), reached)
            except AddressMalformed:
                pass
    raise PeerMisbehaved("its answer does not say whether it reached us")


def _json(body: bytes) -> Any:
    if len(body) > MAX_ANSWER:
        raise PeerMisbehaved("its answer is too long")
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise PeerMisbehaved("its answer is not JSON") from error
