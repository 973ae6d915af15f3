"""What is noted of a file, and when (spec/index.md I8-I13)."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from mau.fingerprint import Fingerprint
from mau.tree.index import Examined, Index, clock_at, seconds_of, stamp_of
from mau.tree.index.clock import following
from mau.tree.index.place import file_system, is_remote
from mau.tree.layout import Root
from tests.tree.index.world import ALICE, BOB, examine, indexed, paged, plain_scan

CHECKOUT = Path(__file__).parents[3]


def age(path: Path) -> None:
    """Wait until another change of the file would leave another stamp."""
    changed = path.stat().st_ctime_ns
    while time.time_ns() - changed <= 60_000_000:
        path.stat()


def test_an_entry_tells_everything(index: Index, alice: Path) -> None:
    path = alice / "x.pgp"
    path.write_bytes(b"r1 r2\nhello")
    age(path)
    before = time.time()
    assert index.refresh().changed == 1
    entry = index.entry(ALICE, "x.pgp")
    assert entry is not None
    assert (entry.author, entry.name, entry.hidden, entry.size) == (ALICE, "x.pgp", False, 11)
    assert entry.sha256 == hashlib.sha256(b"r1 r2\nhello").hexdigest()
    assert (entry.kind, entry.stated) == ("encrypted", b"x.pgp")
    assert entry.stamp == stamp_of(path.stat())
    assert int(before) <= entry.modified <= time.time()
    assert index.entry(ALICE, "y.pgp") is None
    assert index.entry(BOB, "x.pgp") is None


def test_what_is_no_post_is_not_noted(index: Index, root: Root, alice: Path) -> None:
    (alice / "draft").write_bytes(b"r1\n")
    (alice / ".x.pgp").write_bytes(b"r1\n")
    (alice / "x.PGP").write_bytes(b"r1\n")
    (alice / "x.pgp.versions").mkdir()
    (alice / "x.pgp.versions" / ("0" * 64 + ".pgp")).write_bytes(b"r1\n")
    (alice / "directory.pgp").mkdir()
    (alice / "link.pgp").symlink_to(alice / "draft")
    os.mkfifo(alice / "pipe.pgp")
    (root.path / ("f" * 40)).symlink_to(alice)
    assert index.refresh().changed == 0
    assert list(index.entries(ALICE)) == []
    assert list(index.entries(Fingerprint(b"\xff" * 20))) == []


def test_times_of_a_file_say_nothing_about_its_clock(index: Index, alice: Path) -> None:
    (alice / "x.pgp").write_bytes(b"r1\n")
    index.refresh()
    entry = index.entry(ALICE, "x.pgp")
    assert entry is not None
    os.utime(alice / "x.pgp", (0, 0))
    (alice / "copy").write_bytes(b"r1\n")
    for change in (lambda: (alice / "x.pgp").chmod(0o400), lambda: (alice / "copy").replace(alice / "x.pgp")):
        change()
        assert index.refresh().changed == 0
        now = index.entry(ALICE, "x.pgp")
        assert now is not None
        assert now.clock == entry.clock


def test_a_time_that_no_clock_can_tell_is_noted_too(index: Index, alice: Path) -> None:
    for number, when in enumerate((-(2**31), -1, 2**33, 2**34 - 1)):
        (alice / f"{number}.pgp").write_bytes(b"r1\n")
        os.utime(alice / f"{number}.pgp", (when, when))
    assert index.refresh().changed == 4
    assert index.refresh().changed == 0


def test_a_content_that_comes_back_is_a_change(index: Index, alice: Path) -> None:
    clocks = []
    for data in (b"r1\n1", b"r1\n2", b"r1\n1", None, b"r1\n1"):
        if data is None:
            (alice / "x.pgp").unlink()
        else:
            (alice / "x.pgp").write_bytes(data)
        index.refresh()
        entry = index.entry(ALICE, "x.pgp")
        if entry:
            clocks.append(entry.clock)
    assert clocks == sorted(set(clocks))
    assert len(clocks) == 4


def test_unfollowing_changes_nothing_but_the_place(index: Index, root: Root, alice: Path) -> None:
    for number in range(5):
        (alice / f"{number}.pgp").write_bytes(b"r1\n%d" % number)
    index.refresh()
    before = index.changed(ALICE), [entry.clock for entry in index.entries(ALICE)]
    root.unfollow(ALICE)
    assert index.refresh().changed == 0
    assert all(entry.hidden for entry in index.entries(ALICE))
    assert (index.changed(ALICE), [entry.clock for entry in index.entries(ALICE)]) == before


def test_what_comes_to_light_when_the_shown_file_goes_is_a_change(
    index: Index, root: Root, alice: Path
) -> None:
    root.hidden_dir(ALICE).mkdir()
    (root.hidden_dir(ALICE) / "x.pgp").write_bytes(b"r1\nhidden")
    index.refresh()
    (alice / "x.pgp").write_bytes(b"r1\nshown")
    index.refresh()
    _, position = index.changed(ALICE)
    assert indexed(index, ALICE) == plain_scan(root, ALICE)
    (alice / "x.pgp").unlink()
    index.refresh()
    assert paged(index, ALICE, [b"r1"], position) == ["x.pgp"]
    assert indexed(index, ALICE) == plain_scan(root, ALICE)


def test_new_files_come_in_the_order_of_their_times(index: Index, alice: Path) -> None:
    for number in (3, 1, 2):
        (alice / f"{number}.pgp").write_bytes(b"r1\n")
        os.utime(alice / f"{number}.pgp", (number, number))
    index.refresh()
    assert paged(index, ALICE, [b"r1"]) == ["1.pgp", "2.pgp", "3.pgp"]


def test_pages_hold_what_a_reader_may_find(index: Index, alice: Path) -> None:
    for number in range(30):
        readers = [b"r%d" % (number % 3), b"r%d" % (number % 5 + 10)]
        (alice / f"{number:02}.pgp").write_bytes(b" ".join(readers) + b"\n%d" % number)
    index.refresh()
    assert len(paged(index, ALICE, [b"r0"])) == 10
    both = paged(index, ALICE, [b"r0", b"r10", b"nobody"])
    assert sorted(both) == [f"{n:02}.pgp" for n in range(30) if n % 3 == 0 or n % 5 == 0]
    assert paged(index, ALICE, []) == []
    assert paged(index, BOB, [b"r0"]) == []
    page = index.before(ALICE, [b"r0"], None, 4)
    assert page.more
    older = index.before(ALICE, [b"r0"], page.entries[-1].clock, 100)
    assert not older.more
    assert [e.name for e in (*page.entries, *older.entries)] == paged(index, ALICE, [b"r0"])[::-1]
    assert page.generation == index.generation
    assert page.changed == index.changed(ALICE)[1]


def test_one_file_that_cannot_be_examined_stops_no_other(
    root: Root, alice: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def picky(author: Fingerprint, name: str, handle: BinaryIO) -> Examined:
        if name == "bad.pgp":
            raise RuntimeError("made to fail by the test")
        return examine(author, name, handle)

    (alice / "bad.pgp").write_bytes(b"r1\n")
    (alice / "good.pgp").write_bytes(b"r1\n")
    with Index.open(root, picky) as index:
        assert index.refresh().changed == 2
        assert paged(index, ALICE, [b"r1"]) == ["good.pgp"]
        entry = index.entry(ALICE, "bad.pgp")
        assert entry is not None
        assert entry.kind == "unknown"
    assert "made to fail by the test" in caplog.text


def test_a_file_that_never_stands_still_keeps_nobody_waiting(root: Root, alice: Path) -> None:
    def growing(author: Fingerprint, name: str, handle: BinaryIO) -> Examined:
        if name == "log.pgp":
            with (alice / name).open("ab") as file:
                file.write(b"more")
        return examine(author, name, handle)

    (alice / "log.pgp").write_bytes(b"r1\n")
    (alice / "x.pgp").write_bytes(b"r1\n")
    with Index.open(root, growing) as index:
        done = index.refresh()
        assert done.unsettled >= 1
        assert index.entry(ALICE, "x.pgp")
        assert index.entry(ALICE, "log.pgp") is None


def test_the_clock_never_goes_back(root: Root, alice: Path) -> None:
    shift = 0
    clocks = []
    with Index.open(root, examine, now=lambda: time.time_ns() + shift) as index:
        for number, shift in enumerate((0, 10**15, 0, -(10**18), 2**63, 0)):  # noqa: B007 - read by the clock
            (alice / f"{number}.pgp").write_bytes(b"r1\n")
            index.refresh()
            clocks.append(index.changed(ALICE)[1])
    with Index.open(root, examine) as index:
        (alice / "last.pgp").write_bytes(b"r1\n")
        index.refresh()
        clocks.append(index.changed(ALICE)[1])
        assert paged(index, ALICE, [b"r1"]) == [f"{number}.pgp" for number in range(6)] + ["last.pgp"]
    assert clocks == sorted(set(clocks))


def test_clocks_and_seconds() -> None:
    assert following(0, 5_000) == 5
    assert following(7, 5_000) == 8
    assert seconds_of(clock_at(100) + 1) == 100
    assert seconds_of(clock_at(100)) == 99
    assert clock_at(0) == clock_at(-5) == 0
    assert clock_at(10**30) < 2**63


MOUNTS = (
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "30 22 0:40 / /home rw - nfs4 server:/home rw,vers=4.2\n"
    "31 30 0:41 / /home/me/my\\040disk rw - fuse.sshfs me@there rw\n"
    "32 22 8:2 / /home/local rw master:2 - btrfs /dev/sda2 rw\n"
    "garbage\n"
)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/homes/me", "ext4"),
        ("/home", "nfs4"),
        ("/home/me", "nfs4"),
        ("/home/me/my disk/Mau", "fuse.sshfs"),
        ("/home/local/Mau", "btrfs"),
    ],
)
def test_the_file_system_of_a_path(path: str, kind: str) -> None:
    assert file_system(MOUNTS, path) == kind


def test_a_local_disk_is_no_network(tmp_path: Path) -> None:
    assert not is_remote(tmp_path)


def test_twenty_thousand_files(root: Root, alice: Path, index: Index) -> None:
    for number in range(20_000):
        (alice / f"{number}.pgp").write_bytes(b"r%d\n" % (number % 7))
    assert index.refresh().changed == 20_000
    began = time.monotonic()
    with Index.open(root, examine) as other:
        assert other.refresh().changed == 0
    assert time.monotonic() - began < 5
    assert len(paged(index, ALICE, [b"r3"], limit=1000)) == len(range(3, 20_000, 7))
    for number in range(0, 20_000, 100):
        (alice / f"{number}.pgp").unlink()
    assert index.refresh().removed == 200


_WARM = """
import resource, sys, time
from pathlib import Path
from mau.tree.index import Index
from mau.tree.layout import Root
from tests.tree.index.world import ALICE, examine
began = time.monotonic()
with Index.open(Root(Path(sys.argv[1])), examine) as index, index.watch() as watch:
    assert watch.wait_ready(100)
    took = time.monotonic() - began
    assert index.entry(ALICE, "99999.pgp")
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_hundred_thousand_files(root: Root, alice: Path) -> None:
    """From nothing, and again: a few seconds, below 150 MB."""
    for number in range(100_000):
        (alice / f"{number}.pgp").write_bytes(b"r%d public\n" % (number % 7))
    for most in (120.0, 8.0):
        done = subprocess.run(
            [sys.executable, "-c", _WARM, str(root.path)],
            capture_output=True,
            text=True,
            check=True,
            cwd=CHECKOUT,
        )
        took, kilobytes = done.stdout.split()
        assert float(took) < most
        assert int(kilobytes) < 150_000
