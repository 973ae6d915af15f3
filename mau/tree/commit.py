"""Putting a staged file in its place, so that nothing is ever lost or half there (spec/tree.md W1-W12).

The order of things, all under the lock of the directory:

    1. the new content is on the disk, under a dot-name
    2. what is held is hashed and gets a second name among the versions; that name is on the disk
    3. new and held swap names in one instant; what came out is what was filed, or it is filed too
    4. the name of what came out goes; the directory is on the disk

A name that is free is taken with a rename that fails when it is not free any more. At each step a crash
leaves the old or the new content under the name, and recovery.py knows what to make of the rest.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mau.errors import NoSuchPost, NotAFile, TreeChanged
from mau.tree import safe
from mau.tree.lock import locked
from mau.tree.rename import NotSupportedHere, exchange, rename_new
from mau.tree.shadow import Shadows
from mau.tree.staging import Digest, Staged, digest_fd, hash_fd
from mau.tree.versions import Moved, drop_twins, holds, keep, keep_bytes, opened_versions, take_in

_ATTEMPTS: Final = 50


class Anything:
    """Whatever is held may be replaced."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ANY"


ANY: Final = Anything()


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of it: name, sha256 (hex) and size in bytes of the content; sha256 of what it replaced.

    `replaced` is None when the name was free, and when the same bytes were held already (nothing was
    written then, and `unchanged` is True).
    """

    name: str
    sha256: str
    size: int
    replaced: str | None
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class _Held:
    """What lies under the name, open."""

    fd: int
    found: os.stat_result
    sha256: str

    def is_still(self, now: os.stat_result | None) -> bool:
        return now is not None and os.path.samestat(self.found, now) and _state(self.found) == _state(now)


def commit(
    staged: Staged,
    place: str,
    name: str,
    expect: str | Anything | None,
    shadows: Shadows | None,
    *,
    synced: Digest | None = None,
    settle: bool = True,
) -> Committed:
    """Make the staged content the post `name` of the directory `place`.

    TreeChanged when what is held is not what `expect` says (a sha256, or None for nothing), or the directory
    is not the one any more in which the file was staged. `synced` is the digest of what was staged when the
    caller has seen to it that it is on the disk. Without `settle` he syncs the directory before he relies on
    the new name.
    """
    directory = staged.directory
    digest = synced or staged.digest()
    on_disk = synced is not None
    if not on_disk:
        before = _stat(directory, name)
        on_disk = before is None or before.st_size != digest.size
        if on_disk:  # not under the lock: others need not wait for our disk
            safe.sync(staged.fd)
    with locked(directory):
        require_in_place(directory, place)
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(Moved), held_under(directory, name) as held:
                if expect is not ANY and expect != (held.sha256 if held else None):
                    raise TreeChanged(f"{name!r} is not what it was; nothing was written, look again")
                if held and held.sha256 == digest.sha256:
                    _file_shadow(directory, name, held, shadows)
                    return Committed(name, digest.sha256, digest.size, None, unchanged=True)
                if not on_disk:
                    safe.sync(staged.fd)
                    on_disk = True
                if held:
                    _replace(staged, name, digest, held, shadows)
                else:
                    take_name(directory, staged.temp, name)
                    staged.temp = ""
                if shadows:
                    shadows.write(name, staged.fd, digest)
                break
        else:
            raise TreeChanged(f"another program keeps changing {name!r}; nothing was written, try again")
    if settle:
        safe.sync(directory)
    return Committed(name, digest.sha256, digest.size, held.sha256 if held else None)


def parked_name(sha256: str) -> str:
    """The dot-name of new content that is about to be swapped in; tells recovery what to expect (R3)."""
    return f".mau-{os.urandom(8).hex()}.{sha256}.new"


def _replace(staged: Staged, name: str, digest: Digest, held: _Held, shadows: Shadows | None) -> None:
    directory = staged.directory
    with opened_versions(directory, name) as versions:
        if held.found.st_nlink > 1:
            drop_twins(versions, held.found, but=held.sha256)
        _file_shadow(directory, name, held, shadows, versions)
        safe.sync(held.fd)  # an edit by hand may not be on the disk yet
        keep(directory, versions, name, held.fd, held.found, held.sha256)
        safe.sync(versions)
        _park(staged, digest)
        try:
            exchange(directory, staged.temp, name)
        except FileNotFoundError as error:
            raise Moved from error
        except NotSupportedHere:
            if not held.is_still(_stat(directory, name)):
                raise Moved from None
            os.rename(staged.temp, name, src_dir_fd=directory, dst_dir_fd=directory)
            staged.temp = ""
            if not held.is_still(os.fstat(held.fd)):
                # Edited in place right before the rename: what was filed has the wrong name.
                holds(versions, held.sha256)
                _keep_shadow(directory, versions, name, shadows)
            return
        parked, staged.temp = staged.temp, ""
        found = os.stat(parked, dir_fd=directory, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            exchange(directory, parked, name)
            staged.temp = parked
            raise NotAFile(f"{name!r} became something that is no regular file; move it away")
        if held.is_still(found):
            os.unlink(parked, dir_fd=directory)
        else:  # another program was quicker than the swap: file what it had put there
            take_in(directory, versions, parked)
            _keep_shadow(directory, versions, name, shadows)


def take_name(directory: int, temp: str, name: str) -> None:
    """Give a temporary file a name that is free; Moved when it is not."""
    try:
        rename_new(directory, temp, name)
    except NotSupportedHere:
        _link_new(directory, temp, name)
    except FileExistsError as error:
        raise Moved from error
    except OSError as error:
        raise safe.translate(error, name) from error


def _link_new(directory: int, temp: str, name: str) -> None:
    try:
        os.link(temp, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
    except FileExistsError as error:
        raise Moved from error
    except OSError:  # no hard links either: nothing better is left than to look right before
        if _stat(directory, name) is not None:
            raise Moved from None
        os.rename(temp, name, src_dir_fd=directory, dst_dir_fd=directory)
    else:
        os.unlink(temp, dir_fd=directory)


def _park(staged: Staged, digest: Digest) -> None:
    if not staged.temp.endswith(".new"):
        parked = parked_name(digest.sha256)
        os.rename(staged.temp, parked, src_dir_fd=staged.directory, dst_dir_fd=staged.directory)
        staged.temp = parked


@contextlib.contextmanager
def held_under(directory: int, name: str) -> Iterator[_Held | None]:
    """What lies under a name, open for the length of the block; None when that is free. NotAFile."""
    try:
        fd, found = safe.open_regular(name, at=directory)
    except NoSuchPost:
        yield None
        return
    with safe.closing(fd):
        yield _Held(fd, found, hash_fd(fd)[0])


def _file_shadow(
    directory: int, name: str, held: _Held, shadows: Shadows | None, versions: int | None = None
) -> None:
    """When the post was edited by hand, what it held before becomes a version (H3)."""
    shadow = shadows.read(name) if shadows else None
    if shadows is None or shadow is None or shadow.sha256 == held.sha256:
        return
    if versions is not None:
        _keep_shadow(directory, versions, name, shadows)
        return
    with opened_versions(directory, name) as made:
        _keep_shadow(directory, made, name, shadows)
    shadows.write(name, held.fd, digest_fd(held.fd, held.found))


def _keep_shadow(directory: int, versions: int, name: str, shadows: Shadows | None) -> None:
    """File what the shadow of a post holds as a version."""
    shadow = shadows.read(name) if shadows else None
    if shadow:
        keep_bytes(directory, versions, shadow.data, shadow.sha256, shadow.mtime_ns)
        safe.sync(versions)


def require_in_place(directory: int, place: str) -> None:
    """A directory that was renamed or removed while the file was on its way takes nothing any more."""
    try:
        found = os.lstat(place)
    except FileNotFoundError:
        found = None
    if found is None or not os.path.samestat(found, os.fstat(directory)):
        raise TreeChanged(f"{place!r} was moved or removed meanwhile; nothing was written")


def _stat(directory: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise safe.translate(error, name) from error


def _state(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns
