"""A process killed at any point of its writes leaves the old or the new content (spec/tree.md W4, R)."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from mau.tree.layout import Root
from mau.tree.posts import AuthorDir
from mau.tree.recovery import recover_root

SCRIPT = Path(__file__).with_name("calls.py")
Contents = Callable[[AuthorDir, str], list[bytes]]
Stray = Callable[[AuthorDir], list[str]]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mau_tree_calls", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


calls = _load()
NAME: str = calls.NAME
FPR = calls.FPR


def kill_everywhere(word: str, base: Path, renames: str = "swap") -> Iterator[tuple[Root, bool]]:
    """Every tree that a killed process left, and whether that process came to its end."""
    command = [sys.executable, "-W", "error", str(SCRIPT), word, str(base), renames]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr
    points = sorted(int(path.name) for path in base.iterdir() if path.name != "warm")
    for number in points:
        yield Root(base / str(number)), number == points[-1]
        shutil.rmtree(base / str(number))


SCENARIOS = [
    ("first-small-own", "swap", 20),
    ("first-small-other", "swap", 15),
    ("first-large-other", "swap", 15),
    ("first-small-own", "plain", 20),
    ("replace-small-own", "swap", 50),
    ("replace-medium-own", "swap", 50),
    ("replace-large-other", "swap", 40),
    ("replace-small-other", "plain", 35),
    ("again-small-own", "swap", 50),
    ("edited-small-own", "swap", 55),
    ("edited-large-other", "swap", 40),
    ("edited-small-own", "plain", 50),
]


@pytest.mark.parametrize(("word", "renames", "least"), SCENARIOS, ids=str)
def test_the_old_or_the_new_content_is_there_and_nothing_is_lost(
    word: str, renames: str, least: int, quick_path: Path, contents: Contents, stray: Stray
) -> None:
    kind, size, whose = word.split("-")
    new, old, hand = (calls.content(what, size) for what in ("new", "old", "hand"))
    before = {"first": [], "replace": [old], "again": [new, old], "edited": [hand]}[kind]
    if kind == "edited" and whose == "own":
        before = [old, hand]
    points = states = 0
    for root, finished in kill_everywhere(word, quick_path, renames):
        points += 1
        directory = AuthorDir(root, FPR, own=whose == "own")
        found = contents(directory, NAME)
        current = found[-1] if found else None
        assert current in (new, before[-1] if before else None), "the old or the new content, never a part"
        assert {entry.name for entry in directory.entries()} <= {NAME}, "nothing stray is shown"
        if kind != "edited" or whose == "other" or current == new:
            assert set(before) <= set(found), "what was there is still there, the moment after"
        assert finished <= (current == new)
        states += current == new

        recover_root(root)
        directory.recover()
        assert stray(directory) == []
        found = contents(directory, NAME)
        assert (found[-1] if found else None) == current
        assert set(before) <= set(found) <= {*before, new}
        if kind != "again":
            assert len(found) == len(set(found)), "the current content is no version of itself"
        calls.put(directory, new)
        assert set(contents(directory, NAME)) == {*before, new}
        if kind != "again":
            (directory.path / NAME).write_bytes(b"edited in place")
            assert set(contents(directory, NAME)[:-1]) == set(before), "no version is the file itself"
    assert points > least, "as many points as there are calls"
    assert states < points


@pytest.mark.parametrize("word", ["replace-small-own", "edited-small-other"])
def test_the_next_write_needs_no_recovery(word: str, quick_path: Path, contents: Contents) -> None:
    old = calls.content("old" if word.startswith("replace") else "hand", "small")
    for root, _ in kill_everywhere(word, quick_path):
        directory = AuthorDir(root, FPR, own=word.endswith("own"))
        calls.put(directory, b"third")
        found = contents(directory, NAME)
        assert found[-1] == b"third"
        assert old in found


def test_a_killed_delete_is_done_or_can_be_done_again(quick_path: Path, stray: Stray) -> None:
    for root, finished in kill_everywhere("remove-small-own", quick_path):
        directory = AuthorDir(root, FPR, own=True)
        if finished:
            assert list(directory.path.iterdir()) == []
        directory.recover()
        if directory.entry(NAME) or directory.versions(NAME):
            directory.remove(NAME)
        assert list(directory.path.iterdir()) == []
        assert list((root.path / ".shadow" / FPR.hex).iterdir()) == []


def test_a_killed_merge_goes_on_where_it_was(quick_path: Path, contents: Contents) -> None:
    new, old, hand = (calls.content(what, "small") for what in ("new", "old", "hand"))
    points = 0
    for root, _ in kill_everywhere("merge-small-other", quick_path):
        points += 1
        root.follow(FPR)
        assert root.authors() == [(FPR, False)]
        directory = AuthorDir(root, FPR)
        assert contents(directory, NAME)[-1] == new
        assert set(contents(directory, NAME)) == {new, old, hand}
        assert [entry.name for entry in directory.entries()] == ["hidden.pgp", "shown.pgp", NAME]
    assert points > 50


def test_of_a_killed_batch_each_post_is_there_or_not(
    quick_path: Path, contents: Contents, stray: Stray
) -> None:
    new, old = (calls.content(what, "small") for what in ("new", "old"))
    points = 0
    for root, finished in kill_everywhere("many-small-other", quick_path):
        points += 1
        directory = AuthorDir(root, FPR)
        directory.recover()
        found = {name: contents(directory, name) for name in directory.names()}
        assert found.pop(NAME) in ([old], [old, new])
        assert set(found) <= {"a.pgp", "b.pgp"}
        assert all(held == [new] for held in found.values())
        assert stray(directory) == []
        assert finished <= (len(found) == 2)
    assert points > 50


@pytest.mark.parametrize("renames", ["swap", "plain"])
def test_of_new_files_that_were_killed_each_is_there_or_not(
    renames: str, quick_path: Path, contents: Contents, stray: Stray
) -> None:
    new, old = (calls.content(what, "small") for what in ("new", "old"))
    points, counts = 0, set()
    for root, finished in kill_everywhere("place-small-other", quick_path, renames):
        points += 1
        directory = AuthorDir(root, FPR)
        found = {name: contents(directory, name) for name in directory.names()}
        assert found.pop(NAME) == [old]
        assert set(found) <= {"a.pgp", "b.pgp", "c.pgp"}
        assert all(held == [new] for held in found.values()), "a name shows all of the content"
        assert finished <= (len(found) == 3)
        counts.add(len(found))
        directory.recover()
        assert stray(directory) == []
        assert len(directory.names()) == len(found) + 1
    assert points > 25
    assert counts == {0, 1, 2, 3}


def test_a_killed_recovery_is_done_again(quick_path: Path, contents: Contents, stray: Stray) -> None:
    what = {word: calls.content(word, "small") for word in ("old", "new", "swapped", "first", "hand")}
    points = 0
    for root, finished in kill_everywhere("recover-small-own", quick_path):
        points += 1
        directory = AuthorDir(root, FPR, own=True)
        assert contents(directory, NAME)[-1] == what["new"]
        if not finished:
            recover_root(root)
            directory.recover()
        found = contents(directory, NAME)
        assert len(found) == 3
        assert set(found) == {what["old"], what["swapped"], what["new"]}
        assert contents(directory, "edited.pgp") == [what["first"], what["hand"]]
        assert stray(directory) == []
        assert list(root.path.glob(".mau-*")) == []
    assert points > 50


@pytest.mark.parametrize("size", ["small", "large"])
def test_the_account_file_is_the_old_or_the_new_one(size: str, quick_path: Path) -> None:
    contents = {hashlib.sha256(calls.content(what, size)).digest() for what in ("old", "new")}
    for root, _ in kill_everywhere(f"account-{size}-own", quick_path):
        assert hashlib.sha256(root.account_file.read_bytes()).digest() in contents
        assert [path.name for path in root.mau.iterdir()] == ["account.pgp"]
        recover_root(root)
        assert sorted(p.name for p in root.path.iterdir()) in (
            [".mau", FPR.hex],
            [".mau", ".shadow", FPR.hex],
        )
