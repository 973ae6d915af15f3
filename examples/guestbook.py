"""A program on top of Mau: answer every post that says hello, once, to its author alone.

    MAU_PASSPHRASE=... python examples/guestbook.py

Programs share the tree and nothing else: this one reads what `mau sync` brought and writes what `mau serve`
hands out. Run it after each sync, from cron or by hand; it remembers nothing, the tree tells what is done.
"""

from __future__ import annotations

import hashlib
import os
import sys

import mau
from mau.tree.posts import AuthorDir


def answer_hellos(account: mau.Account, keyring: mau.Keyring) -> list[str]:
    """Answer what was not answered yet; the names of the new posts."""
    answered = set(account.posts().names())
    written = []
    for friend in keyring.friends():
        for name in AuthorDir(account.root, friend.fingerprint).names():
            # Names are plain text to whoever passes a post on, so this one says nothing.
            address = f"mau:/p2p/{friend.fingerprint}/{name}"
            answer = f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.json.pgp"
            if answer in answered:
                continue
            try:
                post = mau.open_post(account, keyring, friend.fingerprint, name)
            except mau.MauError as error:
                print(f"{friend.local_name}: {name!r}: {error}", file=sys.stderr)
                continue
            if "hello" not in str((post.document or {}).get("articleBody", "")).lower():
                continue
            document = {
                "@context": "https://schema.org",
                "@type": "Comment",
                "text": f"Welcome, {friend.local_name}!",
                "about": {"@id": address},
            }
            audience = frozenset({account.fingerprint, friend.fingerprint})
            written.append(mau.publish_document(account, keyring, document, answer, audience).name)
    return written


if __name__ == "__main__":
    me = mau.Account.open(mau.Root.find(), os.environ["MAU_PASSPHRASE"])
    for done in answer_hellos(me, mau.Keyring.load(me)):
        print(done)
