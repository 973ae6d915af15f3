"""A restore that is killed anywhere leaves a whole tree; the next one finishes it (spec/backup.md B36)."""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mau.account import Account
from mau.backup.archive import open_archive
from mau.backup.report import Restored
from mau.backup.restoring import restore, restore_account
from mau.backup.taking import back_up
from mau.backup.target import archive_file
from mau.content.binding import PUBLIC
from mau.keyring import Keyring
from mau.publish import publish_document
from mau.reader.open import open_post
from mau.tree.layout import Root
from tests.backup.handmade import held, taken
from tests.publish.world import PASSPHRASE, World

CALLS = Path(__file__).parents[1] / "tree" / "calls.py"


def put_back(root: Root, archive: Path) -> Account:
    """As `mau restore` does, whether there is an account or not."""
    restored = Restored()
    with archive.open("rb") as file:
        opened = open_archive(file, restored)
        fresh = not root.account_file.exists()
        if fresh:
            account = restore_account(root, opened, PASSPHRASE)
        else:
            account = Account.open(root, PASSPHRASE)
        restore(account, opened, restored, passphrase=PASSPHRASE, fresh=fresh)
    assert not restored.count("refused")
    return account


def take(root: Root, archive: Path) -> None:
    """As `mau backup` does."""
    with archive_file(root, archive, force=True) as out:
        back_up(root, out)


def main(word: str, archive: str, path: str, number: str) -> None:
    """Restore, or back up, and die at that file system call."""
    spec = importlib.util.spec_from_file_location("calls", CALLS)
    assert spec and spec.loader
    calls = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(calls)
    with calls.At(int(number), lambda: os.kill(os.getpid(), signal.SIGKILL)) as at:
        {"restore": put_back, "backup": take}[word](Root(Path(path)), Path(archive))
    print(at.count)


def run(archive: Path, path: Path, number: int, word: str = "restore") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.backup.test_killed", word, str(archive), str(path), str(number)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "kills", [pytest.param(4), pytest.param(120, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
@pytest.mark.parametrize("living", [False, True], ids=["empty", "living"])
def test_a_killed_restore_leaves_a_whole_tree_and_the_next_one_finishes(
    world: World, tmp_path: Path, kills: int, living: bool
) -> None:
    alice = world.alice
    root = alice.account.root
    for number in range(3):
        for name in ("a.json.pgp", "b.json.pgp"):
            publish_document(alice.account, alice.keyring, {"number": number}, name, PUBLIC)
    publish_document(world.bob.account, world.bob.keyring, {}, "his.json.pgp", PUBLIC)
    alice.fetch(world.bob, "his.json.pgp")
    (alice.place(alice) / "draft").write_text("draft")
    archive = tmp_path / "b.tar"
    archive.write_bytes(taken(alice))
    whole = held(root)
    start: dict[str, bytes] = {}
    if living:  # it went on, and lost some
        publish_document(alice.account, alice.keyring, {"number": 9}, "a.json.pgp", PUBLIC)
        (root.author_dir(world.bob.fpr) / "his.json.pgp").unlink()
        (alice.place(alice) / "b.json.pgp").unlink()
        start = held(root)

    def begin(path: Path) -> None:
        for name, data in start.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)

    begin(tmp_path / "counted")
    counted = run(archive, tmp_path / "counted", 0)
    assert counted.returncode == 0, counted.stderr
    expected = held(Root(tmp_path / "counted"))
    assert set(expected) >= set(whole)
    seeded = random.Random(f"{kills} {living}")
    points = sorted(seeded.sample(range(1, int(counted.stdout)), kills))
    for point in points:
        path = tmp_path / f"killed-{point}"
        begin(path)
        done = run(archive, path, point)
        assert done.returncode == -signal.SIGKILL, (point, done.stderr)
        left = Root(path)
        if left.account_file.exists():
            account = Account.open(left, PASSPHRASE)
            keyring = Keyring.load(account, suspect=True)
            for author, hidden in left.authors():
                place = left.hidden_dir(author) if hidden else left.author_dir(author)
                for post in place.glob("*.pgp"):
                    assert open_post(account, keyring, author, post.name), point
        found = held(left)
        for name, data in start.items():
            if name.endswith("draft") or ".versions/" in name:
                assert found[name] == data, "nothing that was there is lost"
        put_back(left, archive)
        assert held(left) == expected, point


@pytest.mark.parametrize(
    "kills", [pytest.param(3), pytest.param(60, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
)
def test_a_killed_backup_is_not_there_or_whole(world: World, tmp_path: Path, kills: int) -> None:
    alice = world.alice
    for name in ("a.json.pgp", "b.json.pgp"):
        publish_document(alice.account, alice.keyring, {}, name, PUBLIC)
    path = alice.account.root.path
    archive = tmp_path / "b.tar"
    counted = run(archive, path, 0, "backup")
    assert counted.returncode == 0, counted.stderr
    whole = archive.read_bytes()
    seeded = random.Random(kills)
    for point in sorted(seeded.sample(range(1, int(counted.stdout)), kills)):
        archive.write_bytes(b"the one before")
        assert run(archive, path, point, "backup").returncode == -signal.SIGKILL
        assert archive.read_bytes() in (b"the one before", whole), point
    take(alice.account.root, archive)
    assert archive.read_bytes() == whole
    assert not list(tmp_path.glob(".mau-*"))


if __name__ == "__main__":
    main(*sys.argv[1:])
