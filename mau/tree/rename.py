"""Renames that the standard library does not have: swap two names, or take a name only while it is free.

renameat2 on Linux, renameatx_np on macOS; both take the same arguments. A file system or kernel without
them raises NotSupportedHere, and the caller has another way (spec/tree.md W7).
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Final

_UNSUPPORTED: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})
# (name of the function in the C library, flag "only when free", flag "swap")
_NAMES: Final = ("renameatx_np", 0x4, 0x2) if sys.platform == "darwin" else ("renameat2", 0x1, 0x2)

_Call = Callable[[int, bytes, int, bytes, int], int]


class NotSupportedHere(OSError):
    """This kernel or file system cannot do that kind of rename."""


def rename_new(directory: int, source: str, target: str, *, to: int | None = None) -> None:
    """Rename within `directory`, or into `to` (descriptors); FileExistsError when `target` is there."""
    _rename(directory, source, directory if to is None else to, target, _NAMES[1])


def exchange(directory: int, one: str, other: str) -> None:
    """Swap two names within `directory`, in one instant; FileNotFoundError when either is missing."""
    _rename(directory, one, directory, other, _NAMES[2])


def _rename(directory: int, source: str, to: int, target: str, flag: int) -> None:
    call, get_errno = _library()
    if call is None:
        raise NotSupportedHere(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if call(directory, os.fsencode(source), to, os.fsencode(target), flag) == 0:
        return
    number = get_errno()
    if number in _UNSUPPORTED:
        raise NotSupportedHere(number, os.strerror(number))
    raise OSError(number, os.strerror(number), target)


@cache
def _library() -> tuple[_Call | None, Callable[[], int]]:
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    function = getattr(library, _NAMES[0], None)
    if function is None:
        return None, ctypes.get_errno
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    function.restype = ctypes.c_int
    return function, ctypes.get_errno
