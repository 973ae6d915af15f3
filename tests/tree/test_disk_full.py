"""A disk that fills up at any byte leaves the old content, and the next write works (spec/tree.md W11)."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mau.fingerprint import Fingerprint
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir, Committed
from mau.tree.safe import write_bytes

Put = Callable[..., Committed]
Contents = Callable[[AuthorDir, str], list[bytes]]
Stray = Callable[[AuthorDir], list[str]]

LIMITED = """
import resource, sys
from pathlib import Path
from mau.fingerprint import Fingerprint
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir
from mau.tree.safe import write_bytes

root, limit = Root(Path(sys.argv[1])), int(sys.argv[2])
directory = AuthorDir(root, Fingerprint(bytes(range(20))), own=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
failed = 0
try:
    with directory.stage() as staged:
        staged.file.write(b"n" * 50_000)
        directory.commit(staged, "x.pgp")
except OSError:
    failed += 1
try:
    write_bytes(root.account_file, b"n" * 50_000)
except OSError:
    failed += 1
sys.exit(failed)
"""


@pytest.mark.parametrize("limit", [0, 1, 4096, 49_999, 50_000, 50_031, 50_032])
def test_a_write_that_is_cut_short_leaves_the_old_content(
    limit: int, own: AuthorDir, put: Put, contents: Contents, stray: Stray
) -> None:
    old = b"o" * 40_000
    put(own, "x.pgp", old)
    write_bytes(own.root.account_file, old)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LIMITED, str(own.root.path), str(limit)],
        capture_output=True,
        text=True,
        check=False,
    )
    fits = limit >= 50_000
    new = b"n" * 50_000
    assert done.returncode == (0 if fits else 2), done.stderr
    assert done.stderr == ""
    assert contents(own, "x.pgp") == ([old, new] if fits else [old])
    assert own.root.account_file.read_bytes() == (new if fits else old)
    shadow = own.root.path / ".shadow" / own.fpr.hex / "x.pgp"
    if fits:  # a shadow that does not fit leaves its room to others
        assert shadow.exists() == (limit >= 50_000 + 32)
    assert stray(own) == []
    assert [path.name for path in own.root.path.glob(".mau-*")] == []
    put(own, "x.pgp", b"after")
    assert contents(own, "x.pgp")[-1] == b"after"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB where we may mount one, else a limit on the size of files does it alone."""
    place = tmp_path / "disk"
    place.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    mount = getattr(libc, "mount", None)
    if not sys.platform.startswith("linux") or mount is None:
        yield place
        return
    mounted = mount(b"tmpfs", os.fsencode(place), b"tmpfs", 0, b"size=256k") == 0
    yield place
    if mounted:
        libc.umount2(os.fsencode(place), 2)


def test_a_full_disk_leaves_the_old_content(
    small_disk: Path, put: Put, contents: Contents, stray: Stray
) -> None:
    root = Root(small_disk / "Mau")
    root.ensure()
    fpr = Fingerprint(bytes(range(20)))
    root.follow(fpr)
    own = AuthorDir(root, fpr, own=True)
    put(own, "x.pgp", b"old")
    kept = [b"old"]
    failed = 0
    for number in range(30):
        data = bytes([number]) * 30_000
        try:
            put(own, "x.pgp", data)
            kept.append(data)
        except OSError:
            failed += 1
        assert contents(own, "x.pgp") == kept
        assert stray(own) == []
    own.recover()
    assert contents(own, "x.pgp") == kept
    assert failed == 0 or len(kept) > 2
    assert failed or not os.path.ismount(small_disk), "it did fill up"
