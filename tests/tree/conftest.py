"""What the tests of the tree share: a root in a temporary directory, and short ways to write and look."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mau.fingerprint import Fingerprint
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir, Committed

FPR = Fingerprint(bytes(range(20)))


@pytest.fixture
def fpr() -> Fingerprint:
    return FPR


@pytest.fixture
def root(tmp_path: Path) -> Root:
    found = Root(tmp_path / "Mau")
    found.ensure()
    return found


@pytest.fixture
def own(root: Root) -> AuthorDir:
    """My own directory: with shadows."""
    root.follow(FPR)
    return AuthorDir(root, FPR, own=True)


@pytest.fixture
def other(root: Root) -> AuthorDir:
    """The directory of somebody I follow."""
    fpr = Fingerprint(b"\xee" * 20)
    root.follow(fpr)
    return AuthorDir(root, fpr)


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory where there is one: for thousands of writes that nobody unplugs."""
    memory = Path("/dev/shm")  # noqa: S108 - a name of our own is made in it
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="mau-test-", dir=memory) as made:
        yield Path(made)


Put = Callable[..., Committed]


@pytest.fixture
def put() -> Put:
    def write(directory: AuthorDir, name: str, data: bytes, **options: str | None) -> Committed:
        with directory.stage() as staged:
            staged.file.write(data)
            return directory.commit(staged, name, **options)

    return write


@pytest.fixture
def contents() -> Callable[[AuthorDir, str], list[bytes]]:
    """All contents of a post, oldest first, the current one last; each version is what its name says."""

    def read(directory: AuthorDir, name: str) -> list[bytes]:
        found = []
        for version in directory.versions(name):
            with directory.open_version(name, version.sha256) as file:
                found.append(file.read())
            assert hashlib.sha256(found[-1]).hexdigest() == version.sha256
            assert len(found[-1]) == version.size
        if directory.entry(name):
            with directory.open(name) as file:
                found.append(file.read())
        return found

    return read


@pytest.fixture
def stray() -> Callable[[AuthorDir], list[str]]:
    """What lies in a directory besides posts and their versions."""

    def look(directory: AuthorDir) -> list[str]:
        names = {entry.name for entry in directory.entries()}
        versions = {f"{name}.versions" for name in names}
        return sorted(path.name for path in directory.path.iterdir() if path.name not in names | versions)

    return look
