"""What strangers made is read by a process that holds nothing of the user's and runs nothing of his."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mau.confined import ask_apart
from mau.imports import apart
from mau.imports.apart import parse_apart

CHILD = "tests.imports.child"


def test_it_has_no_secrets_and_looks_for_modules_where_ours_lie(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAU_PASSPHRASE", "sesame")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    said = ask_apart(CHILD, b"sesame", libraries=("lxml", "no_such_library"), most=1 << 20, seconds=30)
    held = json.loads(said)
    assert "sesame" not in said.decode(), "neither in its environment nor in its command line"
    assert held["place"] == "/" and not {"", ".", "/", str(tmp_path)} & set(held["path"])
    harmless = {"LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "__CF_USER_TEXT_ENCODING"}
    assert set(held["environ"]) <= harmless


def test_a_module_beside_the_user_does_not_run_when_a_page_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("json", "lxml", "mau"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    assert parse_apart("page", b"<title>x</title>", "https://example.org/")["title"] == "x"
    assert not (tmp_path / "ran").exists()


def test_an_address_stands_in_no_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    begin = subprocess.Popen.__init__

    def noted(self: subprocess.Popen[bytes], words: list[str], **more: object) -> None:
        started.append(words)
        begin(self, words, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    parse_apart("feed", b"<rss>", "https://example.org/feed?token=sesame")
    [words] = started
    assert isinstance(words, list) and words[0] == sys.executable and "sesame" not in str(words)


def test_an_answer_without_end_is_cut_off_and_one_that_does_not_come_is_not_waited_for() -> None:
    assert len(ask_apart(CHILD, b"talk", libraries=(), most=5000, seconds=30)) == 5001
    assert ask_apart(CHILD, b"wait", libraries=(), most=5000, seconds=0.2) == b""


def test_more_is_not_taken_than_is_fair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_MOST_OUT", 100)
    with pytest.raises(apart.PeerMisbehaved, match="too much"):
        parse_apart("page", b"<title>" + b"x" * 1000, "https://example.org/")
