"""What a person does to own posts by hand: an edit in place still leaves a version (spec/tree.md H)."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.tree.layout import Root
from mau.tree.posts import AuthorDir, Committed
from mau.tree.shadow import LIMIT, Shadows
from mau.tree.staging import SHADOW_LIMIT

Put = Callable[..., Committed]
Contents = Callable[[AuthorDir, str], list[bytes]]


def shadow(directory: AuthorDir) -> Path:
    """Where the shadow of a post lies that is too long for the database."""
    return directory.root.path / ".shadow" / directory.fpr.hex / "x.pgp"


def shadowed(directory: AuthorDir) -> list[str]:
    with Shadows.opened(directory.root, directory.fpr) as shadows:
        return sorted(shadows.times())


def long(text: bytes) -> bytes:
    return text * (LIMIT // len(text) + 1)


def test_an_edit_in_place_leaves_both_contents_at_the_next_write(
    own: AuthorDir, put: Put, contents: Contents
) -> None:
    put(own, "x.pgp", b"one")
    put(own, "x.pgp", b"two")
    (own.path / "x.pgp").write_bytes(b"by hand")
    assert put(own, "x.pgp", b"three").replaced == own.versions("x.pgp")[-1].sha256
    assert contents(own, "x.pgp") == [b"one", b"two", b"by hand", b"three"], "in the order they were written"


def test_an_edit_of_the_same_length_and_time_is_found_at_the_next_write(
    own: AuthorDir, put: Put, contents: Contents
) -> None:
    put(own, "x.pgp", b"one")
    before = (own.path / "x.pgp").stat()
    (own.path / "x.pgp").write_bytes(b"eno")
    os.utime(own.path / "x.pgp", ns=(before.st_atime_ns, before.st_mtime_ns))
    put(own, "x.pgp", b"two")
    assert set(contents(own, "x.pgp")) == {b"one", b"eno", b"two"}


def test_a_start_up_notices_edits(own: AuthorDir, put: Put, contents: Contents) -> None:
    put(own, "x.pgp", b"one")
    put(own, "y.pgp", b"y")
    own.recover()
    assert contents(own, "x.pgp") == [b"one"]
    (own.path / "x.pgp").write_bytes(b"by hand")
    own.recover()
    assert contents(own, "x.pgp") == [b"one", b"by hand"]
    (own.path / "x.pgp").write_bytes(b"again")
    own.recover()
    own.recover()
    assert contents(own, "x.pgp") == [b"one", b"by hand", b"again"]
    assert contents(own, "y.pgp") == [b"y"]


def test_writing_what_the_edit_wrote_files_what_was_before(
    own: AuthorDir, put: Put, contents: Contents
) -> None:
    put(own, "x.pgp", b"one")
    (own.path / "x.pgp").write_bytes(b"two")
    assert put(own, "x.pgp", b"two").unchanged
    assert contents(own, "x.pgp") == [b"one", b"two"]


def test_an_editor_that_renames_leaves_both_contents(own: AuthorDir, put: Put, contents: Contents) -> None:
    put(own, "x.pgp", b"one")
    (own.path / ".x.swp").write_bytes(b"by an editor")
    (own.path / ".x.swp").replace(own.path / "x.pgp")
    own.recover()
    assert contents(own, "x.pgp") == [b"one", b"by an editor"]


def test_a_version_is_never_the_file_itself(own: AuthorDir, put: Put, contents: Contents) -> None:
    """Otherwise an edit in place would change what was filed."""
    for data in (b"one", b"two", b"one", b"two"):
        put(own, "x.pgp", data)
        (own.path / "x.pgp").open("r+b").close()
        with (own.path / "x.pgp").open("ab") as file:
            file.write(b" edited")
        own.recover()
        contents(own, "x.pgp")
    assert set(contents(own, "x.pgp")) == {b"one", b"two", b"one edited", b"two edited"}


def test_a_post_put_there_by_hand_gets_a_shadow(own: AuthorDir, contents: Contents) -> None:
    (own.path / "x.pgp").write_bytes(b"copied")
    own.recover()
    (own.path / "x.pgp").write_bytes(b"edited")
    own.recover()
    assert contents(own, "x.pgp") == [b"copied", b"edited"]


def test_what_is_removed_or_renamed_by_hand_leaves_no_shadow(
    own: AuthorDir, put: Put, contents: Contents
) -> None:
    put(own, "x.pgp", b"one")
    put(own, "y.pgp", b"two")
    (own.path / "x.pgp").unlink()
    (own.path / "y.pgp").rename(own.path / "z.pgp")
    own.recover()
    assert shadowed(own) == ["z.pgp"]
    put(own, "x.pgp", b"anew")
    assert contents(own, "x.pgp") == [b"anew"], "what was removed does not come back as a version"


def test_a_missing_directory_costs_no_shadow(own: AuthorDir, put: Put) -> None:
    """A disk that is not mounted is no removal."""
    put(own, "x.pgp", b"one")
    own.path.rename(own.path.parent / "unmounted")
    own.recover()
    assert shadowed(own) == ["x.pgp"]


@pytest.mark.parametrize("damage", [b"", b"o", b"torn" * 20, bytes(35)])
def test_a_torn_shadow_is_no_content(damage: bytes, own: AuthorDir, put: Put, contents: Contents) -> None:
    put(own, "x.pgp", long(b"one"))
    shadow(own).write_bytes(damage)
    put(own, "x.pgp", long(b"two"))
    assert contents(own, "x.pgp") == [long(b"one"), long(b"two")]
    shadow(own).write_bytes(damage)
    own.recover()
    assert contents(own, "x.pgp") == [long(b"one"), long(b"two")]


def test_a_torn_shadow_of_a_short_post_is_no_content(own: AuthorDir, put: Put, contents: Contents) -> None:
    put(own, "x.pgp", b"one")
    with contextlib.closing(sqlite3.connect(own.root.path / ".shadow" / "small.sqlite")) as database:
        database.execute("UPDATE shadow SET data = ?", (b"torn",))
        database.commit()
    put(own, "x.pgp", b"two")
    assert contents(own, "x.pgp") == [b"one", b"two"]


def test_a_post_that_grows_and_shrinks_has_one_shadow(own: AuthorDir, put: Put, contents: Contents) -> None:
    for content in (b"one", long(b"two"), b"three", long(b"four"), b"five"):
        put(own, "x.pgp", content)
        assert shadow(own).exists() is (len(content) > LIMIT)
        assert shadowed(own) == ["x.pgp"]
    (own.path / "x.pgp").write_bytes(b"by hand")
    own.recover()
    kept = [b"by hand", b"five", long(b"four"), b"one", b"three", long(b"two")]
    assert sorted(contents(own, "x.pgp")) == sorted(kept)


@pytest.mark.parametrize("damage", [b"", b"no database", bytes(8192)])
def test_a_damaged_database_of_shadows_is_begun_anew(
    damage: bytes, own: AuthorDir, put: Put, contents: Contents
) -> None:
    put(own, "x.pgp", b"one")
    (own.root.path / ".shadow" / "small.sqlite").write_bytes(damage)
    put(own, "x.pgp", b"two")
    own.recover()
    (own.path / "x.pgp").write_bytes(b"by hand")
    own.recover()
    assert sorted(contents(own, "x.pgp")) == [b"by hand", b"one", b"two"]


def test_shadows_are_derived(own: AuthorDir, put: Put, contents: Contents, root: Root) -> None:
    put(own, "x.pgp", b"one")
    shutil.rmtree(root.path / ".shadow")
    put(own, "x.pgp", b"two")
    assert contents(own, "x.pgp") == [b"one", b"two"]
    shutil.rmtree(root.path / ".shadow")
    own.recover()
    assert shadowed(own) == ["x.pgp"]


def test_small_own_posts_have_shadows_and_no_others(own: AuthorDir, other: AuthorDir, put: Put) -> None:
    put(other, "x.pgp", b"one")
    assert not shadow(other).parent.exists()
    put(own, "x.pgp", bytes(SHADOW_LIMIT))
    assert shadow(own).stat().st_size == SHADOW_LIMIT + 32
    assert shadow(own).stat().st_mode & 0o777 == 0o600
    put(own, "x.pgp", bytes(SHADOW_LIMIT + 1))
    assert not shadow(own).exists()
    own.recover()
    assert not shadow(own).exists()
