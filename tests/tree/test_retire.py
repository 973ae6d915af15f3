"""A post that is taken out of sight is a version of itself, whoever writes at the same moment (V8, V9)."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mau.errors import NoSuchPost, NotAFile, TreeChanged
from mau.fingerprint import Fingerprint
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir

ALICE = Fingerprint(b"a" * 20)
NAME = "x.pgp"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def posts(tmp_path: Path) -> AuthorDir:
    root = Root(tmp_path)
    root.ensure()
    return AuthorDir(root, ALICE, own=True)


def write(posts: AuthorDir, data: bytes, name: str = NAME) -> str:
    with posts.stage() as staged:
        staged.file.write(data)
        return posts.commit(staged, name).sha256


def held(posts: AuthorDir) -> set[str]:
    return {version.sha256 for version in posts.versions(NAME)}


def test_its_content_is_a_version_and_its_name_is_free(posts: AuthorDir) -> None:
    sums = {write(posts, b"a"), write(posts, b"b")}
    before = posts.entry(NAME)
    assert posts.retire(NAME, expect=sha(b"b")) == sha(b"b")
    assert (posts.entry(NAME), held(posts), posts.names()) == (None, sums, [])
    last = posts.versions(NAME)[-1]
    assert before is not None
    assert (last.sha256, last.mtime_ns) == (sha(b"b"), before.mtime_ns)
    assert posts.departed() == [NAME]
    assert posts.shadow(NAME) is None
    write(posts, b"c")
    assert posts.departed() == []
    assert held(posts) == sums


def test_what_is_not_there_or_not_as_expected_stays(posts: AuthorDir) -> None:
    with pytest.raises(NoSuchPost):
        posts.retire(NAME)
    write(posts, b"a")
    with pytest.raises(TreeChanged):
        posts.retire(NAME, expect=sha(b"b"))
    assert (posts.sha256(NAME), held(posts)) == (sha(b"a"), set())
    (posts.path / "link.pgp").symlink_to(posts.path / NAME)
    with pytest.raises(NotAFile):
        posts.retire("link.pgp")


def test_an_edit_by_hand_leaves_both(posts: AuthorDir) -> None:
    write(posts, b"a")
    (posts.path / NAME).write_bytes(b"by hand")
    posts.retire(NAME)
    assert held(posts) == {sha(b"a"), sha(b"by hand")}


def test_nothing_is_lost_while_others_write(posts: AuthorDir) -> None:
    """Another program replaces the post all the time and knows no lock."""
    written = {write(posts, b"first")}
    ended = threading.Event()

    def replace() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            data = b"%d" % number
            beside = posts.path / f"draft{number % 2}"
            beside.write_bytes(data)
            written.add(sha(data))
            beside.rename(posts.path / NAME)

    other = threading.Thread(target=replace)
    other.start()
    try:
        retired = set()
        while len(retired) < 30:
            try:
                retired.add(posts.retire(NAME))
            except (NoSuchPost, TreeChanged):
                continue
    finally:
        ended.set()
        other.join()
    posts.recover()
    assert held(posts) <= written
    assert retired <= held(posts)
    assert list(posts.path.glob(".mau-*")) == []


RETIRE = """
import sys
from pathlib import Path
from mau.fingerprint import Fingerprint
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir
posts = AuthorDir(Root(Path(sys.argv[1])), Fingerprint(b"a" * 20), own=True)
print(flush=True)
for number in range(100):
    posts.retire(f"{number}.pgp")
"""


def test_a_kill_at_any_moment_loses_nothing(posts: AuthorDir) -> None:
    sums = {f"{number}.pgp": write(posts, b"%d" % number, f"{number}.pgp") for number in range(100)}
    process = subprocess.Popen(
        [sys.executable, "-c", RETIRE, str(posts.root.path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    while len(posts.names()) > 70 and process.poll() is None:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    posts.recover()
    for name, sha256 in sums.items():
        current = {posts.sha256(name)} if posts.entry(name) else set()
        assert sha256 in current | {version.sha256 for version in posts.versions(name)}
    assert list(posts.path.glob(".mau-*")) == []


def test_single_versions_are_dropped_and_nothing_else(posts: AuthorDir) -> None:
    for data in (b"a", b"b", b"c"):
        write(posts, data)
        write(posts, data, "other.pgp")
    bare = posts.path / f"{NAME}.versions" / sha(b"d")
    bare.write_bytes(b"d")
    assert posts.drop_versions(NAME, [sha(b"a"), sha(b"d"), sha(b"never held")]) == 2
    assert (held(posts), posts.sha256(NAME)) == ({sha(b"b")}, sha(b"c"))
    assert posts.drop_versions(NAME, [sha(b"b"), sha(b"c")]) == 1
    assert not (posts.path / f"{NAME}.versions").exists()
    assert len(posts.versions("other.pgp")) == 2
    assert posts.drop_versions(NAME, [sha(b"b")]) == 0
