"""The table of everything that can be set (spec/config.md C5). Pure.

A setting has one name everywhere: ``server.listen`` in the file is ``MAU_SERVER_LISTEN`` in the environment
and ``--listen`` of `mau serve`.

One module for each section (a new one is added to `table`); programs import from here.
"""

from __future__ import annotations

from mau.config.keys.circuit import (
    CIRCUIT_AT_ONCE,
    CIRCUIT_BYTES,
    CIRCUIT_MEMBERS,
    CIRCUIT_MINUTES,
    CIRCUIT_RELAY,
    CIRCUIT_VIA,
    CircuitRelay,
)
from mau.config.keys.discovery import (
    DISCOVERY_ANNOUNCE,
    DISCOVERY_BOOTSTRAP,
    DISCOVERY_CONTACT,
    DISCOVERY_DNS,
    DISCOVERY_KADEMLIA,
    DISCOVERY_MDNS,
    DISCOVERY_NETWORKS,
    Contact,
    Mdns,
)
from mau.config.keys.finding import author_of, find_key, find_variable, for_person, nearest, peer_at, relay_of
from mau.config.keys.general import (
    DELETE_ON_RM,
    DELETE_RECEIVED,
    DIR,
    PASSPHRASE_COMMAND,
    PASSPHRASE_FILE,
    POST_AUDIENCE,
    Received,
)
from mau.config.keys.key import PREFIX, Key
from mau.config.keys.reach import PEER_AT, REACH_ADDRESSES, REACH_ROUTER
from mau.config.keys.reader import (
    READER_ALGORITHM,
    READER_LANGUAGES,
    READER_MARK_READ,
    READER_PICTURES,
    Pictures,
)
from mau.config.keys.server import (
    RELAY_OF,
    SERVER_ACCESS_LOG,
    SERVER_ANONYMOUS_REQUESTS,
    SERVER_BYTES_PER_SECOND,
    SERVER_CONNECTIONS,
    SERVER_CONNECTIONS_PER_ADDRESS,
    SERVER_FRIEND_REQUESTS,
    SERVER_LISTEN,
    SERVER_METRICS,
    SERVER_RELAY,
    SERVER_STRANGER_REQUESTS,
    Relay,
)
from mau.config.keys.sync import (
    SYNC_ASK_FRIENDS,
    SYNC_FREE,
    SYNC_MAX_FILE,
    SYNC_QUOTA,
    SYNC_QUOTA_FILES,
    SYNC_TREE_QUOTA,
)
from mau.config.keys.table import EXCLUSIVE, KEYS, PERSONAL, SECTIONS
from mau.config.keys.web import WEB_CERTIFICATE, WEB_KEY, WEB_LISTEN, WEB_PLAIN, PlainWeb

__all__ = [
    "CIRCUIT_AT_ONCE",
    "CIRCUIT_BYTES",
    "CIRCUIT_MEMBERS",
    "CIRCUIT_MINUTES",
    "CIRCUIT_RELAY",
    "CIRCUIT_VIA",
    "DELETE_ON_RM",
    "DELETE_RECEIVED",
    "DIR",
    "DISCOVERY_ANNOUNCE",
    "DISCOVERY_BOOTSTRAP",
    "DISCOVERY_CONTACT",
    "DISCOVERY_DNS",
    "DISCOVERY_KADEMLIA",
    "DISCOVERY_MDNS",
    "DISCOVERY_NETWORKS",
    "EXCLUSIVE",
    "KEYS",
    "PASSPHRASE_COMMAND",
    "PASSPHRASE_FILE",
    "PEER_AT",
    "PERSONAL",
    "POST_AUDIENCE",
    "PREFIX",
    "REACH_ADDRESSES",
    "REACH_ROUTER",
    "READER_ALGORITHM",
    "READER_LANGUAGES",
    "READER_MARK_READ",
    "READER_PICTURES",
    "RELAY_OF",
    "SECTIONS",
    "SERVER_ACCESS_LOG",
    "SERVER_ANONYMOUS_REQUESTS",
    "SERVER_BYTES_PER_SECOND",
    "SERVER_CONNECTIONS",
    "SERVER_CONNECTIONS_PER_ADDRESS",
    "SERVER_FRIEND_REQUESTS",
    "SERVER_LISTEN",
    "SERVER_METRICS",
    "SERVER_RELAY",
    "SERVER_STRANGER_REQUESTS",
    "SYNC_ASK_FRIENDS",
    "SYNC_FREE",
    "SYNC_MAX_FILE",
    "SYNC_QUOTA",
    "SYNC_QUOTA_FILES",
    "SYNC_TREE_QUOTA",
    "WEB_CERTIFICATE",
    "WEB_KEY",
    "WEB_LISTEN",
    "WEB_PLAIN",
    "CircuitRelay",
    "Contact",
    "Key",
    "Mdns",
    "Pictures",
    "PlainWeb",
    "Received",
    "Relay",
    "author_of",
    "find_key",
    "find_variable",
    "for_person",
    "nearest",
    "peer_at",
    "relay_of",
]
