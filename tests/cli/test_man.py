"""`mau man`: pages that programs for manuals take without a word."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import click

from mau_cli.main import COMMANDS, cli
from mau_cli.manual import command_page, pages, topic_page
from mau_cli.topics import TOPICS
from tests.cli.conftest import Ended
from tests.conftest import need

PAGES = dict(pages(click.Context(cli, info_name="mau")))


def test_each_command_and_topic_has_a_page() -> None:
    assert {"mau.1", "mau-friend-add.1", *(f"mau-{one}.1" for one in COMMANDS)} <= set(PAGES)
    assert {f"mau-{one}.7" for one in TOPICS} <= set(PAGES)


def test_no_line_of_a_page_is_a_request_by_accident() -> None:
    known = {"TH", "SH", "TP", "PP", "B", "BR", "RS", "RE", "nf", "fi"}
    for text in PAGES.values():
        for line in text.splitlines():
            assert line[:1] != "'"
            if line.startswith("."):
                assert line[1:].partition(" ")[0] in known


def test_what_stands_in_the_help_stands_in_the_page_as_it_was_written() -> None:
    @click.command(help="It's -x \\ here.\n\n\b\n.TH no\n'quoted' \"too\"")
    @click.option("--all", is_flag=True, help="Everything.")
    def command() -> None:
        """Said above."""

    text = command_page(click.Context(command, info_name="it"))
    assert "It's \\-x \\e here." in text
    assert "\\&.TH no\n\\&'quoted' \\(dqtoo\\(dq" in text
    assert ".TP\n\\fB\\-\\-all\\fR\nEverything." in text


def test_the_formatter_of_the_system_finds_nothing_wrong(tmp_path: Path) -> None:
    need("groff")
    for name in ("mau.1", "mau-friend-add.1", "mau-watch.1", *(f"mau-{one}.7" for one in TOPICS)):
        (tmp_path / name).write_text(PAGES[name])
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-k", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    assert b"mau-friend-add" in done.stdout.replace(b"\x1b[1m", b"").replace(b"\x1b[0m", b"")


def test_pages_are_written_where_man_finds_them_and_one_is_printed(
    tmp_path: Path, mau: Callable[..., Ended]
) -> None:
    assert mau("man", "--write", tmp_path / "man").code == 0
    written = {path.relative_to(tmp_path / "man").as_posix() for path in tmp_path.glob("man/*/*")}
    assert written == {f"man{name[-1]}/{name}" for name in PAGES}
    assert mau("man", "references").text == topic_page("references")
    assert mau("man", "nothing").code == 2
