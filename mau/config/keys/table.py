"""The one table of everything that can be set, put together from its sections. Pure."""

from __future__ import annotations

from typing import Any, Final

from mau.config.keys import general, server, sync, web
from mau.config.keys.general import PASSPHRASE_COMMAND, PASSPHRASE_FILE
from mau.config.keys.key import Key

KEYS: Final[tuple[Key[Any], ...]] = (*general.KEYS, *sync.KEYS, *server.KEYS, *web.KEYS)
"""In the order in which they are shown."""

EXCLUSIVE: Final[tuple[Key[Any], ...]] = (PASSPHRASE_FILE, PASSPHRASE_COMMAND)
"""Of these at most one stands in one place."""

SECTIONS: Final = frozenset(key.name.partition(".")[0] for key in KEYS if "." in key.name)
"""The names of tables in the file."""
