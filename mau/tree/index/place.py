"""Where the index lies: in the tree, unless its file system belongs to another machine (spec/index.md I2).

SQLite's write-ahead log is memory that processes share, which they cannot across machines.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path
from typing import Final

from mau.tree import safe
from mau.tree.layout import Root

_MOUNTS: Final = "/proc/self/mountinfo"
_REMOTE: Final = frozenset({
    "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.ceph", "fuse.davfs2",
    "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "gfs2", "glusterfs", "gpfs", "lustre",
    "ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs", "virtiofs",
})  # fmt: skip
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


def index_dir(root: Root) -> Path:
    """The directory for the index of that tree, made when missing (0700)."""
    if not is_remote(root.path):
        return root.state_dir("index")
    from platformdirs import user_state_dir

    real = os.path.realpath(root.path)
    directory = Path(user_state_dir("mau")) / "index" / hashlib.sha256(os.fsencode(real)).hexdigest()[:32]
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        safe.closing(os.open(directory.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as above,
        safe.closing(safe.make_dir(directory.name, at=above)),
    ):
        return directory


def is_remote(path: Path) -> bool:
    """Whether that lies on a file system which other machines may write to; False where it cannot be told."""
    if sys.platform != "linux":
        return False
    try:
        mounts = Path(_MOUNTS).read_text("utf-8", "surrogateescape")
    except OSError:
        return False
    return file_system(mounts, os.path.realpath(path)) in _REMOTE


def file_system(mounts: str, path: str) -> str:
    """The type of the file system that holds the real path, told from a mountinfo (see proc(5)); pure."""
    best, kind = "", ""
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        parts = fields.split(" ")
        if len(parts) < 5 or not rest:
            continue
        point = _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), parts[4])
        inside = point in ("/", path) or path.startswith(point + "/")
        if inside and len(point) >= len(best):  # a later mount hides an earlier one in the same place
            best, kind = point, rest.split(" ")[0]
    return kind
