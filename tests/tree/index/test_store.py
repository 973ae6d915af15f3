"""The index survives everything but its own deletion, which costs nothing but time (spec/index.md I1-I5)."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from mau.errors import NoAccount, NotAFile
from mau.tree.index import Index
from mau.tree.index.store import Renewed
from mau.tree.layout import Root
from tests.tree.calls import At
from tests.tree.index.world import ALICE, examine, indexed, plain_scan

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]


def database(root: Root) -> Path:
    return next((root.path / ".index").glob("*.db"))


def fill(alice: Path, count: int) -> None:
    for number in range(count):
        (alice / f"{number}.pgp").write_bytes(b"r1 r2\n%d" % number)


def overwrite(root: Root) -> None:
    database(root).write_bytes(b"garbage" * 3000)


def empty(root: Root) -> None:
    database(root).write_bytes(b"")


def damage_in_the_middle(root: Root) -> None:
    content = bytearray(database(root).read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    database(root).write_bytes(content)


def lose_the_database(root: Root) -> None:
    database(root).unlink()


def lose_everything(root: Root) -> None:
    shutil.rmtree(root.path / ".index")


def lose_the_pointer(root: Root) -> None:
    (root.path / ".index" / "current").unlink()


def nonsense_in_the_pointer(root: Root) -> None:
    (root.path / ".index" / "current").write_bytes(b"../../etc/passwd\n")


def another_version(root: Root) -> None:
    connection = sqlite3.connect(database(root))
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def a_table_is_missing(root: Root) -> None:
    connection = sqlite3.connect(database(root))
    connection.execute("DROP TABLE found")
    connection.close()


def put_back_from_a_backup(root: Root) -> None:
    shutil.copytree(root.path / ".index", root.path / ".copy")
    shutil.rmtree(root.path / ".index")
    (root.path / ".copy").rename(root.path / ".index")


HARM = [
    overwrite,
    empty,
    damage_in_the_middle,
    lose_the_database,
    lose_everything,
    lose_the_pointer,
    nonsense_in_the_pointer,
    another_version,
    a_table_is_missing,
    put_back_from_a_backup,
]


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
@pytest.mark.parametrize("open_meanwhile", [False, True])
def test_it_is_rebuilt_from_nothing_with_a_new_generation(
    harm: Callable[[Root], None], open_meanwhile: bool, root: Root, alice: Path
) -> None:
    fill(alice, 300)
    index = Index.open(root, examine)
    index.refresh()
    generation, clock = index.changed(ALICE)
    if not open_meanwhile:
        index.close()
    else:  # so that everything lies in the file itself
        index._store.run(lambda _: None, write=False)
        index.close()
        index._store.run(lambda _: None, write=False)
    harm(root)
    with Index.open(root, examine) as other:
        assert len(other.after(ALICE, [b"r1"], 0, 1000).entries) == 300
        other.refresh()
        assert indexed(other, ALICE) == plain_scan(root, ALICE)
        assert other.generation != generation
        assert other.changed(ALICE)[1] > clock
        if open_meanwhile and harm is not another_version:
            assert indexed(index, ALICE) == plain_scan(root, ALICE)
            assert index.generation == other.generation
        left = {path.name.partition(".")[0] for path in (root.path / ".index").glob("*.db*")}
        assert left == {other.generation}
    index.close()


def test_it_stays_as_it_is_otherwise(root: Root, alice: Path) -> None:
    fill(alice, 10)
    with Index.open(root, examine) as index:
        index.refresh()
        before = (index.changed(ALICE), list(index.entries(ALICE)))
    with Index.open(root, examine) as index:
        assert (index.changed(ALICE), list(index.entries(ALICE))) == before
        assert index.refresh().changed == 0
        assert (index.changed(ALICE)) == before[0]


def test_another_examiner_reads_everything_anew(root: Root, alice: Path) -> None:
    fill(alice, 3)
    with Index.open(root, examine, examiner="1") as index:
        index.refresh()
        generation = index.generation
    with Index.open(root, examine, examiner="2") as index:
        assert index.refresh().changed == 3
        assert index.generation != generation


def test_the_files_are_for_their_owner_alone(root: Root, index: Index) -> None:
    index.refresh()
    assert stat.S_IMODE((root.path / ".index").stat().st_mode) == 0o700
    for path in (root.path / ".index").glob("*.db*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_may_lie_elsewhere(root: Root, alice: Path, tmp_path: Path) -> None:
    fill(alice, 3)
    with Index.open(root, examine, directory=tmp_path / "state" / "mau") as index:
        assert index.refresh().changed == 3
        assert not (root.path / ".index").exists()
        assert list((tmp_path / "state" / "mau").glob("*.db"))
        generation = index.generation
    shutil.copytree(root.path, tmp_path / "copy", symlinks=True)
    shutil.rmtree(root.path)
    (tmp_path / "copy").rename(root.path)
    with Index.open(root, examine, directory=tmp_path / "state" / "mau") as index:
        assert index.refresh().changed == 3
        assert index.generation != generation


def test_a_link_in_its_place_is_not_followed(root: Root, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root.path / ".index").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotAFile):
        Index.open(root, examine)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_without_a_tree_there_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(NoAccount):
        Index.open(Root(tmp_path / "nothing"), examine)
    assert not (tmp_path / "nothing").exists()


def test_a_tree_that_is_not_whole_loses_nothing(
    root: Root, alice: Path, index: Index, tmp_path: Path
) -> None:
    fill(alice, 3)
    index.refresh()
    root.mau.rename(tmp_path / "mau")
    alice.rename(tmp_path / "alice")
    with pytest.raises(NoAccount):
        index.refresh()
    assert len(list(index.entries(ALICE))) == 3
    (tmp_path / "alice").rename(alice)
    (tmp_path / "mau").rename(root.mau)
    assert index.refresh().changed == 0


def test_work_for_one_generation_is_not_done_on_another(root: Root, index: Index) -> None:
    generation = index.generation
    index._store.run(lambda _: None, write=True, generation=generation)
    lose_everything(root)
    with pytest.raises(Renewed):
        index._store.run(lambda _: None, write=True, generation=generation)


_PROCESS = """
import sys
from pathlib import Path
from mau.tree.index import Index
from mau.tree.layout import Root
from tests.tree.calls import At
from tests.tree.index.world import ALICE, examine, indexed, plain_scan
root = Root(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
with Index.open(root, examine) as index:
    for number in range(int(sys.argv[3])):
        name = root.author_dir(ALICE) / f"{sys.argv[2]}-{number}.pgp"
        name.write_bytes(b"r1\\n%d" % number)
        index.refresh()
        entry = index.entry(ALICE, name.name)
        assert entry is not None and entry.size == len(name.read_bytes())
"""


@pytest.mark.parametrize("harm", [None, lose_everything, overwrite])
def test_several_processes_keep_it_at_once(
    harm: Callable[[Root], None] | None, root: Root, alice: Path, index: Index
) -> None:
    fill(alice, 500)
    running = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", _PROCESS, str(root.path), str(number), "25"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
        )
        for number in range(3)
    ]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for _ in range(5):
        index.refresh()
        if harm:
            try:
                harm(root)
            except (OSError, StopIteration):
                continue  # another process was just beginning anew
    for process in running:
        process.communicate(timeout=50)
        assert process.returncode == 0
    index.refresh()
    assert indexed(index, ALICE) == plain_scan(root, ALICE)
    entries = list(index.entries(ALICE))
    assert len(entries) == 575
    assert len({entry.clock for entry in entries}) == 575
    assert len(index.after(ALICE, [b"r1"], 0, 1000).entries) == 575


def test_a_killed_process_leaves_it_usable(root: Root, alice: Path, index: Index) -> None:
    fill(alice, 3000)
    code = (
        "import sys; from pathlib import Path; from mau.tree.layout import Root\n"
        "from mau.tree.index import Index\n"
        "from tests.tree.index.world import examine\n"
        "print('ready', flush=True); Index.open(Root(Path(sys.argv[1])), examine).refresh()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(root.path)], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        with Index.open(root, examine) as other:  # as soon as it has noted something
            while (
                other._store.run(
                    lambda tables: tables.execute("SELECT count(*) FROM file").fetchone()[0], write=False
                )[1]
                == 0
            ):
                pass
        process.kill()
    index.refresh()
    assert indexed(index, ALICE) == plain_scan(root, ALICE)


def test_threads_share_one(root: Root, alice: Path, index: Index) -> None:
    fill(alice, 200)
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(10):
                (alice / f"thread-{number}-{turn}.pgp").write_bytes(b"r1\n%d" % turn)
                index.refresh(ALICE)
                assert index.entry(ALICE, f"thread-{number}-{turn}.pgp")
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert indexed(index, ALICE) == plain_scan(root, ALICE)


def test_a_thread_that_ended_leaves_no_connection(index: Index) -> None:
    def opened() -> int:
        count = 0
        for path in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                count += "/.index/" in str(path.readlink())
        return count

    index.refresh()
    before = opened()
    for _ in range(20):
        thread = threading.Thread(target=index.refresh)
        thread.start()
        thread.join()
    assert opened() <= before + 2  # SQLite keeps a few for the next one


# --- put back by hand --------------------------------------------------------------------------------------


def by_tar(kept: Path, root: Root) -> None:
    subprocess.run(["tar", "-C", str(root.path), "-xf", str(kept / "tree.tar")], check=True)


def by_copy(kept: Path, root: Root) -> None:
    subprocess.run(["cp", "-a", f"{kept}/Mau/.", str(root.path)], check=True)


def as_rsync_does(kept: Path, root: Root) -> None:
    """Files of another size or time only, each beside its place and then renamed."""
    for source in sorted((kept / "Mau").rglob("*")):
        target = root.path / source.relative_to(kept / "Mau")
        if source.is_file():
            new, old = source.stat(), target.stat() if target.exists() else None
            if old is None or (new.st_size, new.st_mtime_ns) != (old.st_size, old.st_mtime_ns):
                shutil.copy2(source, target.with_name(target.name + ".~tmp"))
                target.with_name(target.name + ".~tmp").rename(target)
    for target in sorted(root.path.rglob("*")):  # --delete
        if target.is_file() and not (kept / "Mau" / target.relative_to(root.path)).exists():
            target.unlink()


@pytest.mark.parametrize("put_back", [by_tar, by_copy, as_rsync_does])
@pytest.mark.parametrize("running", [True, False])
def test_a_copy_of_the_whole_tree_that_is_put_over_it_hides_nothing(
    root: Root, alice: Path, tmp_path: Path, put_back: Callable[[Path, Root], None], running: bool
) -> None:
    """Who followed up to then is told to begin anew, and what is older again is not passed over."""
    (alice / "x.pgp").write_bytes(b"r1\nold")
    (alice / "gone.pgp").write_bytes(b"r1\ndeleted later")
    with Index.open(root, examine) as index:
        index.refresh()
    kept = tmp_path / "kept"
    kept.mkdir()
    subprocess.run(["cp", "-a", str(root.path), str(kept)], check=True)
    subprocess.run(["tar", "-C", str(root.path), "-cf", str(kept / "tree.tar"), "."], check=True)
    with Index.open(root, examine) as index:
        (alice / "x.pgp").write_bytes(b"r1\nnewer")
        (alice / "gone.pgp").unlink()
        index.refresh()
        seen = index.after(ALICE, [b"r1"], 0, 10)
        last = seen.entries[-1].clock
        if running:
            put_back(kept, root)
            index.refresh()
            now = index.after(ALICE, [b"r1"], last, 10)
    if not running:
        put_back(kept, root)
        with Index.open(root, examine) as index:
            index.refresh()
            now = index.after(ALICE, [b"r1"], last, 10)
    assert {entry.name for entry in now.entries} == {"x.pgp", "gone.pgp"}, "later than all before"


def test_of_many_who_begin_anew_at_once_one_does(root: Root, alice: Path) -> None:
    fill(alice, 3)
    with Index.open(root, examine) as index:
        index.refresh()
    (root.path / ".index" / "current").chmod(0o640)  # its status changed: it might be a copy
    words = """
import sys
from pathlib import Path
from mau.tree.index import Index
from mau.tree.layout import Root
from tests.tree.calls import At
from tests.tree.index.world import examine
with Index.open(Root(Path(sys.argv[1])), examine) as index:
    print(index.generation)
"""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", words, str(root.path)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    assert len({process.communicate(timeout=30)[0] for process in started}) == 1


class Between(At):
    """Before every call of the file system, and of SQLite."""

    def counts(self, frame: FrameType, event: str, called: Any) -> bool:
        connection = isinstance(getattr(called, "__self__", None), sqlite3.Connection)
        return (event == "c_call" and connection) or super().counts(frame, event, called)


@pytest.mark.parametrize("harm", [lose_everything, lose_the_database], ids=lambda harm: harm.__name__)
def test_whoever_asks_is_answered_when_it_is_deleted_while_it_is_begun_anew(
    harm: Callable[[Root], None], root: Root, alice: Path
) -> None:
    def lose() -> None:
        with contextlib.suppress(FileNotFoundError, StopIteration):
            harm(root)

    fill(alice, 1)
    number, calls = 0, 1
    with Index.open(root, examine) as index:
        while number < calls:
            number += 1
            lose_everything(root)
            with Between(number, lose) as at:
                assert index.generation
            calls = at.count
            index.refresh()
            assert indexed(index, ALICE) == plain_scan(root, ALICE)
    assert number > 50
