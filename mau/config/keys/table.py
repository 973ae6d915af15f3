"""The one table of everything that can be set, put together from its sections. Pure."""

from __future__ import annotations

from typing import Any, Final

from mau.config.keys import circuit, discovery, general, reach, reader, server, sync, web
from mau.config.keys.general import PASSPHRASE_COMMAND, PASSPHRASE_FILE
from mau.config.keys.key import Key
from mau.config.keys.reach import PEER_AT
from mau.config.keys.server import RELAY_OF

KEYS: Final[tuple[Key[Any], ...]] = (
    *general.KEYS,
    *sync.KEYS,
    *server.KEYS,
    *web.KEYS,
    *discovery.KEYS,
    *reach.KEYS,
    *circuit.KEYS,
    *reader.KEYS,
)
"""In the order in which they are shown."""

EXCLUSIVE: Final[tuple[Key[Any], ...]] = (PASSPHRASE_FILE, PASSPHRASE_COMMAND)
"""Of these at most one stands in one place."""

PERSONAL: Final[tuple[Key[Any], ...]] = (RELAY_OF, PEER_AT)
"""What is set for each person apart: the name ends with the fingerprint."""

SECTIONS: Final = frozenset(key.name.partition(".")[0] for key in KEYS if "." in key.name)
"""The names of tables in the file."""
