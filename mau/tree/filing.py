"""Filing a content as an older version of a post without making it the current one (spec/tree.md V1-V6)."""

from __future__ import annotations

import os

from mau.tree import safe
from mau.tree.lock import locked
from mau.tree.names import POST_SUFFIX, check_post_name
from mau.tree.staging import Staged
from mau.tree.versions import holds, opened_versions


def file_version(staged: Staged, name: str, mtime_ns: int) -> str:
    """File what was staged as a version of the post `name`, written at `mtime_ns`; its sha256 (hex).

    Nothing is written when that version is held. The post itself need not be there.
    """
    check_post_name(name)
    digest = staged.digest()
    os.utime(staged.fd, ns=(mtime_ns, mtime_ns))
    safe.sync(staged.fd)
    directory = staged.directory
    with locked(directory), opened_versions(directory, name) as versions:
        if not holds(versions, digest.sha256):
            os.rename(staged.temp, digest.sha256 + POST_SUFFIX, src_dir_fd=directory, dst_dir_fd=versions)
            staged.temp = ""
            safe.sync(versions)
    return digest.sha256
