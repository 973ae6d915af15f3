"""`mau help`: commands as their --help says it, topics as the code is; and the manners of all commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from mau import errors
from mau.config.keys import KEYS
from mau.content import kinds
from mau.content.frontmatter import document_of, read_page
from mau.reader.algorithms.loading import names
from mau.reader.algorithms.view import Context, Order, View
from mau_cli.main import COMMANDS, SECTIONS, cli, main
from mau_cli.manual import topic_lines, walk
from mau_cli.topics import TOPICS, topic_text
from mau_cli.topics.environment import READ
from mau_cli.topics.exit_codes import MEANINGS
from tests.cli.conftest import Ended

CHECKOUT = Path(__file__).parents[2]
ALL = list(walk(click.Context(cli, info_name="mau")))
LEAVES = [ctx for ctx in ALL if not isinstance(ctx.command, click.Group)]


GPG = {"--decrypt", "--encrypt", "--sign"}


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["help", *words]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


# --- mau help ----------------------------------------------------------------------------------------------


def test_without_words_commands_and_topics_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys)
    assert all(re.search(rf"^  {re.escape(name)} ", out, re.MULTILINE) for name in [*COMMANDS, *TOPICS])


@pytest.mark.parametrize("words", [["post"], ["friend"], ["friend", "add"]])
def test_a_command_is_explained_as_its_own_help_does(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--help"]) == 0
    assert shown(capsys, *words) == capsys.readouterr().out or shown(capsys, *words).startswith("Usage: mau")
    main([*words, "--help"])
    theirs = capsys.readouterr().out
    assert shown(capsys, *words) == theirs


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["pots"], "'post'"),
        (["friend", "ad"], "'add'"),
        (["exit-code"], "'exit-codes'"),
        (["post", "x"], "no commands"),
    ],
)
def test_what_is_not_there_is_said_with_what_may_be_meant(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["help", *words]) == 2
    assert hint in capsys.readouterr().err


# --- topics and reality ------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_fits_a_terminal_of_80_columns(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert topic not in COMMANDS
    assert len(TOPICS[topic]) < 64
    assert all(len(line) <= 80 and line.isprintable() for line in topic_lines(topic, 80))
    assert len(shown(capsys, topic).splitlines()) > 5


def test_the_exit_codes_are_those_of_the_errors() -> None:
    text = topic_text("exit-codes")
    codes = {error.exit_code for error in vars(errors).values() if _is_error(error)}
    assert codes | {0} == set(MEANINGS)
    for name, error in vars(errors).items():
        if _is_error(error):
            block = text.partition(f" {error.exit_code}  {MEANINGS[error.exit_code]}\n")[2]
            assert re.search(rf"\b{name}\b", re.split(r"^ {1,5}\d+  ", block, flags=re.MULTILINE)[0])


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, errors.MauError)


def test_the_variables_are_those_that_the_code_reads() -> None:
    known = set(READ) | {key.variable for key in KEYS}
    # By what terminals say which they are, what a shell sets while it completes, and the system's own.
    others = {
        "TMUX",
        "COLORTERM",
        "KITTY_WINDOW_ID",
        "TERM_PROGRAM",
        "LC_TERMINAL",
        "MAU_WORDBREAKS",
        "COMP_WORDS",
        "PYTHONPATH",
        "PATH",
        "HOME",
        "MAU_",
        "GNUPGHOME",
    }
    found = set()
    for room in ("mau", "cmd"):
        for path in (CHECKOUT / room).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            found |= set(re.findall(r'(?:environ(?:\.get\(|\[))"([A-Z_]+)"', text))
            found |= set(re.findall(r'"(MAU_[A-Z_]+)"', text))
    assert found - others <= known


def test_the_algorithm_that_the_help_shows_orders_posts() -> None:
    shown = [line[2:] for line in topic_text("algorithms").splitlines() if line.startswith("  ")]
    source = "\n".join(shown[shown.index("def order(posts, context):") :])
    place: dict[str, Order] = {}
    exec(source, place)  # type: ignore[arg-type]  # noqa: S102 (our own words)
    posts = [View("a", "alice", 2), View("b", "bob", 1)]
    ordered = place["order"](posts, Context(now=3, me="me", ties={"bob": 2}))
    assert [one.id for one in ordered if isinstance(one, View)] == ["b", "a"]
    assert all(f"  {name} " in topic_text("algorithms") for name in names())


def test_the_draft_that_the_help_shows_is_one() -> None:
    shown = [line[2:] for line in topic_text("formats").splitlines() if line.startswith("  ")]
    page = read_page("\n".join(shown[shown.index("---") : shown.index("Pour, and wait.") + 1]) + "\n")
    document = document_of(page, kinds.KINDS["Article"])
    assert (document["headline"], document["keywords"]) == ("Tea", ["kitchen"])
    assert page.meta["for"] == ["bob", "@tea"]


def test_every_setting_is_explained() -> None:
    text = topic_text("settings")
    assert all(re.search(rf"^  {re.escape(key.name)}$", text, re.MULTILINE) for key in KEYS)


@pytest.mark.parametrize("topic", TOPICS)
def test_the_commands_and_options_that_a_topic_names_are_there(topic: str) -> None:
    text = topic_text(topic)
    for word in re.findall(r"\bmau ([a-z][a-z-]*)", text):
        assert word in COMMANDS
    options = {option for ctx in ALL for one in ctx.command.params for option in one.opts} | GPG
    assert set(re.findall(r"--[a-z][a-z-]+", text)) <= options


# --- all commands ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ctx", ALL, ids=lambda ctx: ctx.command_path)
def test_every_command_says_what_it_does_in_a_line_and_a_help(ctx: click.Context) -> None:
    words = ctx.command.get_short_help_str(1000)
    assert ctx.command.help
    assert words[0].isupper() or words.startswith("`")
    help_ = ctx.get_help()
    assert help_.startswith(f"Usage: {ctx.command_path}")
    assert all(len(line) <= 100 for line in help_.splitlines() if "\b" not in line)
    for one in ctx.command.params:
        if isinstance(one, click.Option) and not one.hidden:
            assert one.help, f"{ctx.command_path} {one.opts[0]} says nothing"
            assert one.help[-1] in ".])", f"{ctx.command_path} {one.opts[0]}"


def test_every_line_of_the_table_fits_80_columns() -> None:
    assert all(len(words) < 66 and words.endswith(".") for words in COMMANDS.values())
    assert sum(map(len, SECTIONS.values())) == len(COMMANDS), "a command stands in two sections"


def _lists(ctx: click.Context) -> bool:
    words = (ctx.command.help or "").lstrip().partition(" ")[0]
    return words in {"List", "Show", "Find", "Search"} and ctx.command_path not in _PICTURES


_PICTURES = {"mau man", "mau help", "mau unmute"}


@pytest.mark.parametrize("ctx", [one for one in LEAVES if _lists(one)], ids=lambda ctx: ctx.command_path)
def test_whatever_lists_or_shows_does_so_for_programs_too(ctx: click.Context) -> None:
    assert any("--json" in one.opts for one in ctx.command.params)


def _without_arguments() -> Iterator[list[str]]:
    for ctx in LEAVES:
        yield ctx.command_path.split()[1:]


_NEED_NOTHING = {"demo", "help", "man", "completion", "lock", "config", "doctor", "service", "init"}


@pytest.mark.parametrize(
    "words", [one for one in _without_arguments() if one[0] not in _NEED_NOTHING], ids=" ".join
)
def test_a_command_without_an_account_and_without_a_terminal_ends_and_does_not_ask(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Path("/dev/null").open())  # noqa: SIM115 (to the end of the process)
    monkeypatch.setattr("click.prompt", lambda *_, **__: pytest.fail("it asks"))
    code = main(["--dir", str(tmp_path / "nothing"), *words])
    captured = capsys.readouterr()
    assert code in {1, 2, 4}, (code, captured)
    assert captured.err.startswith(("mau: ", "Usage: "))
    assert "internal error" not in captured.err
    assert not (tmp_path / "nothing" / ".mau").exists()


def test_an_unknown_command_is_said_with_what_may_be_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timelin"]) == 2
    assert "Did you mean 'timeline'?" in capsys.readouterr().err
    assert main(["xyzzy"]) == 2
    assert "Did you mean" not in capsys.readouterr().err


# --- the terminal ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "bold"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"CLICOLOR": "0"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_are_where_they_are_wanted(
    env: dict[str, str], bold: bool, on_terminal: Callable[..., Ended], alice: object
) -> None:
    done = on_terminal("whoami", env={"TERM": "xterm", **env, "MAU_PASSPHRASE": "Dürre Kühe 77"})
    assert done.code == 0
    assert ("\x1b[" in done.err) <= bold
