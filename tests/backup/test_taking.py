"""A backup holds everything that matters, whatever goes on meanwhile (spec/backup.md B1-B9)."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest

from mau.backup.taking import back_up
from mau.backup.target import archive_file
from mau.content.binding import PUBLIC
from mau.errors import NoAccount, UsageError
from mau.publish import publish_document, publish_file
from mau.tree.layout import Root
from tests.backup.handmade import held, taken, tar
from tests.publish.world import World

WRITER = Path(__file__).parents[1] / "tree" / "writer.py"
FPR = bytes(range(20)).hex()


def test_gnu_tar_lists_and_unpacks_it_to_the_same_tree(world: World, tmp_path: Path) -> None:
    alice = world.alice
    for text in ("one", "two"):
        publish_document(alice.account, alice.keyring, {"text": text}, "x.json.pgp", world.for_(world.bob))
    (alice.place(alice) / "a draft, ünfinished").write_text("plain")
    (alice.place(alice) / "notes").mkdir()
    (alice.place(alice) / "notes" / ("long" * 60)).write_text("deep")
    alice.put(world.bob, "theirs.pgp", b"x" * 3_000_000)
    alice.account.root.unfollow(world.carol.fpr)
    alice.place(world.carol, hidden=True)
    file = tmp_path / "b.tar"
    file.write_bytes(taken(alice))
    names = tar("--quoting-style=literal", "-tf", file).splitlines()
    assert next(name for name in names if not name.endswith("/")) == ".mau/account.pgp"
    assert f".{world.carol.fpr.hex}/" in names
    (tmp_path / "out").mkdir()
    tar("-xf", file, cwd=tmp_path / "out")
    assert held(Root(tmp_path / "out")) == held(alice.account.root)
    assert {p.stat().st_mode & 0o777 for p in (tmp_path / "out" / ".mau").rglob("*")} == {0o600, 0o700}
    [version] = (alice.place(alice) / "x.json.pgp.versions").iterdir()
    unpacked = tmp_path / "out" / version.relative_to(alice.account.root.path)
    assert unpacked.stat().st_mtime_ns == version.stat().st_mtime_ns, "by which versions are ordered"


def test_what_is_derived_or_no_file_is_left_out_and_the_second_is_named(world: World) -> None:
    alice = world.alice
    place = alice.place(alice)
    (alice.account.root.state_dir("index") / "x").write_text("derived")
    (place / ".mau-0123456789abcdef.tmp").write_text("half")
    (place / "link.pgp").symlink_to("/etc/passwd")
    os.mkfifo(place / "pipe.pgp")
    (alice.account.root.path / "shopping.txt").write_text("milk")
    out = io.BytesIO()
    done = back_up(alice.account.root, out)
    names = names_in(out.getvalue())
    assert not [name for name in names if "index" in name or ".tmp" in name or "shopping" in name]
    own = alice.fpr.hex
    assert {one.path for one in done.left_out} == {f"{own}/link.pgp", f"{own}/pipe.pgp", "shopping.txt"}
    assert done.whole, "nothing of that belongs into it"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_named_and_the_backup_is_not_whole(world: World) -> None:
    (world.alice.place(world.alice) / "x.pgp").touch(mode=0)
    done = back_up(world.alice.account.root, io.BytesIO())
    assert [one.path for one in done.left_out] == [f"{world.alice.fpr.hex}/x.pgp"]
    assert not done.whole


def test_what_has_the_statements_name_and_is_no_file_is_named(world: World) -> None:
    (world.alice.place(world.bob) / "keyring.json.pgp").symlink_to("/etc/passwd")
    done = back_up(world.alice.account.root, io.BytesIO())
    assert [one.path for one in done.left_out] == [f"{world.bob.fpr.hex}/keyring.json.pgp"]


def test_a_file_that_grows_on_and_on_is_named_and_nobody_waits_for_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = world.alice.place(world.alice) / "log"
    path.write_text("x")
    os.utime(path, (1, 1))
    inode, read, reads = path.stat().st_ino, os.read, 0

    def growing(fd: int, size: int) -> bytes:
        nonlocal reads
        if os.fstat(fd).st_ino == inode:
            reads += 1
            assert reads < 100, "it is read on and on"
            with path.open("ab") as file:
                file.write(bytes(size))
        return read(fd, size)

    monkeypatch.setattr(os, "read", growing)
    done = back_up(world.alice.account.root, io.BytesIO())
    assert [one.path for one in done.left_out] == [f"{world.alice.fpr.hex}/log"]
    assert not done.whole


def test_a_large_file_that_cannot_be_read_to_its_end_spoils_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that fails: the rest of the archive is whole, into a pipe too."""
    alice = world.alice
    film = alice.place(alice) / "film.pgp"
    film.write_bytes(bytes(5_000_000))
    alice.put(alice, "later.pgp", b"x")
    os.utime(film, (1, 1))
    inode, read = film.stat().st_ino, os.read

    def failing(fd: int, size: int) -> bytes:
        if os.fstat(fd).st_ino == inode and os.lseek(fd, 0, os.SEEK_CUR) > 2_000_000:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(fd, size)

    monkeypatch.setattr(os, "read", failing)
    for out, torn in ((io.BytesIO(), False), (Pipe(), True)):
        done = back_up(alice.account.root, out)
        assert [one.path for one in done.left_out] == [f"{alice.fpr.hex}/film.pgp"]
        assert "Input/output error" in done.left_out[0].reason
        assert ("torn" in done.left_out[0].reason) == torn
        names = names_in(out.getvalue())
        assert f"{alice.fpr.hex}/later.pgp" in names
        assert (f"{alice.fpr.hex}/film.pgp" in names) == torn


class Pipe(io.BytesIO):
    """There is no way back."""

    def seekable(self) -> bool:
        return False


def test_a_full_disk_under_the_archive_ends_it(world: World) -> None:
    """It is no trouble of the file that is read just then."""
    alice = world.alice
    (alice.place(alice) / "film.pgp").write_bytes(bytes(5_000_000))

    class Full(io.BytesIO):
        """For a moment."""

        was = False

        def write(self, data: bytes) -> int:  # type: ignore[override]
            if self.tell() > 2_000_000 and not self.was:
                self.was = True
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    with pytest.raises(OSError, match="No space"):
        back_up(alice.account.root, Full())


def test_without_a_tree_there_is_nothing_to_keep(tmp_path: Path) -> None:
    with pytest.raises(NoAccount):
        back_up(Root(tmp_path), io.BytesIO())


def test_memory_does_not_grow_with_the_files(world: World, tmp_path: Path) -> None:
    with (world.alice.place(world.alice) / "film").open("wb") as film:
        film.truncate(300 << 20)
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom mau.tree.layout import Root\n"
        "from mau.backup.taking import back_up\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "back_up(Root(Path(sys.argv[1])), open(sys.argv[2], 'wb'))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(world.alice.account.root.path), "/dev/null"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 30_000, "KiB"


@pytest.mark.parametrize(
    "times", [pytest.param(400), pytest.param(2000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
)
def test_while_others_write_no_content_that_was_there_at_the_start_is_missing(
    times: int, quick_tree: Path
) -> None:
    """Each post is whole, and whatever lay there when the backup began is in it: as post or as version."""
    root = Root(quick_tree)
    root.ensure()
    (quick_tree / FPR).mkdir()
    command = [sys.executable, str(WRITER), str(quick_tree), "w", str(times), "7", "own"]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert writer.stdin and writer.stdout
    with writer:
        assert writer.stdout.readline() == "ready\n"
        writer.stdin.write("go\n")
        writer.stdin.flush()
        written: set[str] = set()
        while len(written) < 20:
            written.add(writer.stdout.readline().split()[1])
        rounds = 0
        while writer.poll() is None and rounds < times // 50:
            before = set(written)
            out = io.BytesIO()
            assert back_up(root, out).whole
            rounds += 1
            sums, current = contents(out.getvalue())
            assert before <= sums
            assert current == {f"x{number}.pgp" for number in range(7)}
            for _ in range(20):
                line = writer.stdout.readline().split()
                if not line:
                    break
                written.add(line[1])
        assert rounds, "some of it was written meanwhile"
        writer.stdout.read()


def names_in(data: bytes) -> list[str]:
    """The paths in an archive."""
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        return opened.getnames()


def contents(data: bytes) -> tuple[set[str], set[str]]:
    """The sums of everything in an archive, after checking what versions are called; names of posts."""
    sums, current = set(), set()
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        for member in opened.getmembers():
            if not member.isfile():
                continue
            file = opened.extractfile(member)
            assert file
            sha256 = hashlib.sha256(file.read()).hexdigest()
            sums.add(sha256)
            name = member.name.rpartition("/")[2]
            if ".versions/" in member.name:
                assert name == f"{sha256}.pgp"
            else:
                current.add(name)
    return sums, current


@pytest.fixture
def quick_tree(tmp_path: Path) -> Path:
    path = tmp_path / "tree"
    path.mkdir()
    return path


def test_a_directory_that_is_renamed_meanwhile_is_in_it_under_one_of_its_names(world: World) -> None:
    alice, bob = world.alice, world.bob
    alice.put(bob, "x.pgp", b"of bob")
    renamed = False

    class Renaming(io.BytesIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            nonlocal renamed
            if not renamed:
                renamed = True
                alice.account.root.unfollow(bob.fpr)
            return super().write(data)

    out = Renaming()
    assert back_up(alice.account.root, out).whole
    names = names_in(out.getvalue())
    assert [name for name in names if name.endswith("/x.pgp")] == [f".{bob.fpr.hex}/x.pgp"]


def test_a_large_file_that_is_changed_while_it_is_read_is_stored_whole(world: World) -> None:
    alice = world.alice
    path = alice.place(alice) / "film"
    path.write_bytes(b"a" * 5_000_000)
    changed = False

    class Changing(io.BytesIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            nonlocal changed
            if len(data) > 1_000_000 and not changed:
                changed = True
                path.write_bytes(b"b" * 4_000_000)
            return super().write(data)

    out = Changing()
    assert back_up(alice.account.root, out).whole
    assert hashlib.sha256(b"b" * 4_000_000).hexdigest() in contents(out.getvalue())[0]


# --- where it is written -----------------------------------------------------------------------------------


def test_the_file_is_private_and_never_overwritten_unless_told(world: World, tmp_path: Path) -> None:
    root, file = world.alice.account.root, tmp_path / "b.tar"
    with archive_file(root, file, force=False) as out:
        out.write(b"first")
        assert not file.exists(), "whole, or not there"
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError), archive_file(root, file, force=False):
        pass
    with archive_file(root, file, force=True) as out:
        out.write(b"second")
    assert file.read_bytes() == b"second"
    with pytest.raises(ZeroDivisionError), archive_file(root, file, force=True) as out:
        out.write(b"third")
        _ = 1 / 0
    assert file.read_bytes() == b"second"
    assert not list(tmp_path.glob(".mau-*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_others_left_in_a_place_for_everybody_is_no_hindrance() -> None:
    take = """
import ctypes, os, sys  # while they can be read
from pathlib import Path
from mau.backup.target import archive_file
from mau.tree import rename
from mau.tree.layout import Root
os.chdir(sys.argv[1])
os.setgroups([])
os.setgid(4321)
os.setuid(4321)
with archive_file(Root(Path("/nowhere")), Path("b.tar"), force=False) as out:
    out.write(b"whole")
"""
    with tempfile.TemporaryDirectory() as place:
        shared = Path(place)
        shared.chmod(0o1777)
        theirs = shared / ".mau-0123456789abcdef.tmp"
        theirs.touch(0o600)
        os.chown(theirs, 1234, 1234)
        subprocess.run([sys.executable, "-c", take, shared], check=True, timeout=30)
        assert (shared / "b.tar").read_bytes() == b"whole"
        assert theirs.exists()


def test_a_disk_without_renames_of_that_kind_and_without_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stick, a share."""

    def no(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr("mau.tree.rename._library", lambda: (None, lambda: 0))
    monkeypatch.setattr(os, "link", no)
    root = Root(tmp_path / "tree")
    with archive_file(root, tmp_path / "b.tar", force=False) as out:
        out.write(b"whole")
    assert (tmp_path / "b.tar").read_bytes() == b"whole"
    with (
        pytest.raises(UsageError, match="meanwhile"),
        archive_file(root, tmp_path / "c.tar", force=False) as out,
    ):
        (tmp_path / "c.tar").write_bytes(b"quicker")
    assert (tmp_path / "c.tar").read_bytes() == b"quicker"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar", "c.tar"]


@pytest.mark.parametrize("place", ["b.tar", ".mau/b.tar", "sub/b.tar"])
def test_never_inside_the_tree_itself(world: World, tmp_path: Path, place: str) -> None:
    root = world.alice.account.root
    (root.path / "sub").mkdir()
    (tmp_path / "way").symlink_to(root.path)
    for path in (root.path / place, tmp_path / "way" / place):
        with pytest.raises(UsageError, match="inside your tree"), archive_file(root, path, force=True):
            pass


KILLED = """
import os, signal, sys
from pathlib import Path
from mau.backup.taking import back_up
from mau.backup.target import archive_file
from mau.tree.layout import Root

root, file, files = Root(Path(sys.argv[1])), Path(sys.argv[2]), int(sys.argv[3])

def die(done, size):
    if done == files:
        os.kill(os.getpid(), signal.SIGKILL)

with archive_file(root, file, force=True) as out:
    back_up(root, out, die)
"""


@pytest.mark.parametrize("files", [1, 3])
def test_a_killed_backup_leaves_the_old_one_and_the_next_one_cleans_up(
    world: World, tmp_path: Path, files: int
) -> None:
    alice = world.alice
    publish_file(alice.account, alice.keyring, io.BytesIO(b"x"), "x.pgp", PUBLIC)
    file = tmp_path / "b.tar"
    file.write_bytes(b"old")
    command = [sys.executable, "-c", KILLED, str(alice.account.root.path), str(file), str(files)]
    done = subprocess.run(command, check=False)
    assert done.returncode == -signal.SIGKILL
    assert file.read_bytes() == b"old"
    assert len(list(tmp_path.glob(".mau-*.tmp"))) == 1
    with archive_file(alice.account.root, file, force=True) as out:
        back_up(alice.account.root, out)
    assert not list(tmp_path.glob(".mau-*.tmp"))
    assert "x.pgp" in tar("-tf", file)
