"""What the index says of a file is a candidate: before a note on it is taken, the file is read (RU9)."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from mau.errors import MauError
from mau.reader.looking import MAX_OPENED
from mau.tree.index import is_settled, stamp_of
from mau.tree.posts import AuthorDir
from mau.tree.staging import hash_fd

if TYPE_CHECKING:
    from mau.tree.index import Entry
    from mau.tree.layout import Root


def proven(root: Root, entry: Entry) -> bytes | None:
    """The stamp of a file that holds the content which the index says, empty when it proves nothing yet.

    None when it holds another one, cannot be read, or is larger than anything that is noted.
    """
    began = time.time_ns()
    try:
        with AuthorDir(root, entry.author, entry.hidden).open(entry.name) as file:
            before = os.fstat(file.fileno())
            if before.st_size > MAX_OPENED or hash_fd(file.fileno())[0] != entry.sha256:
                return None
            after = os.fstat(file.fileno())
    except (MauError, OSError):
        return None
    stamp = stamp_of(before)
    return stamp if stamp == stamp_of(after) and is_settled(before, began) else b""
