"""Small files that were asked for lately: given out again without a thread, as long as nothing has changed.

Whether the visitor may read a file is asked each time, of the same rules and the same records as ever; and
the file must still lie where it lay, with the same stamp. What is saved is opening it, reading it, and the
way to a thread and back, which takes longer than all the rest.

Used from the event loop only: nothing here waits, but for the file system to look at one name.
"""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from typing import Final

from mau.errors import TreeError
from mau.fingerprint import Fingerprint
from mau.server.files import Files, OpenFile
from mau.tree import safe
from mau.tree.index import stamp_of

MAX_BYTES: Final = 16 * 1024 * 1024
"""Of contents, in all; the one that was not asked for the longest makes room."""


class AtHand:
    """Contents by their SHA-256, and the way to them."""

    def __init__(self, files: Files, most: int = MAX_BYTES) -> None:
        self._files = files
        self._most = most
        self._size = 0
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        self._places: dict[Fingerprint, str] = {}

    def keep(self, file: OpenFile) -> None:
        """Remember what a file holds, when that was read at once."""
        content = file.content
        if content is None or file.sha256 in self._contents:
            return
        self._contents[file.sha256] = content
        self._size += len(content)
        while self._size > self._most:
            self._size -= len(self._contents.popitem(last=False)[1])

    def find(self, author: Fingerprint, name: str, proven: Fingerprint | None) -> OpenFile | None:
        """The current content of a file, when that is known and for the visitor; None tells nothing."""
        record = self._files.known(author, name, proven)
        if record is None or record.sha256 is None:
            return None
        content = self._contents.get(record.sha256)
        if content is None:
            return None
        try:
            place = self._places.get(author)
            if place is None:  # as many as there are authors of whom something is known
                place = self._places[author] = str(self._files.place(author))
            with safe.closing(safe.open_dir(place)) as directory:
                found = os.stat(name, dir_fd=directory, follow_symlinks=False)
        except (TreeError, OSError):
            return None
        if stamp_of(found) != record.stamp:
            return None
        self._contents.move_to_end(record.sha256)
        return OpenFile(record, record.sha256, io.BytesIO(content), content)
