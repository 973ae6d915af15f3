"""One writer at a time in a directory of posts (spec/tree.md K1-K5).

The lock is an flock on the directory itself: nothing lies about, nothing is left over after a crash, and it
stays with the directory when that is renamed. Where a directory cannot be locked (some network file
systems), a dot-file inside it is. Every taker opens the directory anew, so threads exclude each other too.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from typing import Final

LOCK_NAME: Final = ".mau.lock"
_NO_DIRECTORY_LOCKS: Final = frozenset(
    {errno.EBADF, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EACCES}
)


@contextlib.contextmanager
def locked(directory: int) -> Iterator[None]:
    """Hold the lock of the directory for the length of the block; waits as long as another holds it.

    `directory` is a descriptor nobody else uses: a lock belongs to what was opened, not to who asks.
    """
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_LOCKS:
            raise
        with _locked_file(directory):
            yield
        return
    try:
        yield
    finally:
        fcntl.flock(directory, fcntl.LOCK_UN)


@contextlib.contextmanager
def _locked_file(directory: int) -> Iterator[None]:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(LOCK_NAME, flags, 0o600, dir_fd=directory)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
