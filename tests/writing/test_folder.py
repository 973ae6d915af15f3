"""Which files of a folder are finished."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mau.attachments.storing import opened_file
from mau.errors import AlreadyRunning, NotAFile, UsageError
from mau.writing.folder import Folder
from mau.writing.publishing import Source


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with Folder.opened(tmp_path, settled=0) as opened:
        yield opened


def test_a_file_is_finished_when_it_is_the_same_at_the_second_look(folder: Folder) -> None:
    path = folder.path / "a.md"
    path.write_text("one")
    first = folder.look()
    assert (first.finished, first.unsettled) == ((), True)
    path.write_text("more")
    assert folder.look().finished == ()
    second = folder.look()
    assert (second.finished, second.unsettled) == (("a.md",), False)


def test_a_file_is_not_finished_before_it_was_the_same_for_a_moment(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("one")
    with Folder.opened(tmp_path, settled=3600) as folder:
        for _ in range(3):
            assert folder.look().unsettled
            assert folder.look().finished == ()


def test_a_file_that_somebody_writes_is_not_finished(folder: Folder) -> None:
    with (folder.path / "a.md").open("w") as file:
        file.write("---\n")
        file.flush()
        for _ in range(3):
            looked = folder.look()
            assert (looked.finished, looked.unsettled) == ((), True)
    assert folder.look().finished == ("a.md",)


@pytest.mark.parametrize("mark", [".a.md.swp", ".a.md.swx", ".#a.md", "#a.md#", ".~lock.a.md#"])
def test_a_file_that_an_editor_has_open_is_not_finished(folder: Folder, mark: str) -> None:
    (folder.path / "a.md").write_text("x")
    (folder.path / mark).symlink_to("nobody@nowhere")  # as emacs does it
    folder.look()
    looked = folder.look()
    assert (looked.finished, looked.open_in, looked.unsettled) == ((), {"a.md": mark}, False)
    (folder.path / mark).unlink()
    assert folder.look().finished == ("a.md",)


def test_only_pages_and_documents_are_looked_at(folder: Folder) -> None:
    for name in (".a.md", "a.md~", "#a.md#", "~a.md", "a.txt", "a.md.swp"):
        (folder.path / name).write_text("x")
    (folder.path / "b.md").mkdir()
    (folder.path / "c.md").symlink_to("a.txt")
    os.mkfifo(folder.path / "d.md")
    (folder.path / "e.md").touch()
    (folder.path / "f.json").write_text("{}")
    folder.look()
    assert folder.look().finished == ("f.json",)


def test_one_program_at_a_time(folder: Folder) -> None:
    with pytest.raises(AlreadyRunning), Folder.opened(folder.path):
        pass


def test_published_files_are_moved_and_replace_nothing(folder: Folder) -> None:
    for number, name in enumerate(("a.md", "a-2.md", "a-3.md"), 1):
        (folder.path / "a.md").write_text(str(number))
        assert folder.move_away("a.md") == f"published/{name}"
        assert (folder.path / "published" / name).read_text() == str(number)
    assert not (folder.path / "a.md").exists()


def test_attachments_lie_in_the_folder(folder: Folder) -> None:
    source = Source.of(folder.path / "a.md", b"x")
    (found,) = folder.attachments(source, ("pictures/x.jpg",))
    assert found.path == Path("pictures/x.jpg")
    assert folder.attachments(source, (str(folder.path / "pictures/x.jpg"),)) == [found]
    for path in ("/etc/passwd", "../x", "pictures/../../x", "."):
        with pytest.raises(UsageError, match="outside"):
            folder.attachments(source, (path,))


def test_what_is_attached_lies_in_the_folder_whatever_is_put_there_meanwhile(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    for place, text in ((outside, "secret"), (inside / "sub", "harmless")):
        place.mkdir(parents=True)
        (place / "x.txt").write_text(text)
    with Folder.opened(inside) as folder:
        (found,) = folder.attachments(Source.of(inside / "a.md", b"x"), ("sub/x.txt",))
        with opened_file(found.path, below=found.below) as file:
            assert file.read() == b"harmless"
        (inside / "sub").rename(inside / "old")
        (inside / "sub").symlink_to(outside)
        with pytest.raises(NotAFile):
            opened_file(found.path, below=found.below)
        (inside / "sub").unlink()
        (inside / "sub").mkdir()
        (inside / "sub/x.txt").symlink_to(outside / "x.txt")
        with pytest.raises(NotAFile):
            opened_file(found.path, below=found.below)
