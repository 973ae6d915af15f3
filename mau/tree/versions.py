"""Older contents: ``NAME.pgp.versions/SHA256.pgp`` (spec/tree.md V1-V7)."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mau.errors import NoSuchPost, NotAFile
from mau.tree import safe
from mau.tree.names import POST_SUFFIX, check_sha256, versions_name
from mau.tree.staging import hash_fd

_NO_LINKS: Final = frozenset(
    {errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV}
)


class Moved(Exception):
    """Another program changed the file while it was looked at."""


@dataclass(frozen=True, slots=True)
class VersionEntry:
    """One older content: its sha256 (hex), size in bytes, and when it was written (ns)."""

    sha256: str
    size: int
    mtime_ns: int


def open_versions(directory: int, name: str, *, make: bool = False) -> int | None:
    """A descriptor of the versions of a post; None when there are none and `make` is not set."""
    wanted = versions_name(name)
    try:
        return safe.make_dir(wanted, at=directory) if make else safe.open_dir(wanted, at=directory)
    except FileNotFoundError:
        return None
    except NotAFile as error:
        raise NotAFile(
            f"{wanted!r} must be a directory: older versions of {name!r} go there. "
            "Rename or move away what has its name, then try again; nothing was changed."
        ) from error


@contextlib.contextmanager
def opened_versions(directory: int, name: str) -> Iterator[int]:
    """A descriptor of the versions of a post, made when missing, for the length of the block."""
    versions = open_versions(directory, name, make=True)
    assert versions is not None  # noqa: S101 - it was made
    with safe.closing(versions):
        yield versions


def listing(versions: int, current: os.stat_result | None) -> list[VersionEntry]:
    """All versions, oldest first.

    A file that is the `current` one under a second name is left over from something cut off: no version.
    """
    found: dict[str, VersionEntry] = {}
    with os.scandir(versions) as entries:
        for entry in entries:
            sha256 = entry.name.removesuffix(POST_SUFFIX)
            if not _is_sha256(sha256) or not entry.is_file(follow_symlinks=False):
                continue
            info = entry.stat(follow_symlinks=False)
            if current is None or not os.path.samestat(info, current):
                found[sha256] = VersionEntry(sha256, info.st_size, info.st_mtime_ns)
    return sorted(found.values(), key=lambda version: (version.mtime_ns, version.sha256))


def open_version(versions: int, sha256: str) -> int:
    """A descriptor of one version, whichever way it is spelled; NoSuchPost, NotAFile, InvalidName."""
    check_sha256(sha256)
    try:
        return safe.open_regular(sha256 + POST_SUFFIX, at=versions)[0]
    except NoSuchPost:
        return safe.open_regular(sha256, at=versions)[0]


def holds(versions: int, sha256: str) -> bool:
    """Whether that content is really there.

    A file whose bytes are not what its name says (somebody edited it, or it was still open for writing when
    it was filed) is moved to its right name first.
    """
    for spelling in (sha256 + POST_SUFFIX, sha256):
        try:
            fd, _ = safe.open_regular(spelling, at=versions)
        except NoSuchPost:
            continue
        with safe.closing(fd):
            actual, _ = hash_fd(fd)
        if actual == sha256:
            return True
        _rename_version(versions, spelling, actual)
    return False


def keep(directory: int, versions: int, name: str, fd: int, found: os.stat_result, sha256: str) -> None:
    """File the content of the post `name`, open as `fd`, as a version; it stays where it is, too.

    Moved when `name` is no longer the file that `found` describes.
    """
    if holds(versions, sha256):
        return
    target = sha256 + POST_SUFFIX
    try:
        os.link(name, target, src_dir_fd=directory, dst_dir_fd=versions, follow_symlinks=False)
    except FileNotFoundError as error:
        raise Moved from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _keep_copy(directory, versions, fd, sha256)
        return
    linked = os.stat(target, dir_fd=versions, follow_symlinks=False)
    if not os.path.samestat(linked, found):
        os.unlink(target, dir_fd=versions)
        raise Moved


def keep_bytes(directory: int, versions: int, data: bytes, sha256: str, mtime_ns: int) -> None:
    """File `data`, written at `mtime_ns`, as a version."""
    if holds(versions, sha256):
        return
    fd, temp = safe.create_temp(directory)
    with safe.closing(fd):
        try:
            safe.write_all(fd, data)
            os.utime(fd, ns=(mtime_ns, mtime_ns))
            safe.sync(fd)
            os.rename(temp, sha256 + POST_SUFFIX, src_dir_fd=directory, dst_dir_fd=versions)
        except BaseException:
            safe.unlink_quietly(temp, at=directory)
            raise


def take_in(directory: int, versions: int, source: str) -> str:
    """Move the regular file `source` of `directory` to the versions; return its sha256."""
    fd, found = safe.open_regular(source, at=directory)
    with safe.closing(fd):
        sha256, _ = hash_fd(fd)
        drop_twins(versions, found, but=sha256)
        if holds(versions, sha256):
            os.unlink(source, dir_fd=directory)
        else:
            safe.sync(fd)
            os.rename(source, sha256 + POST_SUFFIX, src_dir_fd=directory, dst_dir_fd=versions)
    safe.sync(versions)
    return sha256


def drop_twins(versions: int, current: os.stat_result, *, but: str = "") -> bool:
    """Remove the names that the current file has among its own versions, except its own sha256 (`but`).

    They are left over from something cut off, and an edit in place would go through to them. True when
    there were any.
    """
    with os.scandir(versions) as entries:
        names = [entry.name for entry in entries if entry.inode() == current.st_ino]
    dropped = False
    for name in names:
        info = os.stat(name, dir_fd=versions, follow_symlinks=False)
        if os.path.samestat(info, current) and name not in (but, but + POST_SUFFIX):
            os.unlink(name, dir_fd=versions)
            dropped = True
    return dropped


def _keep_copy(directory: int, versions: int, fd: int, sha256: str) -> None:
    """For file systems without hard links."""
    copy, temp = safe.create_temp(directory)
    with safe.closing(copy):
        try:
            offset = 0
            while chunk := os.pread(fd, safe.CHUNK, offset):
                safe.write_all(copy, chunk)
                offset += len(chunk)
            if hash_fd(copy)[0] != sha256:
                raise Moved
            safe.sync(copy)
            os.rename(temp, sha256 + POST_SUFFIX, src_dir_fd=directory, dst_dir_fd=versions)
        except BaseException:
            safe.unlink_quietly(temp, at=directory)
            raise


def _rename_version(versions: int, name: str, sha256: str) -> None:
    right = sha256 + POST_SUFFIX
    try:
        fd, _ = safe.open_regular(right, at=versions)
    except NoSuchPost:
        os.rename(name, right, src_dir_fd=versions, dst_dir_fd=versions)
        return
    with safe.closing(fd):
        if hash_fd(fd)[0] != sha256:
            raise NotAFile(
                f"the versions {name!r} and {right!r} both hold something else; move one of them away"
            )
    os.unlink(name, dir_fd=versions)


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and not text.strip("0123456789abcdef")
