"""A place for content that is too large for memory while somebody looks at it (spec/tree.md L6, R2)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from mau.tree import safe
from mau.tree.layout import Root
from mau.tree.recovery import remove_temp


@contextlib.contextmanager
def scratch_file(root: Root, worker: str) -> Iterator[Path]:
    """An empty file (0600) in the state directory of `worker`, gone afterwards.

    It is locked meanwhile, so that `clear_scratch` leaves it alone.
    """
    clear_scratch(root, worker)
    scratch = root.state_dir(worker)
    with safe.closing(safe.open_dir(scratch)) as directory:
        fd, name = safe.create_temp(directory)
        with safe.closing(fd):
            try:
                yield scratch / name
            finally:
                safe.unlink_quietly(name, at=directory)


def clear_scratch(root: Root, worker: str) -> None:
    """Remove what killed processes left in the state directory of `worker`; what living ones use stays."""
    scratch = root.state_dir(worker)
    with safe.closing(safe.open_dir(scratch)) as directory:
        for left in scratch.glob(".mau-*.tmp"):
            remove_temp(directory, left.name)
