"""A file is read again when anything about it changed, and not otherwise."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from mau.fingerprint import Fingerprint
from mau.syncer.state import State
from mau.syncer.sums import Sums
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir, Entry

ALICE = Fingerprint(b"a" * 20)


@pytest.fixture
def posts(tmp_path: Path) -> AuthorDir:
    posts = AuthorDir(Root(tmp_path), ALICE)
    posts.path.mkdir()
    (posts.path / "x.pgp").write_bytes(b"one")
    return posts


def entry(posts: AuthorDir) -> Entry:
    found = posts.entry("x.pgp")
    assert found is not None
    return found


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_what_is_known_is_not_read(posts: AuthorDir) -> None:
    now = entry(posts)
    stamp = (now.dev, now.ino, now.size, now.mtime_ns, now.ctime_ns)
    sums = Sums(posts, {"x.pgp": (stamp, "known")})
    assert sums.of(now) == "known"
    assert sums.learned == {}


def test_any_write_is_noticed(posts: AuthorDir) -> None:
    before = entry(posts)
    known = {"x.pgp": ((before.dev, before.ino, before.size, before.mtime_ns, before.ctime_ns), "known")}
    (posts.path / "x.pgp").write_bytes(b"two")
    os.utime(posts.path / "x.pgp", ns=(before.mtime_ns, before.mtime_ns))
    after = entry(posts)
    if after.ctime_ns != before.ctime_ns:  # else both writes fell into one tick of the clock
        assert Sums(posts, known).of(after) == sha256(b"two")


def test_what_changed_just_now_is_not_remembered(posts: AuthorDir) -> None:
    sums = Sums(posts, {})
    assert sums.of(entry(posts)) == sha256(b"one")
    assert sums.learned == {}


def test_what_was_learned_is_remembered(posts: AuthorDir, tmp_path: Path) -> None:
    state = State(Root(tmp_path))
    learned = {"x.pgp": ((1, 2**62, 3, 2**62, 5), "a" * 64)}
    state.learn_sums(ALICE, learned)
    assert state.sums(ALICE) == learned
    assert state.sums(Fingerprint(b"b" * 20)) == {}
    state.close()
