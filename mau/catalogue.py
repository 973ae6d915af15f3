"""The index as all of Mau fills it: under what a file is found (spec/index.md I19).

Every program must say the same of a file, or each would throw away what the other noted; so it is said here
and nowhere else. Only the head of a file is looked at, so no key is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final

from mau.acceptance import HIDDEN
from mau.fingerprint import Fingerprint
from mau.openpgp import Kind, read_head
from mau.tree.index import Examined, Index
from mau.tree.layout import Root
from mau.tree.names import KEYRING_NAME

ANY: Final = b"any"
"""The mark of each file that its author may be shown."""
SIGNED: Final = b"signed"
"""The mark of what is signed only: it may be public."""
EXAMINER: Final = "heads 1"
"""Another one when `examine` begins to say something else."""


def examine(author: Fingerprint, name: str, handle: BinaryIO) -> Examined:
    """The kind of a file, and the key ids and marks under which it is found. Proves nothing."""
    head = read_head(handle)
    if head.kind is Kind.OTHER or HIDDEN in head.recipients:
        return Examined(head.kind.value)
    if name == KEYRING_NAME:
        return Examined(head.kind.value, (ANY,))
    keys = (SIGNED,) if head.kind is Kind.SIGNED else tuple(dict.fromkeys(head.recipients))
    return Examined(head.kind.value, (ANY, *keys))


def open_index(root: Root, *, directory: Path | None = None) -> Index:
    """The index of a tree; `directory`: where it lies, when not in the tree. NoAccount as `Index.open`."""
    return Index.open(root, examine, examiner=EXAMINER, directory=directory)
