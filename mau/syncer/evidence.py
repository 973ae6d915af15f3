"""What was refused is kept for a while, for whoever wants to know what was tried: ``.syncer/refused/``.

``AUTHOR/SHA256.pgp`` holds the bytes as they came, ``AUTHOR/SHA256.json`` says under which name, from whose
host, when, and why they were refused. Nothing reads it back; it never enters the tree of posts (spec/sync.md
S55).
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Final

from mau.errors import PostError, TreeError
from mau.fingerprint import Fingerprint
from mau.tree import safe
from mau.tree.layout import Root
from mau.wire.listing import Item

MOST: Final = 32
"""Pieces of one author. The first ones stay: who sends more of them wins nothing."""
MOST_AUTHORS: Final = 64
LARGEST: Final = 256 << 10  # bytes
LASTS: Final = 30 * 24 * 3600  # seconds


def evidence_of(root: Root, author: Fingerprint) -> Path:
    """Where it lies; there need not be any."""
    return root.state_dir("syncer") / "refused" / author.hex


def keep(
    root: Root, author: Fingerprint, source: Fingerprint, item: Item, data: bytes, why: PostError
) -> None:
    """Keep a piece that was refused, if there is room for it. Never raises: it is only evidence."""
    if len(data) > LARGEST:
        return
    with contextlib.suppress(OSError, TreeError):
        shelf = evidence_of(root, author)
        place = shelf.parent
        place.mkdir(mode=0o700, exist_ok=True)
        _forget_old(place)
        if not shelf.is_dir() and sum(1 for _ in place.iterdir()) >= MOST_AUTHORS:
            return
        shelf.mkdir(mode=0o700, exist_ok=True)
        if len(_pieces(shelf)) >= MOST or (shelf / f"{item.sum}.pgp").exists():
            return
        facts = {
            "name": item.name,
            "from": source.hex,
            "time": int(time.time()),
            "error": type(why).__name__,
            "message": str(why),
        }
        safe.write_bytes(shelf / f"{item.sum}.json", json.dumps(facts).encode())
        safe.write_bytes(shelf / f"{item.sum}.pgp", data)


def _pieces(shelf: Path) -> list[str]:
    return [name for name in (path.name for path in shelf.iterdir()) if name.endswith(".pgp")]


def _forget_old(place: Path) -> None:
    """What is older than LASTS goes."""
    then = time.time() - LASTS
    for shelf in place.iterdir():
        for piece in shelf.iterdir():
            if piece.lstat().st_mtime < then:
                piece.unlink()
        if not any(shelf.iterdir()):
            shelf.rmdir()
