"""Mau: a filesystem-native peer-to-peer social network.

Programs open an account and use it (everything that waits is awaited):

    async with mau.open_account() as me:
        kettle = await me.post("The kettle is on.", to=["bob", "@tea"])
        await me.sync("bob")
        async for post in me.timeline(limit=20):
            print(post.author_name, post.time, post.text)
        async for post in me.news():
            if post.kind == "reply":
                await me.like(post)

`Me` says what there is; ``examples/`` has programs. Beneath it are the rooms that the command line stands on,
which block:

    account = mau.Account.open(mau.Root.find(), passphrase)
    keyring = mau.Keyring.load(account)
    mau.publish_document(account, keyring, {"@type": "SocialMediaPosting", ...}, name, audience)

Each name is imported when it is first used, so that importing ``mau`` costs nothing. Whatever goes wrong is a
`MauError`; ``mau.errors`` draws the tree of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mau.account import Account
    from mau.attachments import Attachment
    from mau.content.binding import PUBLIC
    from mau.errors import MauError
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.program.me import Me, open_account
    from mau.program.news import Feed
    from mau.program.values import Found, Friend, Post, Posted, Turn
    from mau.publish import publish_document, publish_file
    from mau.reader.open import open_post
    from mau.server.server import Server
    from mau.syncer import sync_once
    from mau.tree.layout import Root

__version__ = "0.1.0"

__all__ = [
    "PUBLIC",
    "Account",
    "Attachment",
    "Feed",
    "Fingerprint",
    "Found",
    "Friend",
    "Keyring",
    "MauError",
    "Me",
    "Post",
    "Posted",
    "Root",
    "Server",
    "Turn",
    "__version__",
    "open_account",
    "open_post",
    "publish_document",
    "publish_file",
    "sync_once",
]

_HOMES = {
    "PUBLIC": "mau.content.binding",
    "Account": "mau.account",
    "Attachment": "mau.attachments",
    "Feed": "mau.program.news",
    "Fingerprint": "mau.fingerprint",
    "Found": "mau.program.values",
    "Friend": "mau.program.values",
    "Keyring": "mau.keyring",
    "MauError": "mau.errors",
    "Me": "mau.program.me",
    "Post": "mau.program.values",
    "Posted": "mau.program.values",
    "Root": "mau.tree.layout",
    "Server": "mau.server.server",
    "Turn": "mau.program.values",
    "open_account": "mau.program.me",
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
