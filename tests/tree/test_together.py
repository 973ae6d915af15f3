"""Several programs at the same name: nothing that was committed is lost (spec/tree.md K, W5, W6)."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from mau.errors import NotAFile
from mau.tree import rename
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir, Committed

Put = Callable[..., Committed]
Contents = Callable[[AuthorDir, str], list[bytes]]
Stray = Callable[[AuthorDir], list[str]]
HERE = Path(__file__).parent


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"mau_tree_{name}", HERE / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


calls = _load("calls")


@pytest.fixture
def root(quick_path: Path) -> Root:
    found = Root(quick_path / "Mau")
    found.ensure()
    return found


@pytest.fixture(params=["swap", "plain"])
def renames(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the renames of the kernel, and as on a system whose C library lacks them."""
    if request.param == "plain":
        monkeypatch.setattr(rename, "_NAMES", ("no_such_function", 0, 0))
        rename._library.cache_clear()
        monkeypatch.setattr(rename, "_library", rename._library.__wrapped__)
    return str(request.param)


@pytest.mark.parametrize(("writers", "names", "whose"), [(2, 1, "own"), (4, 1, "other"), (4, 3, "own")])
def test_processes_that_write_the_same_name_lose_nothing(
    writers: int, names: int, whose: str, own: AuthorDir, contents: Contents, stray: Stray
) -> None:
    times = 60
    arguments = [str(times), str(names), whose]
    running = [
        subprocess.Popen(
            [
                sys.executable,
                "-W",
                "error",
                str(HERE / "writer.py"),
                str(own.root.path),
                f"writer-{number}",
                *arguments,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(writers)
    ]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for _ in range(20):  # a worker that starts meanwhile
        own.recover()
    committed: dict[str, set[str]] = {}
    replaced: dict[str, list[str]] = {}
    for process in running:
        out, _ = process.communicate(timeout=50)
        assert process.returncode == 0
        for line in out.splitlines():
            name, sha256, before = line.split()
            committed.setdefault(name, set()).add(sha256)
            replaced.setdefault(name, []).append(before)
    assert sum(len(each) for each in committed.values()) == writers * times
    for name, sums in committed.items():
        held = [hashlib.sha256(data).hexdigest() for data in contents(own, name)]
        assert len(held) == len(set(held))
        assert set(held) == sums, "each content is the current one or a version"
        assert sorted(replaced[name]) == sorted({"None", *sums} - {own.sha256(name)}), (
            "each was replaced once"
        )
    assert stray(own) == []


def test_threads_that_share_one_directory_lose_nothing(own: AuthorDir, put: Put, contents: Contents) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda number: put(own, "x.pgp", b"%d" % number), range(100)))
    assert {int(data) for data in contents(own, "x.pgp")} == set(range(100))
    assert len({each.replaced for each in done}) == 100


def foreign_move(directory: AuthorDir) -> None:
    """As an editor or `mv` does it: without our lock, without asking."""
    (directory.path / "foreign").write_bytes(b"foreign")
    (directory.path / "foreign").replace(directory.path / "x.pgp")


def foreign_edit(directory: AuthorDir) -> None:
    with (directory.path / "x.pgp").open("r+b") as file:
        file.write(b"foreign")
        file.truncate()


def foreign_create(directory: AuthorDir) -> None:
    if not (directory.path / "x.pgp").exists():
        (directory.path / "x.pgp").write_bytes(b"foreign")


def foreign_remove(directory: AuthorDir) -> None:
    (directory.path / "x.pgp").unlink(missing_ok=True)


def foreign_fifo(directory: AuthorDir) -> None:
    (directory.path / "x.pgp").unlink(missing_ok=True)
    os.mkfifo(directory.path / "x.pgp")


def foreign_link(directory: AuthorDir) -> None:
    (directory.path / "link").symlink_to("/etc/passwd")
    (directory.path / "link").replace(directory.path / "x.pgp")


def at_each_call(
    directory: AuthorDir, action: Callable[[AuthorDir], None], put: Put
) -> Callable[[int], bool]:
    def run(number: int) -> bool:
        """Commit, with the other program acting at that call; False when there were fewer calls."""
        with calls.At(number, lambda: action(directory)) as at:
            put(directory, "x.pgp", b"new")
        return bool(at.count >= number)

    return run


def fresh_directory(root: Root, number: int, own: bool) -> AuthorDir:
    fpr = calls.Fingerprint(number.to_bytes(20, "big"))
    root.follow(fpr)
    return AuthorDir(root, fpr, own=own)


@pytest.mark.parametrize("whose", ["own", "other"])
@pytest.mark.parametrize("action", [foreign_move, foreign_edit, foreign_create, foreign_remove])
@pytest.mark.parametrize("first", [True, False])
def test_another_program_may_act_at_any_moment(
    action: Callable[[AuthorDir], None],
    first: bool,
    whose: str,
    root: Root,
    put: Put,
    contents: Contents,
    stray: Stray,
    renames: str,
) -> None:
    if action is foreign_edit and first:
        return  # there is nothing to edit
    number, more = 0, True
    while more:
        number += 1
        directory = fresh_directory(root, number, whose == "own")
        if not first:
            put(directory, "x.pgp", b"old")
        more = at_each_call(directory, action, put)(number)
        acted = action is not foreign_create or b"foreign" in contents(directory, "x.pgp")
        found = contents(directory, "x.pgp")
        if action is foreign_remove:
            assert set(found) <= {b"old", b"new"}
            assert found or first
        elif more and acted:
            # What was ours is lost only when it was overwritten in place before we ever looked at it.
            assert b"foreign" in found or (renames == "plain" and b"new" in found), number
        if whose == "own" and not first and action is not foreign_remove:
            directory.recover()
            assert b"old" in contents(directory, "x.pgp"), number
            assert b"new" in contents(directory, "x.pgp"), number
        assert stray(directory) in ([], ["x.pgp.versions"] if action is foreign_remove else []), number
    assert number > 15


@pytest.mark.parametrize("action", [foreign_fifo, foreign_link])
def test_what_appears_meanwhile_is_not_written_through(
    action: Callable[[AuthorDir], None], root: Root, put: Put, contents: Contents
) -> None:
    number, more = 0, True
    refused = 0
    while more:
        number += 1
        directory = fresh_directory(root, number, own=False)
        put(directory, "x.pgp", b"old")
        try:
            more = at_each_call(directory, action, put)(number)
        except NotAFile:
            refused += 1
        left = [path.name for path in directory.path.iterdir() if path.name.startswith(".")]
        assert left == [], number
        (directory.path / "x.pgp").unlink()
        assert all(data in (b"old", b"new") for data in contents(directory, "x.pgp"))
    assert refused > 5


def test_the_lock_is_held_by_one_process_at_a_time(own: AuthorDir, put: Put) -> None:
    code = (
        "import os, sys; from mau.tree.lock import locked; fd = os.open(sys.argv[1], os.O_RDONLY)\n"
        "with locked(fd): print('held', flush=True); sys.stdin.readline(); print('free', flush=True)"
    )
    command = [sys.executable, "-c", code, str(own.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stdout.readline() == "held\n"
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(put, own, "x.pgp", b"one")
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.2)
            assert own.names() == [], "reading needs no lock"
            holder.stdin.write("go\n")
            holder.stdin.flush()
            assert waiting.result(timeout=10).replaced is None


def test_where_directories_cannot_be_locked_a_file_is(
    own: AuthorDir, put: Put, monkeypatch: pytest.MonkeyPatch, contents: Contents
) -> None:
    import errno
    import fcntl
    import stat

    true_flock = fcntl.flock

    def as_on_nfs(fd: int, operation: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(errno.EBADF, "not here")
        true_flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", as_on_nfs)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: put(own, "x.pgp", b"%d" % number), range(30)))
    assert {int(data) for data in contents(own, "x.pgp")} == set(range(30))
    assert [entry.name for entry in own.entries()] == ["x.pgp"]
