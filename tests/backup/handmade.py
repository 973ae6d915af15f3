"""Archives as others make them: by hand, by tar, and by somebody who wishes harm; and what a tree holds."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

from mau.account import Account
from mau.backup.archive import open_archive
from mau.backup.report import Restored
from mau.backup.restoring import restore, restore_account
from mau.backup.taking import back_up
from mau.tree.layout import Root
from tests.publish.world import PASSPHRASE, Someone

Member = tuple[str, bytes] | tarfile.TarInfo


def taken(someone: Someone) -> bytes:
    """A backup of somebody's tree."""
    out = io.BytesIO()
    assert back_up(someone.account.root, out).whole
    return out.getvalue()


def archive(members: Iterable[Member], format: int = tarfile.PAX_FORMAT) -> bytes:  # noqa: A002 - tar's word
    """An archive of files by name, or of any entry there is."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            info.mtime = 1_600_000_000
            tar.addfile(info, io.BytesIO(member[1]))
    return out.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A link, a pipe, a device."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def bring_back(account: Account, data: bytes, *, dry_run: bool = False) -> Restored:
    """Restore into a tree that has an account."""
    restored = Restored()
    restore(
        account,
        open_archive(io.BytesIO(data), restored),
        restored,
        passphrase=PASSPHRASE,
        dry_run=dry_run,
    )
    return restored


def bring_anew(path: Path, data: bytes) -> tuple[Account, Restored]:
    """Restore into an empty directory."""
    restored = Restored()
    opened = open_archive(io.BytesIO(data), restored)
    account = restore_account(Root(path), opened, PASSPHRASE)
    restore(account, opened, restored, fresh=True)
    return account, restored


def became(restored: Restored) -> dict[str, str]:
    """What became of each path, without what was held already."""
    return {one.path: one.what for one in restored.outcomes if one.what != "same"}


def reason(restored: Restored, path: str) -> str:
    """Why something was refused."""
    [one] = [one for one in restored.outcomes if one.path == path]
    assert one.what == "refused"
    return one.words


def held(root: Root) -> dict[str, bytes]:
    """Every file of the tree that is not derived, by its path."""
    found = {}
    for path in sorted(root.path.rglob("*")):
        inner = path.relative_to(root.path)
        first = inner.parts[0]
        derived = first[:1] == "." and first != ".mau" and len(first) != 41
        if path.is_file() and not path.is_symlink() and not derived:
            found[str(inner)] = path.read_bytes()
    return found


def tar(*words: str | Path, cwd: Path | None = None) -> str:
    """GNU tar, as whoever has nothing else would use it."""
    done = subprocess.run(["tar", *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
