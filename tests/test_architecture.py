"""The shape of the project: what it offers, what it costs to start, and that the papers say what is there."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest

import mau
from mau import errors
from mau.account import Account
from mau.errors import MauError
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from mau_cli.main import COMMANDS, cli

CHECKOUT = Path(__file__).parents[1]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
HEAVY = {"pgpy", "aiohttp", "pyld", "keyring", "OpenSSL", "sqlite3", "zeroconf"}
ERRORS = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, MauError)]


# --- the library's face ------------------------------------------------------------------------------------


def test_the_public_names_are_these() -> None:
    assert mau.__all__ == [
        "PUBLIC",
        "Account",
        "Attachment",
        "Feed",
        "Fingerprint",
        "Found",
        "Friend",
        "Keyring",
        "MauError",
        "Me",
        "Post",
        "Posted",
        "Root",
        "Server",
        "Turn",
        "__version__",
        "open_account",
        "open_post",
        "publish_document",
        "publish_file",
        "sync_once",
    ]


@pytest.mark.parametrize("name", mau.__all__)
def test_each_public_name_is_there_and_says_what_it_is(name: str) -> None:
    assert name == "__version__" or inspect.getdoc(getattr(mau, name))


def test_importing_the_library_imports_nothing_else_of_it() -> None:
    assert imported_by("import mau") == {"mau"}


def test_a_name_that_is_not_public_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = mau.Nothing


# --- what commands import ----------------------------------------------------------------------------------


def imported_by(code: str, **environment: str) -> set[str]:
    """The modules of ours and the heavy libraries that are there after running the code."""
    note = "import sys; print(*sys.modules, sep='\\n', file=sys.__stderr__)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{note}"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name for name in done.stderr.split("\n") if name.partition(".")[0] in {*HEAVY, "mau", "mau_cli"}}


def test_the_help_imports_the_table_of_commands_and_the_errors_only() -> None:
    assert imported_by("from mau_cli.main import main; assert main(['--help']) == 0") == {
        "mau",
        "mau.errors",
        "mau_cli",
        "mau_cli.main",
    }


def test_whoami_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    Account.create(Root(tmp_path), SecretKey.generate("Alice", "alice@example.org"), "secret words")
    modules = imported_by(
        "from mau_cli.main import main; assert main(['whoami']) == 0",
        MAU_DIR=str(tmp_path),
        MAU_PASSPHRASE="secret words",
    )
    assert not {name.partition(".")[0] for name in modules} & HEAVY
    rooms = {name.split(".")[1] for name in modules if name.startswith("mau.")}
    assert not rooms & {"content", "server", "syncer", "reader", "addressbook", "keyring"}


def test_no_command_imports_the_libraries_of_another_before_it_runs() -> None:
    names = [f"mau_cli.commands.{name.replace('-', '_')}" for name in COMMANDS]
    code = f"from importlib import import_module; list(map(import_module, {names}))"
    found = {name.partition(".")[0] for name in imported_by(code)}
    assert not found & HEAVY


# --- errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_each_error_has_words_a_code_and_a_place_in_the_drawn_tree(error: type[MauError]) -> None:
    assert error.__doc__
    assert error.exit_code in {1, 2, 3, 4, 5, 6, 130}
    assert re.search(rf"\b{error.__name__}\b", errors.__doc__ or "")


def test_the_readme_lists_each_code_with_its_errors() -> None:
    table = dict(re.findall(r"^\| (\d+) \|.*\| ?(.*?) ?\|$", README, re.MULTILINE))
    assert set(table) == {"0"} | {str(error.exit_code) for error in ERRORS}
    listed = {code: set(re.findall(r"`(\w+)`", words)) for code, words in table.items()}
    for error in ERRORS:
        assert error.__name__ in listed[str(error.exit_code)]
    assert set.union(*listed.values()) == {error.__name__ for error in ERRORS}


# --- papers ------------------------------------------------------------------------------------------------

SHELL = "\n".join(re.findall(r"```(?:sh|console)\n(.*?)```", README, re.DOTALL))
EXAMPLES = sorted(
    {line.split(" #")[0].strip() for line in re.findall(r"(?:^|\$ )mau ([^\n>|]*)", SHELL, re.M)}
)


def test_the_readme_has_the_two_commands_that_do_the_set_up() -> None:
    assert "pip install . && mau demo" in SHELL
    assert "pip install '.[test]' && pytest" in SHELL


def test_what_is_checked_before_a_change_goes_in_is_what_the_readme_says() -> None:
    script = (CHECKOUT / ".ci" / "run").read_text()
    assert "pip install --quiet '.[test]'" in script
    assert re.search(r"^pytest\b", script, re.MULTILINE)
    assert "mau demo" in script


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_command_in_the_readme_exists_with_its_options(example: str) -> None:
    command: click.Command = cli
    known = {option for one in cli.params for option in one.opts} | {"--help"}
    with click.Context(cli) as context:
        for word in shlex.split(example):
            if word.startswith("-"):
                assert word in known
            elif (
                isinstance(command, click.Group) and (found := command.get_command(context, word)) is not None
            ):
                command = found
                known |= {option for one in command.params for option in one.opts}
    assert command is not cli or example.startswith("-")


def test_the_programs_in_the_papers_use_what_is_there() -> None:
    [shown] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    said = inspect.cleandoc((mau.__doc__ or "").partition("awaited):\n")[2].partition("\n\n`Me` says")[0])
    for program in (shown, said):
        tree = ast.parse("async def program():\n" + textwrap.indent(program, "    "))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if isinstance(node.func.value, ast.Name) and node.func.value.id in {"me", "mau"}:
                home = mau if node.func.value.id == "mau" else mau.Me
                parameters = inspect.signature(getattr(home, node.func.attr)).parameters
                assert {word.arg for word in node.keywords} <= set(parameters)


def test_every_module_says_what_it_is_about() -> None:
    silent = [
        str(path.relative_to(CHECKOUT))
        for room in ("mau", "cmd")
        for path in (CHECKOUT / room).rglob("*.py")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_program_is_started_without_saying_what_its_environment_is() -> None:
    starting = {"Popen", "run", "call", "check_call", "check_output", "create_subprocess_exec"}
    silent = [
        f"{path.relative_to(CHECKOUT)}:{node.lineno}"
        for room in ("mau", "cmd")
        for path in (CHECKOUT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in starting
        if isinstance(node.func.value, ast.Name)
        if node.func.value.id == "subprocess" or node.func.attr == "create_subprocess_exec"
        if "env" not in {word.arg for word in node.keywords}
    ]
    assert silent == []  # ours holds the passphrase: `mau.passphrase.without_passphrase`


def rules() -> dict[str, set[str]]:
    """The numbers of the rules of each paper; of a number with a point the part before it, too."""
    found = {}
    for path in sorted((CHECKOUT / "spec").glob("*.md")):
        numbers = re.findall(r"\*\*([A-Z]+\d+(?:\.\d+)?)\*\*", path.read_text(encoding="utf-8"))
        found[path.name] = {*numbers, *(number.partition(".")[0] for number in numbers)}
    return found


def test_the_letters_of_a_rule_say_which_paper_it_is_in() -> None:
    papers: dict[str, list[str]] = {}
    for paper, numbers in rules().items():
        for letters in sorted({re.sub(r"[\d.]", "", number) for number in numbers}):
            papers.setdefault(letters, []).append(paper)
    # These were given twice, and are known by them since; no more become so.
    assert {letters for letters, found in papers.items() if len(found) > 1} <= set("ACDKNRSW")


def test_each_rule_that_is_named_with_its_paper_is_there() -> None:
    known = rules()
    naming = re.compile(r"\b([a-z]+\.md)`?,?\s\(?(([A-Z]{1,2})\d[\d.]*\b(?:(?:-|, | and )\3\d[\d.]*\b)*)")
    missing = [
        f"{path.relative_to(CHECKOUT)}: {paper} {number}"
        for room in ("mau", "cmd", "tests", "spec", "examples")
        for path in sorted((CHECKOUT / room).rglob("*"))
        if path.suffix in {".py", ".md"}
        for paper, words, _ in naming.findall(path.read_text(encoding="utf-8"))
        # Not the end of a span: it may be free.
        for number in re.findall(r"(?<!-)\b[A-Z]+\d+(?:\.\d+)?", words)
        if paper in known and number not in known[paper]
    ]
    assert missing == []


def test_every_room_stands_in_the_readme() -> None:
    rooms = {path.name for path in (CHECKOUT / "mau").iterdir() if path.name.endswith(".py") or path.is_dir()}
    rooms -= {"__init__.py", "__pycache__"}
    named = set(re.findall(r"`(?:mau/)?([\w.]+)/?`", README))
    assert rooms - named == set()


def test_the_version_is_the_one_that_the_changelog_is_about() -> None:
    changelog = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[(Unreleased|{re.escape(mau.__version__)})\]", changelog, re.MULTILINE)
    assert "### Security" in changelog


def test_a_command_module_can_be_imported_by_itself() -> None:
    for name in COMMANDS:
        assert importlib.import_module(f"mau_cli.commands.{name.replace('-', '_')}").__doc__
