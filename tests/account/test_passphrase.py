"""Where a passphrase comes from, in which order, and that no message ever holds it."""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path

import pytest

from mau.errors import MauError, PassphraseError, PassphraseNeeded, UsageError
from mau.passphrase import Passphrase, check_new, find_passphrase

SECRET = "Dürre Kühe 77"
PRINT = f"{sys.executable} -c 'print(\"{SECRET}\")'"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_text(SECRET + "\n")
    return path


def refused(error: type[MauError], **sources: object) -> str:
    """The words of the refusal, proven to be without the secret in all that Python could print of it."""
    with pytest.raises(error) as caught:
        find_passphrase(None, **{"environ": {}, **sources})  # type: ignore[arg-type]
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_the_sources_come_in_their_order(file: Path, tmp_path: Path) -> None:
    environ = {**os.environ, "MAU_PASSPHRASE": "from the environment"}
    command = f"{sys.executable} -c 'print(\"from the command\")'"

    def ask() -> str:
        return "from the terminal"

    def found(**sources: object) -> str:
        return find_passphrase(None, **sources).text  # type: ignore[arg-type]

    assert found(file=file, command=command, environ=environ, ask=ask) == SECRET
    assert found(command=command, environ=environ, ask=ask) == "from the command"
    assert found(environ=environ, ask=ask) == "from the environment"
    assert found(environ={"MAU_PASSPHRASE": ""}, ask=ask) == "from the terminal"
    assert found(environ={}, ask=ask) == "from the terminal"


def test_with_no_source_and_no_terminal_the_error_names_the_ways(file: Path) -> None:
    words = refused(PassphraseNeeded)
    assert "--passphrase-file" in words and "--passphrase-command" in words and "MAU_PASSPHRASE" in words


def test_a_source_that_fails_is_not_passed_over(tmp_path: Path) -> None:
    refused(PassphraseError, file=tmp_path / "none", environ={"MAU_PASSPHRASE": SECRET}, ask=lambda: SECRET)
    refused(PassphraseError, command="false", environ={"MAU_PASSPHRASE": SECRET}, ask=lambda: SECRET)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nsecond line\n", "\n\n\n"])
def test_of_a_file_the_first_line_without_its_end_is_taken(file: Path, end: str) -> None:
    file.write_bytes((SECRET + end).encode())
    assert find_passphrase(None, file=file).text == SECRET


def test_blanks_are_part_of_a_passphrase(file: Path) -> None:
    file.write_text("  a b \t\n")
    assert find_passphrase(None, file=file).text == "  a b \t"


@pytest.mark.parametrize("content", [b"", b"\n", b"\nsecond line", b"\r\n", b"\xff\xfe\n", b"a" * 70_000])
def test_a_file_without_a_passphrase_is_refused_by_its_name(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert str(file) in refused(PassphraseError, file=file)


def test_a_missing_file_a_directory_and_a_name_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path, tmp_path / ("x" * 300)):
        assert str(path) in refused(PassphraseError, file=path)


def test_a_file_that_others_can_read_is_taken_with_a_warning(file: Path) -> None:
    for mode, warned in ((0o600, False), (0o400, False), (0o640, True), (0o604, True), (0o644, True)):
        file.chmod(mode)
        said: list[str] = []
        assert find_passphrase(None, file=file, warn=said.append).text == SECRET
        assert bool(said) == warned
        assert SECRET not in "".join(said)


def test_a_pipe_serves_as_a_file() -> None:
    out, into = os.pipe()
    os.write(into, SECRET.encode() + b"\n")
    os.close(into)
    said: list[str] = []
    assert find_passphrase(None, file=Path(f"/dev/fd/{out}"), warn=said.append).text == SECRET
    os.close(out)
    assert not said


def test_of_a_command_the_first_line_is_taken() -> None:
    code = f"import sys; print({SECRET!r}); print('more'); print('words', file=sys.stderr)"
    assert find_passphrase(None, command=f'{sys.executable} -c "{code}"').text == SECRET


def test_no_shell_looks_at_a_command(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    words = f"printf '%s' '$HOME; touch {trace} | `id` && x > {trace}'"
    assert find_passphrase(None, command=words).text == f"$HOME; touch {trace} | `id` && x > {trace}"
    assert find_passphrase(None, command=f"printf %s a ; touch {trace}").text
    assert not trace.exists()


def test_a_command_gets_neither_standard_input_nor_another_passphrase() -> None:
    code = "import os, sys; print(repr(sys.stdin.read()), os.environ.get('MAU_PASSPHRASE'))"
    environ = {**os.environ, "MAU_PASSPHRASE": SECRET}
    assert find_passphrase(None, command=f'{sys.executable} -c "{code}"', environ=environ).text == "'' None"


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("sys.exit(3)", "exit status 3"),
        ("os.kill(os.getpid(), 15)", "signal 15"),
        ("os._exit(1)", "exit status 1"),
    ],
)
def test_a_command_that_fails_is_refused_whatever_it_printed(end: str, words: str) -> None:
    code = f"import os, sys; print({SECRET!r}, flush=True); {end}"
    assert words in refused(
        PassphraseError, command=f'{sys.executable} -c "{code}"', environ=dict(os.environ)
    )


def test_of_a_command_only_the_program_is_shown() -> None:
    for command in (f"false {SECRET}", f"/nowhere/at/all --token '{SECRET}'", f"/etc '{SECRET}'"):
        assert command.split()[0] in refused(PassphraseError, command=command)


@pytest.mark.parametrize("command", ["", "   ", "'unfinished", "x \\"])
def test_a_command_that_is_none_is_a_mistake_of_usage(command: str) -> None:
    assert "--passphrase-command" in refused(UsageError, command=command)


@pytest.mark.parametrize("code", ["pass", "print()", "sys.stdout.buffer.write(bytes([255, 254]))"])
def test_a_command_that_prints_no_passphrase_is_refused(code: str) -> None:
    refused(PassphraseError, command=f'{sys.executable} -c "import sys; {code}"', environ=dict(os.environ))


def test_a_command_that_prints_without_end_is_stopped() -> None:
    start = time.monotonic()
    assert "more than a passphrase" in refused(PassphraseError, command="yes")
    assert time.monotonic() - start < 10


def test_what_is_no_text_in_the_environment_or_on_the_terminal_is_refused() -> None:
    refused(PassphraseError, environ={"MAU_PASSPHRASE": "\udcff"})
    refused(PassphraseError, ask=lambda: "\udcff")
    refused(PassphraseError, ask=lambda: "")


def test_neither_repr_nor_str_shows_a_passphrase() -> None:
    found = Passphrase(SECRET, "the file")
    assert SECRET not in f"{found} {found!r} {[found]} {found.source}"


def test_a_new_passphrase_may_be_long_but_not_longer_than_gpg_agent_takes() -> None:
    assert check_new("x" * 255) == "x" * 255
    for bad in ("x" * 256, "é" * 128, "", "a\nb", "a\x00"):
        with pytest.raises(PassphraseError):
            check_new(bad)
