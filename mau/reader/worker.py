"""The child of `mau.reader.crew`: opens the posts that it is told to, until its standard input ends."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from mau.account import Account
from mau.errors import MauError, NoSuchPost
from mau.fingerprint import Fingerprint
from mau.openpgp import Certificate, SecretKey
from mau.reader.crew import Briefing, receive, send
from mau.reader.looking import Found, look
from mau.reader.open import Keys
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir


class _Told:
    """Who can be verified, as the parent told."""

    def __init__(self, briefing: Briefing) -> None:
        self._written = briefing.certificates
        self._owners = briefing.owners
        self._read: dict[Fingerprint, Certificate | None] = {}

    def certificate(self, fingerprint: Fingerprint) -> Certificate | None:
        """The key to verify somebody with."""
        if fingerprint not in self._read:
            data = self._written.get(fingerprint.raw)
            self._read[fingerprint] = None if data is None else Certificate.trusted(data)
        return self._read[fingerprint]

    def owner_of(self, keyid: bytes) -> Fingerprint | None:
        """The one person who holds that key id."""
        raw = self._owners.get(keyid)
        return None if raw is None else Fingerprint(raw)


def main() -> None:
    """Answer the parent's questions."""
    into, out = sys.stdin.buffer, sys.stdout.buffer
    briefing: Briefing | None = receive(into)
    if briefing is None:
        return
    account = Account(Root(Path(briefing.root)), SecretKey(briefing.secret))
    keys = _Told(briefing)
    while (asked := receive(into)) is not None:
        send(out, [_found(account, keys, briefing, *one) for one in asked])


def _found(
    account: Account, keys: Keys, briefing: Briefing, author: bytes, name: str, hidden: bool, sha256: str
) -> Found:
    directory = AuthorDir(account.root, Fingerprint(author), hidden)
    try:
        looked = look(account, keys, directory, name, sha256)
    except NoSuchPost:
        return Found(None, gone=True)
    except (MauError, OSError):
        return Found(None)
    return Found(looked if briefing.whole else replace(looked, post=None))


if __name__ == "__main__":
    main()
