"""What of an answer is believed to be worth a try (spec/kademlia.md D20-D22)."""

from __future__ import annotations

from mau.fingerprint import Fingerprint
from mau.hostport import believable
from mau.kademlia.bucket import K
from mau.kademlia.node import Node


def told(answer: object, teller: Node) -> list[Node]:
    """The nodes of an answer, in its order: of its first 20 entries those that can be true.

    ``answer``: a list of `Node` or (fingerprint, (host, port)). Left out are entries that are neither, those
    that repeat, and addresses of a network that ``teller`` cannot know (`mau.hostport.believable`). Whatever
    the answer is, nothing is raised.
    """
    if not isinstance(answer, list | tuple):
        return []
    found: dict[bytes, Node] = {}
    for entry in answer[:K]:
        node = entry if isinstance(entry, Node) else _read(entry)
        if node is not None and believable(node.host, teller.host):
            found.setdefault(node.id, node)
    return list(found.values())


def _read(entry: object) -> Node | None:
    match entry:
        case (Fingerprint() as fingerprint, (str() as host, int() as port)) if 0 < port < 65536 and host:
            return Node(fingerprint, host, port)
    return None
