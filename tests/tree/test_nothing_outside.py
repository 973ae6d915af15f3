"""Whatever a name is and whatever lies in the way: nothing is read or written elsewhere (spec/tree.md S)."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mau.errors import InvalidName, MauError, NotAFile
from mau.fingerprint import Fingerprint
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir, Committed
from mau.tree.shadow import LIMIT

FPR = Fingerprint(b"\xaa" * 20)
SECRET = b"not for anyone"

PIECES = [
    "..",
    ".",
    "/",
    "\\",
    "\0",
    "x",
    ".pgp",
    ".versions",
    ".pgp.versions",
    ".mau",
    "account.pgp",
    FPR.hex,
]
PIECES += ["secret", "\n", "\x7f", "\u0301", "é", "É", "\ud800", "~", "*", "%2f", "%00", ".tmp"]
PIECES += [".mau-0123456789abcdef.tmp"]
pieces = st.sampled_from(PIECES)
names = st.one_of(
    st.lists(pieces, max_size=6).map("".join),
    st.lists(pieces, max_size=6).map(lambda parts: "".join(parts) + ".pgp"),
    st.text(st.characters(codec=None), max_size=12).map(lambda text: text + ".pgp"),
    st.integers(230, 300).map(lambda size: "x" * size + ".pgp"),
    st.integers(100, 140).map(lambda size: "é" * size + ".pgp"),
)


def lay_out(base: Path) -> Root:
    root = Root(base / "Mau")
    root.ensure()
    root.follow(FPR)
    root.follow(Fingerprint(b"\xbb" * 20))
    for path in (base / "secret", base / "secret.pgp", root.path / "secret.pgp", root.account_file):
        path.write_bytes(SECRET)
    (root.author_dir(Fingerprint(b"\xbb" * 20)) / "x.pgp").write_bytes(SECRET)
    return root


def outside(base: Path, directory: AuthorDir) -> dict[str, tuple[int, int, bytes | None]]:
    """Everything below `base` but the author's directory and his shadows."""
    found = {}
    for path in base.rglob("*"):
        if directory.path in (path, *path.parents) or ".shadow" in path.parts:
            continue
        info = path.lstat()
        found[str(path)] = (info.st_ino, info.st_mode, path.read_bytes() if path.is_file() else None)
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(names, min_size=1, max_size=4))
def test_no_name_leads_out_of_the_directory(words: list[str]) -> None:
    with tempfile.TemporaryDirectory() as base:
        root = lay_out(Path(base))
        directory = AuthorDir(root, FPR, own=True)
        before = outside(Path(base), directory)
        for word in words:
            for data in (b"one", b"two"):
                with contextlib.suppress(MauError), directory.stage() as staged:
                    staged.file.write(data)
                    directory.commit(staged, word)
            for call in (directory.entry, directory.sha256, directory.versions):
                with contextlib.suppress(MauError):
                    call(word)
            with contextlib.suppress(MauError), directory.open(word) as file:
                assert file.read() != SECRET
            for sha256 in (word, "../" * 3 + word):
                with pytest.raises(MauError):
                    directory.open_version(word, sha256)
        held = {path.name for path in directory.path.iterdir()}
        names_held = {entry.name for entry in directory.entries()}
        assert held == names_held | {f"{name}.versions" for name in names_held}
        for word in words:
            with contextlib.suppress(MauError):
                directory.remove(word)
        assert outside(Path(base), directory) == before
        assert list(directory.path.iterdir()) == []


def put(directory: AuthorDir, name: str, data: bytes) -> Committed:
    with directory.stage() as staged:
        staged.file.write(data)
        return directory.commit(staged, name)


def make_fifo(path: Path, _: Path) -> None:
    os.mkfifo(path)


OBSTACLES: dict[str, Callable[[Path, Path], None]] = {
    "link": lambda path, secret: path.symlink_to(secret),
    "dangling link": lambda path, secret: path.symlink_to(secret.parent / "new"),
    "link to a directory": lambda path, secret: path.symlink_to(secret.parent),
    "fifo": make_fifo,
    "directory": lambda path, _: path.mkdir(),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize("place", ["post", "versions", "version", "shadow", "small", "shadows"])
def test_what_lies_in_the_way_is_neither_followed_nor_written_through(
    obstacle: str, place: str, tmp_path: Path
) -> None:
    root = lay_out(tmp_path)
    directory = AuthorDir(root, FPR, own=True)
    versions = directory.path / "x.pgp.versions"
    put(directory, "y.pgp", b"y")
    long = bytes(LIMIT) if place == "shadow" else b""
    if place != "post":
        put(directory, "x.pgp", long + b"one")
    if place == "version":
        versions.mkdir()
    path = {
        "post": directory.path / "x.pgp",
        "versions": versions,
        "version": versions / "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed.pgp",
        "shadow": root.path / ".shadow" / FPR.hex / "x.pgp",
        "small": root.path / ".shadow" / "small.sqlite",
        "shadows": root.path / ".shadow",
    }[place]
    if place in ("shadow", "small"):
        path.unlink()
    if place == "shadows":
        path.rename(tmp_path / "moved")
    OBSTACLES[obstacle](path, tmp_path / "secret")
    before = outside(tmp_path, directory)
    harmless = place in ("shadow", "small") or (obstacle == "directory" and place in ("versions", "shadows"))
    with contextlib.nullcontext() if harmless else pytest.raises(NotAFile):
        put(directory, "x.pgp", long + b"two")
    if place == "post":
        for call in (directory.open, directory.entry, directory.sha256, directory.remove):
            with pytest.raises(NotAFile):
                call("x.pgp")
        assert directory.names() == ["y.pgp"]
    with contextlib.suppress(NotAFile):
        directory.recover()
    after = outside(tmp_path, directory)
    assert after == before
    assert (tmp_path / "secret").read_bytes() == SECRET


def test_a_linked_author_directory_is_not_entered(tmp_path: Path) -> None:
    root = lay_out(tmp_path)
    fpr = Fingerprint(b"\xcc" * 20)
    for path in (root.author_dir(fpr), root.hidden_dir(fpr)):
        path.symlink_to(root.author_dir(Fingerprint(b"\xbb" * 20)))
    for hidden in (False, True):
        directory = AuthorDir(root, fpr, hidden=hidden)
        for call in (
            directory.entries,
            directory.names,
            directory.stage,
            directory.recover,
            lambda found=directory: found.open("x.pgp"),
            lambda found=directory: found.remove("x.pgp"),
            lambda found=directory: found.versions("x.pgp"),
        ):
            with pytest.raises(NotAFile):
                call()


def test_names_with_surrogates_in_the_directory_are_passed_over(tmp_path: Path) -> None:
    root = lay_out(tmp_path)
    directory = AuthorDir(root, FPR)
    (directory.path / os.fsdecode(b"\xff\xfe.pgp")).write_bytes(b"not UTF-8")
    assert directory.entries() == []
    directory.recover()
    with pytest.raises(InvalidName):
        directory.open(os.fsdecode(b"\xff\xfe.pgp"))
