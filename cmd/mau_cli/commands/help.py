"""`mau help`: a command, or a topic that no command explains."""

from __future__ import annotations

import click

from mau.errors import UsageError
from mau_cli.output import data


@click.command("help")
@click.argument("words", metavar="[TOPIC | COMMAND...]", nargs=-1)
@click.pass_context
def command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Explain a command as its --help does, or a TOPIC; without words, list both.

    \b
    mau help friend add
    mau help exit-codes
    """
    from mau_cli.topics import TOPICS

    root = ctx.find_root()
    if not words:
        data(root.get_help())
        data("\nTopics (mau help TOPIC):")
        for name, line in TOPICS.items():
            data(f"  {name:<14}{line}")
        return
    if len(words) == 1 and words[0] in TOPICS:
        from mau_cli.manual import topic_lines

        for line in topic_lines(words[0]):
            data(line)
        return
    data(_found(root, words).get_help())


def _found(root: click.Context, words: tuple[str, ...]) -> click.Context:
    """The context of a command, as its own --help has it; UsageError for one that is not there."""
    ctx = root
    for number, word in enumerate(words):
        group = ctx.command
        command = group.get_command(ctx, word) if isinstance(group, click.Group) else None
        if command is None:
            raise UsageError(_unknown(ctx, words, number))
        ctx = click.Context(command, info_name=word, parent=ctx)
    return ctx


def _unknown(ctx: click.Context, words: tuple[str, ...], number: int) -> str:
    from difflib import get_close_matches

    from mau_cli.topics import TOPICS

    names = ctx.command.list_commands(ctx) if isinstance(ctx.command, click.Group) else []
    if not names:
        return f"{' '.join(words[:number])!r} has no commands of its own"
    meant = get_close_matches(words[number], [*names, *(TOPICS if number == 0 else ())])
    hint = f" Did you mean {' or '.join(map(repr, meant))}?" if meant else ""
    return f"there is no command or topic {' '.join(words[: number + 1])!r}.{hint}"
