"""Memory for keys: pages of their own that are not swapped and not dumped, and are overwritten after use.

What an operating system does not offer is left out; `Secret.locked` says whether the key can reach the disk.
"""

from __future__ import annotations

import ctypes
import mmap
import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def close_to_others() -> None:
    """No core dump of this process, and no debugger of the same user that attaches to it.

    Root can do both all the same; and whoever may ask the agent needs neither.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


class Secret:
    """So many bytes, zeros at first. `view` is where they are read and written; `wipe` ends it."""

    def __init__(self, size: int) -> None:
        self._pages = mmap.mmap(-1, max(size, 1))
        if hasattr(mmap, "MADV_DONTDUMP"):
            self._pages.madvise(mmap.MADV_DONTDUMP)
        self.locked = _lock(self._pages)
        self.view = memoryview(self._pages)[:size]

    def wipe(self) -> None:
        """Overwrite it and give it back; it is not to be used any more."""
        self.view.release()
        self._pages[:] = bytes(len(self._pages))
        self._pages.close()


def _lock(pages: mmap.mmap) -> bool:
    """Whether the system promises to keep these pages in memory; there is little room for that."""
    first = ctypes.c_char.from_buffer(pages)
    try:
        return bool(_libc().mlock(ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(len(pages))) == 0)
    finally:
        del first  # as long as it is there the pages cannot be given back


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
