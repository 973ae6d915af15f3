"""An algorithm by its name, from an entry point of another package, or from a file of the reader's (RA6-RA9).

A file is a program and does what programs do: only one's own is run. It must belong to the reader or root,
nobody else may be able to write to it or to its directory, and it must not lie in the tree, where others put
files.
"""

from __future__ import annotations

import os
import stat
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mau.errors import AlgorithmFailed, UsageError
from mau.reader.algorithms import catchup, chronological, conversations
from mau.reader.algorithms.running import Algorithm, failed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

    from mau.tree.layout import Root

GROUP: Final = "mau.algorithms"
DEFAULT: Final = "chronological"
WINDOW: Final = 1000
"""So many posts are given to an algorithm that does not say how many it wants."""
MOST: Final = 100_000
_LARGEST: Final = 1 << 20
_OURS: Final[dict[str, Any]] = {
    "chronological": chronological,
    "catch-up": catchup,
    "conversations": conversations,
}


def names() -> list[str]:
    """Every algorithm that there is a name for."""
    return [*_OURS, *sorted(one.name for one in _entry_points() if one.name not in _OURS)]


def find(word: str, root: Root) -> Algorithm:
    """The algorithm that is meant: a name, or the path of a file (it has a ``/`` or ends with ``.py``).

    UsageError when there is none of that name, or the file may not be run; AlgorithmFailed when it does not
    load.
    """
    if "/" in word or word.endswith(".py"):
        return _from_file(Path(word).expanduser(), root)
    if word in _OURS:
        return _algorithm(word, _OURS[word], "")
    for one in _entry_points():
        if one.name == word:
            try:
                loaded = one.load()
            except (Exception, SystemExit) as error:  # whatever another package does
                raise failed(word, "", error) from error
            return _algorithm(word, loaded, "")
    raise UsageError(f"there is no algorithm {word!r}; there are {', '.join(names())}, and files of yours")


def _entry_points() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points  # ours are found without it, and loading it takes time

    return entry_points(group=GROUP)


def _algorithm(name: str, loaded: Any, place: str) -> Algorithm:
    """From a module with ``order``, or the function itself."""
    order = loaded if callable(loaded) else getattr(loaded, "order", None)
    if not callable(order):
        raise AlgorithmFailed(f"the algorithm {name!r} has no function `order(posts, context)`")
    window = getattr(loaded, "WINDOW", WINDOW)
    if type(window) is not int or not 0 <= window <= MOST:
        raise AlgorithmFailed(f"the algorithm {name!r} has a WINDOW that is no number from 0 to {MOST}")
    return Algorithm(name, order, window, place)


def _from_file(path: Path, root: Root) -> Algorithm:
    place = os.path.realpath(path)
    source = _read(place, root)
    module = types.ModuleType(Path(place).stem)
    module.__file__ = place
    try:
        exec(compile(source, place, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - the reader's own
    except (Exception, SystemExit) as error:
        raise failed(Path(place).name, place, error) from error
    return _algorithm(Path(place).name, module, place)


def _read(place: str, root: Root) -> bytes:
    """The bytes of a file that is the reader's own. UsageError."""
    inside = os.path.realpath(root.path)
    if os.path.commonpath([inside, place]) == inside:
        raise UsageError(f"{place!r} lies in the tree, where others put files: keep algorithms elsewhere")
    try:
        _check_own(Path(place).parent.stat(), str(Path(place).parent))
        fd = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"the algorithm {place!r} cannot be read: {error.strerror}") from None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{place!r} is no regular file")
        _check_own(found, place)
        if found.st_size > _LARGEST:
            raise UsageError(f"{place!r} is too large for an algorithm")
        with os.fdopen(fd, "rb", closefd=False) as file:
            return file.read(_LARGEST)
    finally:
        os.close(fd)


def _check_own(found: os.stat_result, place: str) -> None:
    sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    if found.st_uid not in (os.geteuid(), 0):
        raise UsageError(f"{place!r} belongs to somebody else, and is not run")
    if found.st_mode & 0o022 and not sticky:
        raise UsageError(f"others may write to {place!r}: chmod go-w it, then it is run")
