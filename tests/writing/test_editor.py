"""Editors get a text in memory, and nothing of it stays anywhere when they are gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mau.errors import EditorFailed, NoPrivatePlace
from mau.writing.editor import edit_bytes, edit_text, editor_argv, with_manners, without_modelines
from mau.writing.private import leave_behind, left_texts, memory_place, private_place

SECRET = "a secret that is nobody's business\n"


@pytest.fixture
def sh(tmp_path: Path) -> list[str]:
    """An editor that notes where its file is, in ``where``, and then does what ``todo`` says with ``$1``."""
    script = tmp_path / "editor.sh"
    script.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/where\n. {tmp_path}/todo\n')
    return ["sh", str(script)]


def do(tmp_path: Path, words: str) -> None:
    (tmp_path / "todo").write_text(words)


def where(tmp_path: Path) -> Path:
    return Path((tmp_path / "where").read_text())


def test_the_editor_finds_a_private_file_in_memory_that_is_gone_afterwards(
    sh: list[str], tmp_path: Path
) -> None:
    do(tmp_path, f'stat -c "%a %F" "$(dirname "$1")" "$1" > {tmp_path}/stat; cp "$1" {tmp_path}/copy')
    assert edit_text(SECRET, ".md", sh) is None
    assert (tmp_path / "stat").read_text() == "700 directory\n600 regular file\n"
    assert (tmp_path / "copy").read_text() == SECRET
    place = where(tmp_path)
    assert place.name == "post.md"
    assert place.parent.parent == memory_place()
    assert not place.parent.exists()


@pytest.mark.parametrize(
    ("todo", "result"),
    [
        ("sed -i s/secret/text/ $1", "a text that is nobody's business\n"),
        ('printf new > "$1.tmp"; mv "$1.tmp" "$1"', "new"),
        (': > "$1"', ""),
        ('rm "$1"', ""),
        ('printf "x\\ny" > "$1"; touch "$(dirname "$1")/.post.md.swp" "$1~"', "x\ny"),
        ("true", None),
        ('printf "%s" "" >> "$1"', None),
    ],
)
def test_what_the_editor_leaves_is_what_counts(
    sh: list[str], tmp_path: Path, todo: str, result: str | None
) -> None:
    do(tmp_path, todo)
    assert edit_text(SECRET, ".md", sh) == result
    assert not where(tmp_path).parent.exists()


def test_a_line_feed_that_an_editor_adds_is_no_change(sh: list[str], tmp_path: Path) -> None:
    do(tmp_path, 'echo >> "$1"')
    assert edit_bytes(b"x", ".txt", sh) is None
    assert edit_bytes(b"x\n", ".txt", sh) == b"x\n\n"


@pytest.mark.parametrize(
    ("todo", "says", "written"),
    [
        ("exit 3", "exit status 3", None),
        ('echo more >> "$1"; exit 1', "exit status 1", (SECRET + "more\n").encode()),
        ('printf "\\377" > "$1"', "UTF-8", b"\xff"),
        ('rm "$1"; ln -s /etc/passwd "$1"', "not to be read", None),
    ],
)
def test_an_editor_that_fails_publishes_nothing_and_loses_nothing(
    sh: list[str], tmp_path: Path, todo: str, says: str, written: bytes | None
) -> None:
    do(tmp_path, todo)
    with pytest.raises(EditorFailed, match=says) as error:
        edit_text(SECRET, ".md", sh)
    assert error.value.written == written
    assert not where(tmp_path).parent.exists()


def test_the_editor_is_not_told_the_passphrase(
    sh: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAU_PASSPHRASE", "between us")
    do(tmp_path, 'env > "$1"')
    assert "between us" not in (edit_text(SECRET, ".md", sh) or "")


def test_which_editor() -> None:
    path = {"PATH": os.environ["PATH"]}
    assert editor_argv({**path, "EDITOR": "cat", "VISUAL": "sed -i 's/a b/c/'", "MAU_EDITOR": " "}) == [
        "sed",
        "-i",
        "s/a b/c/",
    ]
    assert editor_argv({**path, "EDITOR": "cat", "MAU_EDITOR": "sh -x"}) == ["sh", "-x"]
    for broken in ("no-such-editor -x", "sed 'x"):
        with pytest.raises(EditorFailed, match="VISUAL"):
            editor_argv({**path, "EDITOR": "cat", "VISUAL": broken})
    with pytest.raises(EditorFailed, match="which editor"):
        editor_argv(path, terminal=False)
    with pytest.raises(EditorFailed, match="which editor"):
        editor_argv({"PATH": "/nowhere"})


def test_words_of_others_are_no_settings() -> None:
    for words in ("vim: set x :", " ex:x", "VI: y", "/* vim>=700: z", "kate: eol dos;", "Local Variables:"):
        shown = without_modelines(f"good\n{words}\nday")
        assert words not in shown
        assert "".join(shown.split()) == "".join(f"good{words}day".split())
    assert without_modelines("vim is an editor; index: 3; 12:30") == "vim is an editor; index: 3; 12:30"


@pytest.mark.skipif(shutil.which("vim") is None, reason="no vim here")
def test_vim_takes_no_settings_from_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    text = "\nhello\nvim: set ff=dos bomb fenc=utf-16le :\n"
    vim = ["vim", "-e", "-s", "--cmd", "set modeline", "-c", "1s/^/mine/", "-c", "wq"]
    assert edit_bytes(text.encode(), ".md", vim, insecure=True) == f"mine{text}".encode()


@pytest.mark.skipif(shutil.which("vim") is None, reason="no vim here")
def test_vim_notes_nothing_of_the_text_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    for name in ("undo", "backup", "swap"):
        (home / name).mkdir(parents=True)
    (home / "vimrc").write_text(
        f"set nocompatible undofile undodir={home}/undo backup backupdir={home}/backup\n"
        f"set directory={home}/swap viminfo='100,<500,n{home}/viminfo\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TERM", "dumb")
    words = ["-u", str(home / "vimrc"), "-es", "-c", "normal yyp", "-c", "%s/nobody/somebody/", "-c", "wq"]
    edited = edit_text(SECRET, ".md", ["vim", *words])
    assert edited == 2 * "a secret that is somebody's business\n"

    def left() -> list[Path]:
        files = [file for file in home.rglob("*") if file.is_file() and file.name != "vimrc"]
        return [file for file in files if b"secret" in file.read_bytes()]

    assert left() == []
    (tmp_path / "x").write_text(SECRET)
    subprocess.run(["vim", *words, str(tmp_path / "x")], timeout=30, check=False, stdin=subprocess.DEVNULL)
    assert left() != []  # so it does with these settings, without our options


@pytest.mark.skipif(shutil.which("ed") is None, reason="no ed here")
def test_ed(tmp_path: Path) -> None:
    script = "printf 's/secret/text/\\na\\nmore\\n.\\nw\\nq\\n' | ed -s \"$0\""
    assert edit_text(SECRET, ".md", ["sh", "-c", script]) == "a text that is nobody's business\nmore\n"


def test_only_what_is_vim_gets_options_of_vim(tmp_path: Path) -> None:
    assert with_manners(["nano", "-w"]) == ["nano", "-w"]
    assert with_manners(["/usr/bin/nvim", "+3"])[-1] == "+3"
    assert "-n" in with_manners(["/usr/bin/nvim", "+3"])
    assert "-f" in with_manners(["gvim"])


EDITS = """
import sys
from mau.errors import EditorInterrupted
from mau.writing.editor import edit_text
try:
    edit_text("a secret", ".md", sys.argv[1:])
except EditorInterrupted as error:
    print(error.written)
    sys.exit(130)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_editor_and_leaves_nothing(
    sh: list[str], tmp_path: Path, number: signal.Signals
) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    do(tmp_path, f'echo more >> "$1"; touch "$1~"; echo > {ready}; exec sleep 60')
    process = subprocess.Popen([sys.executable, "-c", EDITS, *sh], stdout=subprocess.PIPE)
    try:
        ready.read_text()
        place = where(tmp_path).parent
        assert place.exists()
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert out == b"b'a secretmore\\n'\n"
    assert not place.exists()


@contextmanager
def closed_pipe(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ends when nobody has the process's stderr any more: neither it nor the editor that it started."""
    yield
    assert process.stderr is not None
    process.stderr.read()
    process.stderr.close()
    process.wait()


def test_what_a_killed_program_left_goes_with_the_next(sh: list[str], tmp_path: Path) -> None:
    ready, go = tmp_path / "ready", tmp_path / "go"
    os.mkfifo(ready)
    os.mkfifo(go)
    do(tmp_path, f"echo > {ready}; read line < {go}")
    process = subprocess.Popen([sys.executable, "-c", EDITS, *sh], stderr=subprocess.PIPE)
    try:
        ready.read_text()
        place = where(tmp_path).parent
        with private_place():  # somebody lives there: it stays
            assert place.exists()
    finally:
        process.kill()
        process.wait()
    assert place.exists()
    with private_place():  # the editor lives, and may write there
        assert place.exists()
    assert place / "post.md" not in left_texts()
    go.write_text("end the editor\n")
    with closed_pipe(process):
        pass
    with private_place():
        assert not place.exists()


def test_what_somebody_wrote_until_the_program_was_killed_stays(sh: list[str], tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    do(tmp_path, f'echo more >> "$1"; echo > {ready}; kill -9 $PPID')
    process = subprocess.Popen([sys.executable, "-c", EDITS, *sh], stderr=subprocess.PIPE)
    with closed_pipe(process):
        ready.read_text()
    place = where(tmp_path).parent
    with private_place():
        assert (place / "post.md").read_text() == "a secretmore\n"
    assert place / "post.md" in left_texts()
    shutil.rmtree(place)


def test_without_a_place_in_memory_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mau.writing.private._MOUNTS", str(tmp_path / "none"))
    with pytest.raises(NoPrivatePlace, match="insecure-tmp"), private_place():
        pass
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with private_place(insecure=True) as place:
        assert place.parent == tmp_path
        assert place.stat().st_mode & 0o777 == 0o700
    assert not place.exists()


def test_a_directory_of_others_or_on_a_disk_is_no_place(tmp_path: Path) -> None:
    shared = Path("/dev/shm")  # noqa: S108
    assert memory_place({"XDG_RUNTIME_DIR": "relative"}) == shared
    base = memory_place({})
    assert base is not None
    with private_place() as place:
        assert memory_place({"XDG_RUNTIME_DIR": str(place)}) == place
        place.chmod(0o777)
        assert memory_place({"XDG_RUNTIME_DIR": str(place)}) == shared


def test_the_last_resort_is_a_private_file_in_memory() -> None:
    path = leave_behind(b"text")
    try:
        assert path.read_bytes() == b"text"
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        path.unlink()
