"""Manual pages, made of the help: roff with the macros of man(7), one page for each command and topic. Pure.

There are programs that do this for click; those on PyPI know no groups that load their commands late, and no
topics. The page of a command is what its --help says, in the sections of man-pages(7).
"""

from __future__ import annotations

import inspect
import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

import click

from mau import __version__
from mau_cli.topics import TOPICS, topic_text

COMMANDS_SECTION: Final = "1"
TOPICS_SECTION: Final = "7"
_WIDEST: Final = 100


def pages(root: click.Context) -> Iterator[tuple[str, str]]:
    """Every page as (file name, text): ``mau.1``, ``mau-friend-add.1``, ``mau-exit-codes.7``."""
    for ctx in walk(root):
        yield f"{page_name(ctx)}.{COMMANDS_SECTION}", command_page(ctx)
    for topic in TOPICS:
        yield f"mau-{topic}.{TOPICS_SECTION}", topic_page(topic)


def walk(ctx: click.Context) -> Iterator[click.Context]:
    """The contexts of a command and of all below it, as their own --help has them."""
    yield ctx
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            if command is not None and not command.hidden:
                yield from walk(click.Context(command, info_name=name, parent=ctx))


def page_name(ctx: click.Context) -> str:
    """``mau-friend-add``."""
    return ctx.command_path.replace(" ", "-")


def command_page(ctx: click.Context) -> str:
    """The page of one command."""
    name, command = page_name(ctx), ctx.command
    lines = [_title(name, COMMANDS_SECTION), ".SH NAME", f"{_text(name)} \\- {_text(_line(ctx))}"]
    pieces = " ".join(_text(piece) for piece in command.collect_usage_pieces(ctx))
    lines += [".SH SYNOPSIS", f".B {_text(ctx.command_path)}", pieces]
    lines += [".SH DESCRIPTION", *_paragraphs(inspect.cleandoc(command.help or "").partition("\f")[0])]
    records = (one.get_help_record(ctx) for one in command.get_params(ctx))
    options = [record for record in records if record is not None and record[1]]
    if options:
        lines += [".SH OPTIONS", *_listed(options)]
    if isinstance(command, click.Group):
        below = [one for one in walk(ctx) if one.parent is ctx]
        lines += [".SH COMMANDS", *_listed([(f"{page_name(one)}(1)", _line(one)) for one in below])]
    lines += [
        ".SH EXIT STATUS",
        "0 when it was done; what else there is says",
        f".BR {_text('mau-exit-codes')} (7).",
    ]
    lines += [".SH SEE ALSO", *_others(ctx)]
    return "\n".join(lines) + "\n"


def topic_page(topic: str) -> str:
    """The page of one topic."""
    name = f"mau-{topic}"
    words = TOPICS[topic].rstrip(".")
    lines = [_title(name, TOPICS_SECTION), ".SH NAME", f"{_text(name)} \\- {_text(words)}"]
    lines += [".SH DESCRIPTION", *_paragraphs(topic_text(topic))]
    lines += [".SH SEE ALSO", ".BR mau (1)"]
    return "\n".join(lines) + "\n"


def topic_lines(topic: str, width: int | None = None) -> Iterator[str]:
    """A topic as a terminal shows it: paragraphs as wide as that, what is set in as it stands."""
    room = min(width or shutil.get_terminal_size().columns, _WIDEST)
    for number, block in enumerate(_blocks(topic_text(topic))):
        if number:
            yield ""
        if block[0].startswith("  "):
            yield from block
        else:
            yield from textwrap.wrap(" ".join(block), room, break_long_words=False, break_on_hyphens=False)


# --- pieces ------------------------------------------------------------------------------------------------


def _title(name: str, section: str) -> str:
    # No date: the page of one release is the same wherever and whenever it is made.
    return f'.TH "{_text(name.upper())}" "{section}" "" "mau {__version__}" "Mau"'


def _line(ctx: click.Context) -> str:
    """What it does in one line: as the table of commands says it, else the first sentence of its help."""
    from mau_cli.main import COMMANDS

    words = ctx.command_path.split()
    known = COMMANDS.get(words[1], "") if len(words) == 2 else ""
    return (known or ctx.command.get_short_help_str(200)).rstrip(".")


def _paragraphs(text: str) -> list[str]:
    """Paragraphs; those that click does not wrap (``\\b``), and those that are set in, stand as they are."""
    lines: list[str] = []
    for number, block in enumerate(_blocks(text)):
        lines += [".PP"] if number else []
        if block[0].strip() == "\b":
            lines += _verbatim(block[1:])
        elif block[0].startswith("  "):
            lines += _verbatim(block)
        else:
            lines += map(_text, block)
    return lines


def _blocks(text: str) -> list[list[str]]:
    """Paragraphs as lists of lines."""
    found = (block.strip("\n").split("\n") for block in re.split(r"\n[ \t]*\n", text.strip("\n")))
    return [block for block in found if any(line.strip() for line in block)]


def _verbatim(block: Sequence[str]) -> list[str]:
    lines = textwrap.dedent("\n".join(block)).split("\n")
    return [".RS", ".nf", *map(_text, lines), ".fi", ".RE"]


def _listed(records: Sequence[tuple[str, str]]) -> list[str]:
    return [
        line
        for term, words in records
        for line in (".TP", f"\\fB{_text(term)}\\fR", _text(" ".join(words.split())))
    ]


def _others(ctx: click.Context) -> list[str]:
    if ctx.parent is None:
        return [f".BR {_text(f'mau-{topic}')} (7)" for topic in TOPICS]
    return [f".BR {_text(page_name(ctx.parent))} (1)"]


def _text(words: str) -> str:
    """A line of text that roff takes as it is."""
    line = words.rstrip().replace("\t", "    ")
    line = line.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{line}" if line[:1] in (".", "'") else line
