"""Following and unfollowing: a directory is renamed, or two are merged (spec/tree.md F1-F4)."""

from __future__ import annotations

import errno
import os

from mau.errors import NotAFile, TreeChanged
from mau.fingerprint import Fingerprint
from mau.tree import safe
from mau.tree.layout import Root
from mau.tree.lock import locked
from mau.tree.names import POST_SUFFIX, is_post_name, versions_name
from mau.tree.rename import NotSupportedHere, rename_new
from mau.tree.staging import hash_fd
from mau.tree.versions import holds, opened_versions, take_in

_ATTEMPTS = 10


def show(root: Root, fpr: Fingerprint) -> None:
    """``.FPR`` becomes ``FPR``; where both are there, what is hidden is merged into what is shown."""
    shown, hidden = fpr.hex, f".{fpr.hex}"
    with safe.closing(root.open()) as top:
        for _ in range(_ATTEMPTS):
            try:
                _rename_new(top, hidden, shown)
            except FileNotFoundError:
                os.close(safe.make_dir(shown, at=top))
            except FileExistsError:
                _merge(top, hidden, shown)
            safe.sync(top)
            if not _is_there(top, hidden):
                return
    raise TreeChanged(f"another program keeps making {hidden!r}; try again")


def hide(root: Root, fpr: Fingerprint) -> None:
    """``FPR`` becomes ``.FPR``; where both are there, the hidden one is merged into it before."""
    shown, hidden = fpr.hex, f".{fpr.hex}"
    with safe.closing(root.open()) as top:
        for _ in range(_ATTEMPTS):
            try:
                _rename_new(top, shown, hidden)
            except FileNotFoundError:
                return
            except FileExistsError:
                _merge(top, hidden, shown)
                continue
            safe.sync(top)
            return
    raise TreeChanged(f"another program keeps making {hidden!r}; try again")


def _merge(top: int, source: str, target: str) -> None:
    """Move everything from the directory `source` to `target`, then remove `source`.

    A post that both hold stays as `target` has it; the other content becomes a version.
    """
    with (
        safe.closing(safe.open_dir(source, at=top)) as old,
        safe.closing(safe.open_dir(target, at=top)) as new,
        locked(new),
        locked(old),
    ):
        with os.scandir(old) as entries:
            names = sorted(entry.name for entry in entries)
        for name in names:
            _move(old, new, name)
        safe.sync(new)
        try:
            os.rmdir(source, dir_fd=top)
        except OSError as error:  # somebody put a file there meanwhile: the caller tries again
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    safe.sync(top)


def _move(old: int, new: int, name: str) -> None:
    if _takes(old, new, name, name):
        return
    if is_post_name(name) and _is_file(old, name) and _is_file(new, name):
        _move_content(old, new, name)
    elif _is_versions(name) and _is_dir(old, name) and _is_dir(new, name):
        with (
            safe.closing(safe.open_dir(name, at=old)) as theirs,
            safe.closing(safe.open_dir(name, at=new)) as ours,
        ):
            with os.scandir(theirs) as entries:
                inner = [entry.name for entry in entries]
            for entry in inner:
                _move_version(theirs, ours, entry)
            safe.sync(ours)
        os.rmdir(name, dir_fd=old)
    else:
        # Drafts and whatever else a person keeps there: both stay, one under a free name.
        _move_aside(old, new, name)


def _move_content(old: int, new: int, name: str) -> None:
    if _sum(old, name) == _sum(new, name):
        os.unlink(name, dir_fd=old)
        return
    with opened_versions(new, name) as versions:
        take_in(old, versions, name)


def _move_version(theirs: int, ours: int, name: str) -> None:
    sha256 = name.removesuffix(POST_SUFFIX)
    if _takes(theirs, ours, name, name):
        return
    if _is_file(theirs, name) and _sum(theirs, name) == sha256 and holds(ours, sha256):
        os.unlink(name, dir_fd=theirs)
    else:
        _move_aside(theirs, ours, name)


def _move_aside(old: int, new: int, name: str) -> None:
    for number in range(1, 10_000):
        if _takes(old, new, name, f"{name[:60]}.{number}"):
            return
    raise NotAFile(f"too many files are called like {name!r}; move some away")


def _takes(old: int, new: int, name: str, target: str) -> bool:
    """Move `name` from one directory to `target` in the other; False when that is not free."""
    try:
        rename_new(old, name, target, to=new)
    except FileExistsError:
        return False
    except NotSupportedHere:
        if _is_there(new, target):
            return False
        os.rename(name, target, src_dir_fd=old, dst_dir_fd=new)
    return True


def _rename_new(top: int, source: str, target: str) -> None:
    """Rename a directory; FileExistsError when the target is there, NotAFile when the source is none."""
    if not _is_there(top, source):
        raise FileNotFoundError(source)
    os.close(safe.open_dir(source, at=top))
    if _is_there(top, target):
        os.close(safe.open_dir(target, at=top))
        raise FileExistsError(target)
    try:
        rename_new(top, source, target)
    except NotSupportedHere:
        os.rename(source, target, src_dir_fd=top, dst_dir_fd=top)  # fails when the target is not empty


def _sum(directory: int, name: str) -> str:
    fd, _ = safe.open_regular(name, at=directory)
    with safe.closing(fd):
        return hash_fd(fd)[0]


def _is_versions(name: str) -> bool:
    suffix = versions_name("")
    return name.endswith(suffix) and is_post_name(name.removesuffix(suffix))


def _is_there(directory: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _is_file(directory: int, name: str) -> bool:
    try:
        os.close(safe.open_regular(name, at=directory)[0])
    except NotAFile:
        return False
    return True


def _is_dir(directory: int, name: str) -> bool:
    try:
        os.close(safe.open_dir(name, at=directory))
    except NotAFile:
        return False
    return True
