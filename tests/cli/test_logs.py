"""What the library notes while a command goes on: one clean line each."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from mau_cli.logs import log_to_stderr


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("mau")
    handlers, level = list(root.handlers), ours.level
    yield
    root.handlers[:] = handlers
    ours.setLevel(level)


def say_all() -> None:
    log = logging.getLogger("mau.somewhere")
    log.debug("a detail")
    log.info("alice came")
    log.warning("%s is \x1b[31m odd\nmau: and lies", "bob")
    try:
        raise KeyError("hunter2")
    except KeyError:
        log.exception("it failed")
    logging.getLogger("a.library").info("chatter")


def test_each_is_one_clean_line_without_what_errors_hold(capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr()
    say_all()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["alice came", "bob is \\x1b[31m odd\\nmau: and lies", "it failed (KeyError)"]


def test_the_journal_is_told_how_much_it_matters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    log_to_stderr()
    say_all()
    assert [line[:3] for line in capsys.readouterr().err.splitlines()] == ["<6>", "<4>", "<3>"]


def test_who_looks_for_a_mistake_sees_all_of_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAU_DEBUG", "1")
    log_to_stderr()
    say_all()
    err = capsys.readouterr().err
    assert "a detail\n" in err
    assert "Traceback" in err
    assert "hunter2" in err
