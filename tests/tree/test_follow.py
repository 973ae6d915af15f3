"""Following and unfollowing rename a directory; merging loses nothing (spec/tree.md F)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mau.errors import NoAccount, NotAFile
from mau.fingerprint import Fingerprint
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir, Committed

Put = Callable[..., Committed]
Contents = Callable[[AuthorDir, str], list[bytes]]


def test_following_makes_a_directory_and_unfollowing_hides_it(root: Root, fpr: Fingerprint, put: Put) -> None:
    root.unfollow(fpr)
    assert root.authors() == []
    root.follow(fpr)
    root.follow(fpr)
    put(AuthorDir(root, fpr), "x.pgp", b"one")
    root.unfollow(fpr)
    root.unfollow(fpr)
    assert root.authors() == [(fpr, True)]
    assert AuthorDir(root, fpr, hidden=True).names() == ["x.pgp"]
    root.follow(fpr)
    assert root.authors() == [(fpr, False)]
    assert AuthorDir(root, fpr).names() == ["x.pgp"]


@pytest.mark.parametrize("hide", [True, False])
def test_where_both_are_there_they_are_merged(
    hide: bool, root: Root, fpr: Fingerprint, put: Put, contents: Contents
) -> None:
    root.follow(fpr)
    hidden = AuthorDir(root, fpr, hidden=True)
    for data in (b"h1", b"common", b"h2"):
        put(hidden, "both.pgp", data)
    put(hidden, "same.pgp", b"same")
    put(hidden, "hidden.pgp", b"old")
    put(hidden, "hidden.pgp", b"hidden")
    (hidden.path / "draft").write_bytes(b"hidden draft")
    (hidden.path / "both.pgp.versions" / "note").write_bytes(b"hidden note")
    (hidden.path / "link").symlink_to("/etc/passwd")
    (hidden.path / "odd.pgp").mkdir()
    shown = AuthorDir(root, fpr)
    for data in (b"s1", b"common", b"s2"):
        put(shown, "both.pgp", data)
    put(shown, "same.pgp", b"same")
    put(shown, "odd.pgp", b"a post")
    (shown.path / "draft").write_bytes(b"shown draft")
    (shown.path / "both.pgp.versions" / "note").write_bytes(b"shown note")
    (root.unfollow if hide else root.follow)(fpr)

    assert root.authors() == [(fpr, hide)]
    merged = hidden if hide else shown
    found = contents(merged, "both.pgp")
    assert found[-1] == b"s2", "what was synced last is current"
    assert set(found) == {b"h1", b"common", b"h2", b"s1", b"s2"}
    assert contents(merged, "hidden.pgp") == [b"old", b"hidden"]
    assert contents(merged, "same.pgp") == [b"same"]
    assert contents(merged, "odd.pgp") == [b"a post"]
    drafts = {path.name: path.read_bytes() for path in merged.path.glob("draft*")}
    assert drafts == {"draft": b"shown draft", "draft.1": b"hidden draft"}
    notes = {path.read_bytes() for path in (merged.path / "both.pgp.versions").glob("note*")}
    assert notes == {b"shown note", b"hidden note"}
    assert (merged.path / "link").readlink() == Path("/etc/passwd")
    assert (merged.path / "odd.pgp.1").is_dir()


def test_something_else_of_that_name_is_not_touched(root: Root, fpr: Fingerprint) -> None:
    root.hidden_dir(fpr).mkdir()
    root.author_dir(fpr).write_bytes(b"a file")
    for change in (root.follow, root.unfollow):
        with pytest.raises(NotAFile):
            change(fpr)
    assert root.author_dir(fpr).read_bytes() == b"a file"
    assert root.hidden_dir(fpr).is_dir()


def test_there_must_be_a_root(root: Root, fpr: Fingerprint) -> None:
    for change in (Root(root.path / "nowhere").follow, Root(root.path / "nowhere").unfollow):
        with pytest.raises(NoAccount):
            change(fpr)
