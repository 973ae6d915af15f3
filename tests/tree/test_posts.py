"""Listing, opening, committing and removing posts (spec/tree.md P, V, W)."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.errors import InvalidName, NoSuchPost, NotAFile, TreeChanged
from mau.fingerprint import Fingerprint
from mau.tree.layout import Root
from mau.tree.posts import ANY, AuthorDir, Committed, NewFile
from mau.tree.shadow import Shadows

Put = Callable[..., Committed]
Contents = Callable[[AuthorDir, str], list[bytes]]
Stray = Callable[[AuthorDir], list[str]]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_what_was_committed_is_listed_and_opens(own: AuthorDir, put: Put) -> None:
    assert put(own, "x.json.pgp", b"one") == Committed("x.json.pgp", sha(b"one"), 3, None)
    put(own, "b.pgp", b"")
    assert [(entry.name, entry.size) for entry in own.entries()] == [("b.pgp", 0), ("x.json.pgp", 3)]
    assert own.entry("x.json.pgp") == own.entries()[1]
    assert sorted(own.names()) == ["b.pgp", "x.json.pgp"]
    assert own.sha256("x.json.pgp") == sha(b"one")
    with own.open("x.json.pgp") as file:
        assert file.read() == b"one"
    path = own.path / "x.json.pgp"
    assert path.stat().st_mode & 0o777 == 0o600
    entry, found = own.entry("x.json.pgp"), path.stat()
    assert entry
    assert (entry.ino, entry.dev, entry.mtime_ns, entry.ctime_ns) == (
        found.st_ino,
        found.st_dev,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )


def test_the_old_content_becomes_a_version(
    own: AuthorDir, put: Put, contents: Contents, stray: Stray
) -> None:
    put(own, "x.pgp", b"one")
    assert put(own, "x.pgp", b"two").replaced == sha(b"one")
    assert put(own, "x.pgp", b"three").replaced == sha(b"two")
    assert contents(own, "x.pgp") == [b"one", b"two", b"three"]
    directory = own.path / "x.pgp.versions"
    assert {path.name for path in directory.iterdir()} == {f"{sha(data)}.pgp" for data in (b"one", b"two")}
    assert directory.stat().st_mode & 0o777 == 0o700
    assert stray(own) == []


def test_the_same_bytes_are_not_written_again(own: AuthorDir, put: Put, stray: Stray) -> None:
    put(own, "x.pgp", b"one")
    before = own.entry("x.pgp")
    assert put(own, "x.pgp", b"one") == Committed("x.pgp", sha(b"one"), 3, None, unchanged=True)
    assert own.entry("x.pgp") == before
    assert own.versions("x.pgp") == []
    assert stray(own) == []


def test_going_back_to_an_older_content(own: AuthorDir, put: Put, contents: Contents) -> None:
    for data in (b"one", b"two", b"one", b"two"):
        put(own, "x.pgp", data)
    assert set(contents(own, "x.pgp")) == {b"one", b"two"}


def test_many_are_committed_at_once_and_one_that_fails_stops_no_other(
    other: AuthorDir, put: Put, contents: Contents, stray: Stray
) -> None:
    put(other, "b.pgp", b"old")
    batch = []
    for name, data, expect in (
        ("a.pgp", b"a", ANY),
        ("../b", b"x", ANY),
        ("b.pgp", b"x", None),
        ("b.pgp", b"b", sha(b"old")),
        ("c.pgp", b"c", None),
    ):
        staged = other.stage()
        staged.file.write(data)
        batch.append((staged, name, expect))
    results = other.commit_many(batch)
    for staged, _, _ in batch:
        staged.close()
    assert [type(result) for result in results] == [Committed, InvalidName, TreeChanged, Committed, Committed]
    assert results[3] == Committed("b.pgp", sha(b"b"), 1, sha(b"old"))
    assert {name: contents(other, name)[-1] for name in other.names()} == {
        "a.pgp": b"a",
        "b.pgp": b"b",
        "c.pgp": b"c",
    }
    assert stray(other) == []
    assert other.commit_many([]) == []


def new_file(name: str, data: bytes) -> NewFile:
    return NewFile(name, data, sha(data))


def test_many_new_files_are_placed_at_once_and_one_that_fails_stops_no_other(
    other: AuthorDir, put: Put, contents: Contents, stray: Stray
) -> None:
    put(other, "held.pgp", b"old")
    put(other, "same.pgp", b"same")
    many = [new_file(f"{number}.pgp", b"%d" % number) for number in range(40)]
    others = [
        new_file("../b", b"x"),
        new_file("held.pgp", b"x"),
        new_file("same.pgp", b"same"),
        new_file("0.pgp", b"x"),
    ]
    results = other.place_new(many + others)
    assert results[:40] == [
        Committed(f"{number}.pgp", sha(one.data), len(one.data), None) for number, one in enumerate(many)
    ]
    assert [type(result) for result in results[40:]] == [InvalidName, TreeChanged, Committed, TreeChanged]
    assert results[42] == Committed("same.pgp", sha(b"same"), 4, None, unchanged=True)
    assert contents(other, "held.pgp") == [b"old"]
    assert {name: contents(other, name) for name in other.names() if name[0].isdigit()} == {
        one.name: [one.data] for one in many
    }
    assert stray(other) == []
    assert {path.stat().st_mode & 0o777 for path in other.path.glob("*.pgp")} == {0o600}
    assert other.place_new([]) == []


def test_new_files_make_no_directory(root: Root) -> None:
    missing = AuthorDir(root, Fingerprint(bytes(20)))
    with pytest.raises(TreeChanged):
        missing.place_new([new_file("x.pgp", b"x")])
    assert not missing.path.exists()


def test_a_link_in_the_place_of_a_new_file_stays(other: AuthorDir, put: Put, stray: Stray) -> None:
    put(other, "target.pgp", b"target")
    (other.path / "x.pgp").symlink_to("target.pgp")
    [result] = other.place_new([new_file("x.pgp", b"x")])
    assert isinstance(result, NotAFile)
    assert (other.path / "x.pgp").is_symlink()
    assert stray(other) == ["x.pgp"]


def test_expect_guards_against_what_others_did_meanwhile(
    own: AuthorDir, put: Put, contents: Contents
) -> None:
    assert put(own, "x.pgp", b"one", expect=None).replaced is None
    with pytest.raises(TreeChanged):
        put(own, "x.pgp", b"two", expect=None)
    with pytest.raises(TreeChanged):
        put(own, "x.pgp", b"two", expect=sha(b"other"))
    with pytest.raises(TreeChanged):
        put(own, "y.pgp", b"two", expect=sha(b"other"))
    assert contents(own, "x.pgp") == [b"one"]
    assert put(own, "x.pgp", b"two", expect=sha(b"one")).replaced == sha(b"one")
    put(own, "x.pgp", b"three", expect=ANY)


def test_both_spellings_of_a_version_are_read(own: AuthorDir, put: Put) -> None:
    put(own, "x.pgp", b"now")
    versions = own.path / "x.pgp.versions"
    versions.mkdir()
    (versions / sha(b"bare")).write_bytes(b"bare")
    (versions / f"{sha(b'with')}.pgp").write_bytes(b"with")
    for junk in ("x", f"{sha(b'u').upper()}.pgp", f".{sha(b'd')}.pgp", f"{sha(b'e')}.txt"):
        (versions / junk).write_bytes(b"junk")
    (versions / f"{sha(b'dir')}.pgp").mkdir()
    (versions / sha(b"link")).symlink_to(own.path / "x.pgp")
    assert {version.sha256 for version in own.versions("x.pgp")} == {sha(b"bare"), sha(b"with")}
    for data in (b"bare", b"with"):
        with own.open_version("x.pgp", sha(data)) as file:
            assert file.read() == data
    put(own, "x.pgp", b"bare")
    put(own, "x.pgp", b"then")
    assert not (versions / f"{sha(b'bare')}.pgp").exists(), "a version is held once, however it is spelled"
    with pytest.raises(NoSuchPost):
        own.open_version("x.pgp", sha(b"none"))
    with pytest.raises(NoSuchPost):
        own.open_version("y.pgp", sha(b"none"))
    for kind in (b"dir", b"link"):
        with pytest.raises(NotAFile):
            own.open_version("x.pgp", sha(kind))
    with pytest.raises(InvalidName):
        own.open_version("x.pgp", "../x.pgp")


def test_a_damaged_version_is_never_taken_for_the_true_one(
    own: AuthorDir, put: Put, contents: Contents
) -> None:
    put(own, "x.pgp", b"one")
    put(own, "x.pgp", b"two")
    (own.path / "x.pgp.versions" / f"{sha(b'one')}.pgp").write_bytes(b"scribbled")
    put(own, "x.pgp", b"one")
    put(own, "x.pgp", b"three")
    assert set(contents(own, "x.pgp")) == {b"one", b"two", b"scribbled", b"three"}


def test_a_file_in_the_way_of_the_versions_stops_the_write_and_says_so(
    own: AuthorDir, put: Put, stray: Stray
) -> None:
    put(own, "x.pgp", b"one")
    for make in (Path.touch, lambda path: path.symlink_to(own.path), os.mkfifo):
        in_the_way = own.path / "x.pgp.versions"
        make(in_the_way)
        with pytest.raises(NotAFile, match="move away what has its name"):
            put(own, "x.pgp", b"two")
        assert put(own, "x.pgp", b"one").unchanged
        put(own, "y.pgp", b"not its business")
        with pytest.raises(NotAFile):
            own.versions("x.pgp")
        with pytest.raises(NotAFile):
            own.remove("x.pgp")
        own.recover()
        assert own.sha256("x.pgp") == sha(b"one")
        assert stray(own) == []
        in_the_way.unlink()
    put(own, "x.pgp", b"two")


def test_removing_takes_the_file_its_versions_and_its_shadow(own: AuthorDir, put: Put, root: Root) -> None:
    put(own, "x.pgp", b"one")
    put(own, "x.pgp", b"two")
    put(own, "y.pgp", b"other")
    own.remove("x.pgp")
    assert [path.name for path in own.path.iterdir()] == ["y.pgp"]
    with Shadows.opened(root, own.fpr) as shadows:
        assert list(shadows.times()) == ["y.pgp"]
    with pytest.raises(NoSuchPost):
        own.remove("x.pgp")
    with pytest.raises(NoSuchPost):
        own.open("x.pgp")
    assert own.entry("x.pgp") is None


def test_versions_outlive_a_file_that_was_removed_by_hand(
    own: AuthorDir, put: Put, contents: Contents
) -> None:
    put(own, "x.pgp", b"one")
    put(own, "x.pgp", b"two")
    (own.path / "x.pgp").unlink()
    assert contents(own, "x.pgp") == [b"one"]
    own.remove("x.pgp")
    assert list(own.path.iterdir()) == []


def test_what_is_not_committed_is_gone(own: AuthorDir) -> None:
    with own.stage() as staged:
        staged.file.write(b"never")
        assert staged.path.parent == own.path
        assert staged.path.name.startswith(".")
        assert own.entries() == []
    with pytest.raises(ZeroDivisionError), own.stage() as staged:
        raise ZeroDivisionError
    assert list(own.path.iterdir()) == []


def test_a_library_may_write_to_the_path_or_replace_the_file(own: AuthorDir, contents: Contents) -> None:
    with own.stage() as staged:
        staged.path.write_bytes(b"by path")
        own.commit(staged, "x.pgp")
    with own.stage() as staged:
        other = own.path / ".other"
        other.write_bytes(b"replaced")
        other.rename(staged.path)
        own.commit(staged, "x.pgp")
    assert contents(own, "x.pgp") == [b"by path", b"replaced"]
    assert (own.path / "x.pgp").stat().st_mode & 0o777 == 0o600
    with own.stage() as staged:
        staged.path.unlink()
        staged.path.symlink_to(own.path / "x.pgp")
        with pytest.raises(NotAFile):
            own.commit(staged, "y.pgp")


def test_modes_are_private_whatever_the_umask(own: AuthorDir, put: Put) -> None:
    before = os.umask(0o777)
    try:
        put(own, "x.pgp", b"one")
        put(own, "x.pgp", b"two")
    finally:
        os.umask(before)
    for path in own.root.path.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_missing_directory_reads_as_empty(root: Root, fpr: Fingerprint, put: Put) -> None:
    missing = AuthorDir(root, fpr)
    assert missing.entries() == []
    assert missing.names() == []
    assert missing.entry("x.pgp") is None
    assert missing.versions("x.pgp") == []
    missing.recover()
    for call in (missing.open, missing.sha256, missing.remove):
        with pytest.raises(NoSuchPost):
            call("x.pgp")
    with pytest.raises(NoSuchPost):
        missing.open_version("x.pgp", sha(b""))
    with pytest.raises(TreeChanged):
        missing.stage()
    assert not root.author_dir(fpr).exists(), "a directory means following: only a person makes one"
    put(AuthorDir(root, fpr, hidden=True), "x.pgp", b"piece")
    assert root.hidden_dir(fpr).stat().st_mode & 0o777 == 0o700


def test_a_directory_that_went_away_takes_nothing(own: AuthorDir, other: AuthorDir, root: Root) -> None:
    with other.stage() as staged:
        root.unfollow(other.fpr)
        with pytest.raises(TreeChanged):
            other.commit(staged, "x.pgp")
    with own.stage() as staged:
        shutil.rmtree(own.path)
        own.path.mkdir()
        with pytest.raises((TreeChanged, FileNotFoundError)):
            own.commit(staged, "x.pgp")
    assert list(own.path.iterdir()) == []
    assert list(root.hidden_dir(other.fpr).iterdir()) == []


def test_only_posts_are_listed(own: AuthorDir, put: Put) -> None:
    put(own, "x.pgp", b"one")
    put(own, "x.pgp", b"two")
    for name in ("draft.txt", ".hidden.pgp", "x.pgp.versions.pgp", "a\nb.pgp", "y.PGP"):
        (own.path / name).write_bytes(b"")
    (own.path / "dir.pgp").mkdir()
    (own.path / "link.pgp").symlink_to("x.pgp")
    os.mkfifo(own.path / "fifo.pgp")
    (own.path / os.fsdecode(b"\xff.pgp")).write_bytes(b"")
    assert [entry.name for entry in own.entries()] == ["x.pgp"]
    assert own.names() == ["x.pgp"]


def test_nfd_alone_is_taken_byte_for_byte_and_a_pair_clashes(own: AuthorDir, put: Put) -> None:
    put(own, "e\u0301.pgp", b"nfd")
    assert own.names() == ["e\u0301.pgp"]
    assert own.clash("é.pgp") == "e\u0301.pgp"
    assert own.clash("E\u0301.pgp") == "e\u0301.pgp"
    assert own.clash("e\u0301.pgp") is None
    assert own.clash("e.pgp") is None
    assert own.entry("é.pgp") is None


def test_a_large_post_needs_little_memory(other: AuthorDir, contents: Contents) -> None:
    piece = os.urandom(1 << 20)
    for last in (b"a", b"b"):
        with other.stage() as staged:
            for _ in range(40):
                staged.file.write(piece)
            staged.file.write(last)
            done = other.commit(staged, "x.pgp")
    assert done.size == 40 * len(piece) + 1
    assert done.replaced == sha(piece * 40 + b"a")
    assert other.sha256("x.pgp") == done.sha256 == sha(piece * 40 + b"b")


def test_ten_thousand_posts_are_listed_quickly(own: AuthorDir) -> None:
    for number in range(10_000):
        os.close(os.open(own.path / f"post-{number}.json.pgp", os.O_CREAT | os.O_WRONLY, 0o600))
    assert len(own.entries()) == 10_000
