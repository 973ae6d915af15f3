"""Mau: a filesystem-native peer-to-peer social network.

The few things a program on top of Mau begins with. Each is imported when it is first used, so that importing
``mau`` costs nothing:

    account = mau.Account.open(mau.Root.find(), passphrase)
    keyring = mau.Keyring.load(account)
    mau.publish_document(account, keyring, {"@type": "SocialMediaPosting", ...}, name, audience)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mau.account import Account
    from mau.content.binding import PUBLIC
    from mau.errors import MauError
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.publish import publish_document, publish_file
    from mau.reader.open import open_post
    from mau.server.server import Server
    from mau.syncer import sync_once
    from mau.tree.layout import Root

__version__ = "0.1.0"

__all__ = [
    "PUBLIC",
    "Account",
    "Fingerprint",
    "Keyring",
    "MauError",
    "Root",
    "Server",
    "__version__",
    "open_post",
    "publish_document",
    "publish_file",
    "sync_once",
]

_HOMES = {
    "PUBLIC": "mau.content.binding",
    "Account": "mau.account",
    "Fingerprint": "mau.fingerprint",
    "Keyring": "mau.keyring",
    "MauError": "mau.errors",
    "Root": "mau.tree.layout",
    "Server": "mau.server.server",
    "open_post": "mau.reader.open",
    "publish_document": "mau.publish",
    "publish_file": "mau.publish",
    "sync_once": "mau.syncer",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'mau' has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return __all__
