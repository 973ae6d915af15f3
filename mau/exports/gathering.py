"""The files of a post that are to go into a page with it (spec/exports.md X26)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mau.attachments.formats import encoding_of
from mau.errors import MauError
from mau.exports.page import EMBEDDED, File
from mau.reader.open import open_post

if TYPE_CHECKING:
    from mau.account import Account
    from mau.content.shown import Media
    from mau.keyring import Keyring

MAX_FILES: Final = 64 << 20
"""Bytes of all the files in one page."""


class Files:
    """Opens the files that a post refers to, checked like any post, until `MAX_FILES` are reached."""

    def __init__(self, account: Account, keyring: Keyring) -> None:
        self._account = account
        self._keyring = keyring
        self._left = MAX_FILES
        self.missing = 0
        """How many were not put in: not held, another content than was meant, too large, of another kind."""

    def __call__(self, media: Media) -> File | None:
        """The file of one medium; None when it cannot go into the page."""
        file = self._file(media)
        self.missing += file is None
        return file

    def _file(self, media: Media) -> File | None:
        if media.reference is None or media.reference.address.name is None:
            return None
        address = media.reference.address
        name = str(address.name)
        try:
            post = open_post(self._account, self._keyring, address.author, name, self._version(media))
        except MauError:
            return None
        data = post.opened.data
        if data is None or len(data) > self._left:
            return None
        encoding = encoding_of(data[:4096])
        if encoding not in EMBEDDED:
            return None
        self._left -= len(data)
        return File(encoding, data)

    def _version(self, media: Media) -> str | None:
        """The version that is meant, when what lies there now is another content."""
        from mau.reader.open import directories_of

        assert media.reference is not None  # noqa: S101 - who calls has looked
        address, sha256 = media.reference.address, media.reference.sha256
        for directory in directories_of(self._account, address.author):
            if address.name and directory.entry(address.name) is not None:
                return None if sha256 in {None, directory.sha256(address.name)} else sha256
        return sha256
