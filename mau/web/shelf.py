"""The owner's public posts, as a stranger gets them (spec/web.md W1-W4). Blocking; callers use threads.

What is public, the server's library decides, for a visitor who proved nothing; here it is only read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import BinaryIO

from mau.account import Account
from mau.catalogue import open_index
from mau.content.binding import ATTACHMENT_NOTATION, FILENAME_NOTATION, read_statement
from mau.content.jsonld import MAX_DOCUMENT, parse
from mau.deletion.document import is_delete
from mau.errors import MauError
from mau.keyring import Keyring
from mau.openpgp import Opened, open_message
from mau.server.facts import Changed, FactsCache
from mau.server.files import OpenFile
from mau.server.library import Library, Listed, Part, Renewed
from mau.server.people import People
from mau.server.standing import Standing
from mau.tree.scratch import scratch_file
from mau.web.post import Brief, Owner, Post, make_post
from mau.wire.listing import Item, dump_listing

_IN_MEMORY = 8 << 20  # bytes of a file that is opened in memory
_AT_ONCE = 1 << 20


class Shelf:
    """What is public, newest first."""

    def __init__(self, account: Account, library: Library) -> None:
        self._account = account
        self._library = library
        self._known: dict[tuple[str, str], Brief] = {}
        self._large: dict[tuple[str, str], Post] = {}
        certificate = account.certificate
        self.owner = Owner(account.fingerprint, account.name or account.fingerprint.hex, certificate.created)

    def briefs(self) -> list[Brief]:
        """Every public post, newest first by the time of its signature."""
        found: dict[tuple[str, str], Brief] = {}
        standing = self._library.standing(self._account.fingerprint, None)
        for listed in _listed(self._library, standing):
            item = listed.item
            brief = self._known.get((item.name, item.sum)) or self._look(item)
            if brief is not None:
                found[item.name, item.sum] = brief
        self._known = found
        self._large = {key: post for key, post in self._large.items() if key in found}
        return sorted(found.values(), key=lambda brief: (-brief.signed_at, brief.name))

    def post(self, name: str) -> Post | None:
        """A post with its content; None when there is no such public post."""
        file = self._library.open(self._account.fingerprint, name, None)
        if file is None:
            return None
        with contextlib.closing(file):
            post = self._large.get((name, file.sha256)) or self._read(name, file)
        if post is not None and file.size > _IN_MEMORY:
            self._large[name, file.sha256] = post  # nobody makes us read it through twice
        return post

    def copy(self, brief: Brief, out: BinaryIO) -> bool:
        """Write the file of a public post; False when it is no longer that one."""
        file = self._library.open(self._account.fingerprint, brief.name, None)
        if file is None:
            return False
        with contextlib.closing(file):
            if file.sha256 != brief.sha256:
                return False
            try:
                for at in range(0, file.size, _AT_ONCE):
                    out.write(file.read(at, min(_AT_ONCE, file.size - at)))
            except Changed:
                return False
        return True

    def listing(self, briefs: list[Brief]) -> bytes:
        """The listing for those who follow over the web: what they could believe from there."""
        items = (Item(brief.name, brief.size, brief.sha256) for brief in briefs if brief.bound)
        return dump_listing(self._account.fingerprint, sorted(items, key=lambda item: item.name))

    def key(self) -> bytes:
        """The owner's key, armored."""
        return self._library.key(self._account.fingerprint) or b""

    def _look(self, item: Item) -> Brief | None:
        post = self.post(item.name)
        # Replaced since it was listed: the next listing has what is there now.
        return post.brief if post is not None and post.brief.sha256 == item.sum else None

    def _read(self, name: str, file: OpenFile) -> Post | None:
        try:
            author, certificate = self._account.fingerprint, self._account.certificate
            if file.size <= _IN_MEMORY:
                opened = open_message(file.read(0, file.size), key=None, author=certificate)
            else:
                with scratch_file(self._account.root, "server") as sink:
                    file.handle.seek(0)
                    opened = open_message(file.handle, key=None, author=certificate, sink=sink)
            data = opened.data
            bound = read_statement(author, opened.notations, data).bound
        except (MauError, OSError, Changed):
            return None
        document = parse(data) if data is not None and len(data) <= MAX_DOCUMENT else None
        listed = not is_delete(document) and ATTACHMENT_NOTATION not in opened.notations
        brief = Brief(name, file.sha256, file.size, opened.signed_at, bound, listed)
        return make_post(author, brief, document, data, _filename(opened), opened.size)


@contextlib.contextmanager
def library_for(account: Account, keyring: Keyring) -> Iterator[Library]:
    """A library for whoever runs without a server; it passes on nothing of others."""
    facts = FactsCache()
    people = People(account, keyring, facts.forget_proofs)
    with open_index(account.root) as index:
        library = Library(account, people, facts, index, "none", {})
        try:
            yield library
        finally:
            library.close()


def _filename(opened: Opened) -> str | None:
    values = opened.notations.get(FILENAME_NOTATION, ())
    return values[0] if len(values) == 1 else None


def _listed(library: Library, standing: Standing) -> list[Listed]:
    while True:
        work = library.listing(standing)
        try:
            while True:
                next(work)
        except StopIteration as end:
            part: Part = end.value
            return part.listed
        except Renewed:
            continue
