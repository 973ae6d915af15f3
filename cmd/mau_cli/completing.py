"""What a shell may complete: click's own machinery for words of ours, and the names that a tree has.

The shell runs `mau` with ``_MAU_COMPLETE`` set each time somebody presses TAB (`mau completion` prints what
makes it do so). Nobody is asked for anything then, and nothing is ever said but what can be completed: names
of friends stand in the encrypted keyring and are offered only while the agent keeps the account open.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    _resolve_context,
    _resolve_incomplete,
    add_completion_class,
    split_arg_string,
)

if TYPE_CHECKING:
    from mau_cli.candidates import Candidates

SHELLS: Final = ("bash", "zsh", "fish")
VARIABLE: Final = "_MAU_COMPLETE"

_WORD: Final = re.compile(r"@?[A-Z]+")
_PATHS: Final = {"FILE": "file", "KEYFILE": "file", "DIRECTORY": "dir", "DIR": "dir", "FOLDER": "dir"}
_SAFE: Final = re.compile(r"[^\w@%+=:,./-]")
_MOST: Final = 200
"""Candidates of one word; a list that is longer helps nobody."""

# As click's, but the line goes over as it stands: bash splits it at : and = into words of its own, and then
# replaces only what follows the last of these.
_BASH: Final = """\
%(complete_func)s() {
    local type value
    COMPREPLY=()
    while IFS=',' read -r type value; do
        if [[ $type == 'dir' ]]; then
            compopt -o dirnames
        elif [[ $type == 'file' ]]; then
            compopt -o default
        elif [[ $type == 'plain' ]]; then
            COMPREPLY+=("$value")
        fi
    done < <(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_CWORD="$COMP_CWORD" \\
        MAU_WORDBREAKS="$COMP_WORDBREAKS" %(complete_var)s=bash_complete "$1")
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _Named(ShellComplete):
    """Adds the names that a tree has to what click knows of commands and options."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """What the word may become."""
        ctx = _resolve_context(self.cli, self.ctx_args, self.prog_name, args)
        meant, incomplete = _resolve_incomplete(ctx, args, incomplete)
        found = list(meant.shell_complete(ctx, incomplete))
        if isinstance(meant, click.Parameter) and not found:
            found = list(_of_parameter(ctx, meant, incomplete))
        return found[:_MOST]


class Bash(_Named, BashComplete):
    """For bash 4.4 and newer."""

    source_template = _BASH

    def source(self) -> str:
        """The script."""
        return self.source_template % self.source_vars()

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is completed, and what there is of that one."""
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)[1:]
        if not words or line[-1:].isspace():
            return words, ""
        return words[:-1], words[-1]

    def complete(self) -> str:
        """The candidates, each without the part of it that bash takes for a word that is complete."""
        args, incomplete = self.get_completion_args()
        breaks = set(os.environ.get("MAU_WORDBREAKS", ":=")) & set(":=")
        kept = max((incomplete.rfind(one) + 1 for one in breaks), default=0)
        lines = []
        for item in self.get_completions(args, incomplete):
            value = item.value
            if item.type == "plain":
                value = _SAFE.sub(r"\\\g<0>", value[kept:] if value.startswith(incomplete[:kept]) else value)
            lines.append(f"{item.type},{value}")
        return "".join(f"{line}\n" for line in lines)


class Zsh(_Named, ZshComplete):
    """For zsh."""


class Fish(_Named, FishComplete):
    """For fish, whose script splits what it gets at commas."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """As the others, without what it would cut in two."""
        return [one for one in super().get_completions(args, incomplete) if "," not in one.value]


def register() -> None:
    """Let click know them; called when a shell asks, and by `mau completion`."""
    for shell in (Bash, Zsh, Fish):
        add_completion_class(shell)


def script(shell: str, cli: click.Command) -> str:
    """What the shell has to read once; ``shell`` is one of `SHELLS`."""
    kinds: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}
    return kinds[shell](cli, {}, "mau", VARIABLE).source()


# --- words -------------------------------------------------------------------------------------------------


def words_of(parameter: click.Parameter) -> set[str]:
    """What a parameter stands for, by the words of its metavar: WHO, @GROUP, REF, FILE ..."""
    metavar = parameter.metavar
    if metavar is None and isinstance(parameter, click.Argument):
        metavar = (parameter.name or "").upper()
    return set(_WORD.findall(metavar or ""))


def _of_parameter(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> Iterator[CompletionItem[str]]:
    words = words_of(parameter)
    for word in words & _PATHS.keys():
        yield CompletionItem(incomplete, type=_PATHS[word])
    from mau_cli.candidates import Candidates
    from mau_cli.output import clean

    directory = ctx.find_root().params.get("directory")
    candidates = Candidates(directory)
    for value in _values(candidates, words, parameter, ctx.params, incomplete):
        # What others called a post is shown by the shell, which shows everything as it is.
        if value.casefold().startswith(incomplete.casefold()) and clean(value) == value:
            yield CompletionItem(value)


def _values(
    candidates: Candidates,
    words: set[str],
    parameter: click.Parameter,
    given: dict[str, Any],
    incomplete: str,
) -> Iterator[str]:
    if words & {"WHO", "FRIEND", "PEER"} or (words == {"FPR"}):
        yield from candidates.people(incomplete)
    if words & {"@GROUP"}:
        yield from (f"@{group}" for group in candidates.groups())
    if "GROUP" in words:
        yield from candidates.groups()
    if "REF" in words:
        yield from candidates.refs(incomplete)
    if "TAG" in words or parameter.name == "tag":
        yield from candidates.tags()
    if "TYPE" in words or parameter.name in {"type", "types"}:
        from mau.content.kinds import KINDS

        yield from KINDS
    if parameter.name == "algorithm":
        from mau.reader.algorithms.loading import names

        yield from names()
    if words & {"KEY"} and isinstance(parameter, click.Argument):
        yield from candidates.settings()
    if "TOPIC" in words:
        from mau_cli.main import COMMANDS
        from mau_cli.topics import TOPICS

        yield from [*TOPICS, *COMMANDS]
    if "COMMAND" in words and isinstance(parameter, click.Argument):
        from mau_cli.main import COMMANDS

        yield from COMMANDS
    if "SHELL" in words:
        yield from SHELLS
    if "NAME" in words and isinstance(parameter, click.Argument):
        who = given.get("who")
        yield from candidates.posts(who if isinstance(who, str) else None)
