"""The way in: what is imported, what an error says, and with which code the program ends."""

from __future__ import annotations

import asyncio
import importlib
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from mau.errors import IdentityError, Interrupted, MauError, PartlyDone, WrongPassphrase
from mau_cli import main as program

MAU = [sys.executable, "-m", "mau_cli.main"]


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAU, *words],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], int]:
    """Runs a command that does nothing but raise."""

    def raise_it(error: BaseException) -> int:
        @click.command()
        def command() -> None:
            raise error

        monkeypatch.setattr(program.LazyGroup, "get_command", lambda *_: command)
        return program.main(["whoami"])

    return raise_it


# --- commands ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", program.COMMANDS)
def test_each_command_has_a_module_and_the_help_that_the_table_says(name: str) -> None:
    command = importlib.import_module(f"mau_cli.commands.{name.replace('-', '_')}").command
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help, "a command says what it does"


def test_the_help_imports_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys; from mau_cli.main import main; main(['--help']); "
        "print([m for m in sys.modules if m.partition('.')[0] in "
        "{'asyncio', 'ssl', 'sqlite3', 'cryptography', 'pgpy', 'pysequoia', 'aiohttp', 'pyld', 'keyring'} "
        "or m.startswith(('mau_cli.commands', 'mau.tree', 'mau.account'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_help_costs_less_than_150_ms_of_cpu() -> None:
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.150


def test_help_and_version_are_data_and_succeed() -> None:
    for words in (["--help"], ["-h"], ["--version"]):
        done = run(*words)
        assert (done.returncode, done.stderr) == (0, "")
        assert "mau" in done.stdout


def test_the_help_names_every_command_and_every_exit_code() -> None:
    done = run("--help", COLUMNS="200")
    assert all(f"  {name} " in done.stdout for name in program.COMMANDS)
    assert all(f"{code} " in done.stdout.partition("Exit codes:")[2] for code in (0, 1, 2, 3, 4, 5, 6, 130))


# --- usage -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["no-such-command"],
        ["--no-such-option"],
        ["--passphrase-file", "a", "--passphrase-command", "b", "whoami"],
        ["--dir", __file__, "whoami"],
    ],
)
def test_words_that_do_not_fit_end_with_2_and_nothing_on_stdout(words: list[str]) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr


# --- errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MauError("x"), 1),
        (PartlyDone("x"), 3),
        (WrongPassphrase("x"), 4),
        (IdentityError("x"), 6),
        (Interrupted("x"), 130),
        (click.ClickException("x"), 1),
    ],
)
def test_an_error_is_one_line_and_its_code(
    error: Exception, code: int, failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(error) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "mau: x\n"


def test_an_error_without_words_says_what_its_class_says(
    failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(WrongPassphrase()) == 4
    assert capsys.readouterr().err == "mau: The passphrase does not open the account.\n"


def test_text_from_elsewhere_in_an_error_is_cleaned_and_cannot_pass_for_another_message(
    failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]
) -> None:
    failing(MauError("bad \x1b[2J\u202e\nmau: all is well"))
    assert capsys.readouterr().err == "mau: bad \\x1b[2J\\u202e\n     mau: all is well\n"


def test_an_unexpected_error_names_its_kind_and_place_but_not_its_words(
    failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(ValueError("correct horse")) == 1
    err = capsys.readouterr().err
    assert err.startswith("mau: internal error: ValueError at ")
    assert "MAU_DEBUG=1" in err
    assert "horse" not in err
    assert err.count("\n") == 1


def test_a_library_that_panics_is_an_error_too(
    failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]
) -> None:
    class PanicException(BaseException):
        """As the bindings of Rust raise it."""

    assert failing(PanicException("poisoned")) == 1
    assert capsys.readouterr().err.startswith("mau: internal error: PanicException")


def test_the_traceback_is_there_for_whoever_asks(
    failing: Callable[[BaseException], int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAU_DEBUG", "1")
    assert failing(ValueError("x\x1b")) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "\x1b" not in err


def test_an_error_of_the_system_names_the_file(
    failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(FileNotFoundError(2, "No such file or directory", "a\x1bb")) == 1
    assert capsys.readouterr().err == "mau: No such file or directory: 'a\\x1bb'\n"


def test_errors_of_a_task_group_are_told_one_by_one(
    failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]
) -> None:
    group = BaseExceptionGroup("tasks", [ExceptionGroup("more", [PartlyDone("one")]), MauError("two")])
    assert failing(group) == 3
    assert capsys.readouterr().err == "mau: one\nmau: two\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort(), asyncio.CancelledError()])
def test_an_interruption_ends_with_130_or_is_no_success(
    error: BaseException, failing: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(error) == (1 if isinstance(error, asyncio.CancelledError) else 130)
    assert "Traceback" not in capsys.readouterr().err


def test_a_real_interrupt_ends_a_real_process_with_130() -> None:
    code = (
        "import click, sys, time; from mau_cli import main as m\n"
        "@click.command()\n"
        "def wait(): print('ready', flush=True); time.sleep(50)\n"
        "m.LazyGroup.get_command = lambda *_: wait\n"
        "sys.exit(m.main(['whoami']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err


def test_nobody_reading_is_no_drama(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run([*MAU, "--help"], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(write)
    assert done.returncode == 1
    assert done.stderr == ""


@pytest.mark.parametrize("closed", ["0", "1", "2"])
def test_a_closed_stream_is_no_drama(closed: str) -> None:
    script = f'exec {closed}>&-; exec "$0" "$@"'
    done = subprocess.run(["sh", "-c", script, *MAU, "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: mau") != (closed == "1")


def test_a_full_disk_is_said_in_a_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*MAU, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "mau: No space left on device\n"
