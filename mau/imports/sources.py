"""The sources on the web that one follows: an own post, for oneself alone (spec/imports.md IM50-IM56).

``mau-web.json.pgp`` is a Collection; it travels with the tree, and every program that reads it knows what to
fetch. When each was asked last, and what its server said then, is derived: it lies sealed in
``.reader/web.db``.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from mau.content.origin import SOURCES_NAME, host_of
from mau.errors import MauError
from mau.imports.names import Names
from mau.imports.storing import Store
from mau.reader.open import open_post
from mau.sealed import Sealed

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring

_MOST: Final = 1000
_SHELF: Final = b"web"


@dataclass(frozen=True, slots=True)
class Source:
    """A page or a feed that is followed, and what it calls itself."""

    url: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is remembered of a source: its server's words, when it was asked, when it may be again.

    Times in unix seconds. `problem`: what went wrong the last time, in words.
    """

    etag: str = ""
    modified: str = ""
    at: int = 0
    later: int = 0
    problem: str = ""


class Sources:
    """The list of one account, and what is remembered of each. Changes are made under a lock."""

    def __init__(self, account: Account, keyring: Keyring) -> None:
        self._account = account
        self._keyring = keyring
        self._names = Names(account)
        self._sealed = Sealed(account, "reader", "web")

    def close(self) -> None:
        """Let go of the file."""
        self._sealed.close()

    def held(self) -> list[Source]:
        """Those that are followed, in the order in which that began."""
        try:
            post = open_post(self._account, self._keyring, self._account.fingerprint, SOURCES_NAME)
        except MauError:
            return []
        return read_sources(post.document)

    def add(self, source: Source) -> bool:
        """Follow one; False when it was followed already (its name is noted anew)."""
        with self._lock():
            held = self.held()
            others = [one for one in held if one.url != source.url]
            if source not in held:
                self._write([*others, source])
            return len(others) == len(held)

    def exchange(self, old: Source, new: Source) -> None:
        """Note another name or address of one."""
        with self._lock():
            held = self.held()
            if old in held and old != new:
                kept = [new if one == old else one for one in held]
                self._write(list({one.url: one for one in kept}.values()))

    def remove(self, url: str) -> Source | None:
        """Follow it no longer; None when it was not followed."""
        with self._lock():
            held = self.held()
            gone = next((one for one in held if one.url == url), None)
            if gone is not None:
                self._write([one for one in held if one != gone])
            return gone

    def asked(self, url: str) -> Asked:
        """What is remembered of a source."""
        key = self._key(url)
        sealed = self._sealed.load(_SHELF).get(key)
        value = None if sealed is None else self._sealed.open(_SHELF, key, sealed)
        return Asked() if value is None else Asked(**json.loads(value))

    def waiting(self, *, due: bool = False) -> list[tuple[Source, Asked]]:
        """All of them; with ``due``, those alone whose time has come."""
        now = int(time.time())
        chosen = [(one, self.asked(one.url)) for one in self.held()]
        return [(one, asked) for one, asked in chosen if not due or asked.later <= now]

    def note(self, url: str, asked: Asked) -> None:
        """Remember that of a source."""
        key = self._key(url)
        value = json.dumps(asdict(asked)).encode()
        self._sealed.store(_SHELF, {key: self._sealed.seal(_SHELF, key, value)})

    def _key(self, url: str) -> bytes:
        return self._names.digest("asked", url)[:16]

    def _write(self, sources: list[Source]) -> None:
        me = frozenset({self._account.fingerprint})
        Store(self._account, self._keyring).put(SOURCES_NAME, write_sources(sources[:_MOST]), me, again=True)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        place = self._account.root.state_dir("reader") / "web.lock"
        held = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield
        finally:
            os.close(held)


def write_sources(sources: list[Source]) -> dict[str, Any]:
    """The document of a list."""
    return {
        "@type": "Collection",
        "name": "Followed on the web",
        "hasPart": [
            {"@type": "CreativeWork", "url": one.url} | ({"name": one.name} if one.name else {})
            for one in sources
        ],
    }


def read_sources(document: dict[str, Any] | None) -> list[Source]:
    """The list of a document; what in it is no source is passed over."""
    parts = (document or {}).get("hasPart")
    found: dict[str, Source] = {}
    for one in (parts if isinstance(parts, list) else [parts])[:_MOST]:
        if isinstance(one, dict) and isinstance(url := one.get("url"), str) and host_of(url):
            name = one.get("name")
            found[url] = Source(url, name if isinstance(name, str) else "")
    return list(found.values())


def renamed(source: Source, name: str) -> Source:
    """The source as it calls itself now."""
    return replace(source, name=name[:200]) if name else source
