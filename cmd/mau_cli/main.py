"""The way in: which commands there are, and what becomes of an error.

Nothing is imported here but click and the tree of errors. A command's module is imported when that command
runs, so `mau --help` costs the same however many commands there are, and no command pays for another.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from mau.errors import Interrupted, MauError

if TYPE_CHECKING:
    from types import TracebackType

    from click.shell_completion import CompletionItem

# Heading -> command -> its one line of help. The module is mau_cli.commands.COMMAND, with _ for -.
SECTIONS: dict[str, dict[str, str]] = {
    "Account": {
        "init": "Make an account.",
        "whoami": "Show whose account this is.",
        "key": "Show, extend and revoke your key.",
        "export": "Write out your public key, or a post for other programs.",
        "passphrase": "Change the passphrase.",
        "unlock": "Keep the account open, so that no command asks to open it.",
        "lock": "Close the account again.",
    },
    "People": {
        "friend": "Add, confirm, show and remove friends.",
        "invite": "Print a link with which somebody adds you.",
        "requests": "Say yes or no to those who answered an invite.",
        "group": "Put friends into groups.",
        "follow": "Follow somebody's posts.",
        "unfollow": "Follow somebody's posts no longer; what is held stays.",
        "follows": "List whom you follow.",
        "peer": "Show where people are, and say so by hand.",
        "block": "Refuse somebody, or list who is refused.",
        "unblock": "Refuse somebody no longer.",
    },
    "Writing": {
        "post": "Post a text.",
        "new": "Write a post of any type in your editor.",
        "edit": "Edit a post of yours, or a draft, in your editor.",
        "drafts": "List what is not published yet.",
        "publish": "Make a post of a draft, or of each file of a folder.",
        "share": "Post a file as it is.",
        "delete": "Delete a post of yours, and tell those who could read it.",
        "undelete": "Bring a deleted post of yours back.",
        "sign": "Sign a post of yours that an editor saved without a signature.",
    },
    "Reading": {
        "timeline": "Show the newest posts of everybody you follow.",
        "read": "Show them, and mark as read what was shown.",
        "open": "Open a post, after checking it.",
        "search": "Find posts by their words.",
        "tag": "Show the posts with a tag.",
        "watch": "Tell of each new post, or run a program for it.",
        "mark": "Mark posts as read or unread.",
        "mute": "Hide somebody, a tag, a thread or words; or list what is hidden.",
        "unmute": "Show it again.",
        "attachments": "List, save or show the files that belong to a post.",
        "files": "List somebody's posts.",
        "versions": "List the older contents of a post.",
        "recipients": "Show who can read a post.",
    },
    "Conversations": {
        "reply": "Answer a post.",
        "message": "Write to somebody, or to several.",
        "thread": "Show a post with all that was answered to it.",
        "like": "Say that you like a post.",
        "dislike": "Say that you do not like a post.",
        "unlike": "Take a like or a dislike back.",
        "repost": "Pass on where a post is.",
        "bookmark": "Note a post, to find it again.",
    },
    "Network": {
        "up": "Serve, find and sync until Ctrl-C.",
        "service": "Let systemd run `mau up` for you.",
        "serve": "Let friends fetch what is for them, and everybody what is public.",
        "sync": "Fetch what is new.",
        "fetch": "Fetch one post by name, whatever keeps it out.",
        "status": "Show how it stands with everybody you follow.",
        "find": "Find out where somebody is.",
        "nearby": "Show who is in the local network.",
        "import": "Take over pages and feeds of the web, and archives.",
        "export-site": "Write your public posts as a web site.",
    },
    "Care": {
        "backup": "Write everything that matters into one file.",
        "restore": "Bring back what a backup holds.",
        "fsck": "Check every file, and mend what can be mended.",
        "doctor": "Say what is wrong around the tree, and what to do.",
    },
    "Settings": {
        "config": "Show and change the settings.",
        "completion": "Print what makes a shell complete commands and names.",
    },
    "Help": {
        "help": "Explain a command, or a topic such as exit-codes.",
        "man": "Show the manual, or write it as files.",
    },
    "Try it": {
        "demo": "Let two people meet in a temporary directory.",
    },
}

COMMANDS: dict[str, str] = {name: words for section in SECTIONS.values() for name, words in section.items()}

INTERRUPTED = Interrupted.exit_code
USAGE = 2
_COMPLETE = "_MAU_COMPLETE"


class LazyGroup(click.Group):
    """A group that knows its commands by the table above and imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; None for a word that is not in the table."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"mau_cli.commands.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)  # noqa: S101 - tells mypy; a test looks at every module
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, and say what an unknown word may have meant."""
        word = args[0]
        if word in COMMANDS or word.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        meant = get_close_matches(word, COMMANDS)
        hint = f" Did you mean {' or '.join(map(repr, meant))}?" if meant else ""
        raise click.UsageError(f"No such command {word!r}.{hint}", ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The commands, without importing them; options as click completes them."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            CompletionItem(name, help=words)
            for name, words in COMMANDS.items()
            if name.startswith(incomplete)
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, without importing a single command."""
        for heading, commands in SECTIONS.items():
            with formatter.section(heading):
                formatter.write_dl(list(commands.items()))


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from mau import __version__

        click.echo(f"mau {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 ok, 1 error, 2 usage, 3 partly done, 4 passphrase, 5 peer not found or not "
    "reachable, 6 a signature or an identity does not hold, 130 interrupted.",
)
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="The directory tree to work in (else MAU_DIR, the setting `dir`, the current directory if it holds "
    "one, or ~/Mau).",
)
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help="Read the passphrase from the first line of this file.",
)
@click.option(
    "--passphrase-command",
    metavar="COMMAND",
    help="Read the passphrase from the first line that this command prints.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.pass_context
def cli(
    ctx: click.Context,
    directory: Path | None,
    passphrase_file: Path | None,
    passphrase_command: str | None,
) -> None:
    """Mau: a social network that is a directory of signed and encrypted files."""
    from mau_cli.context import Session
    from mau_cli.manners import color_wanted

    ctx.color = color_wanted(os.environ)
    if passphrase_file is not None and passphrase_command is not None:
        raise click.UsageError("--passphrase-file and --passphrase-command exclude each other.")
    ctx.obj = Session(directory, passphrase_file, passphrase_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (README, "Exit codes"). Never raises."""
    _open_what_is_closed()
    _quieten()
    try:
        if _COMPLETE in os.environ:
            from mau_cli.completing import register

            register()
        result: Any = cli.main(
            args=list(sys.argv[1:] if arguments is None else arguments),
            prog_name="mau",
            complete_var=_COMPLETE,
            standalone_mode=False,
        )
        sys.stdout.flush()
    except BaseException as error:  # the one place where errors become words
        return _explain(error)
    return result if type(result) is int else 0  # an int only from ctx.exit()


def _open_what_is_closed() -> None:
    """What goes to a standard stream that the caller closed (``>&-``) is lost; no file takes its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 (to the end)


def _quieten() -> None:
    """Let no warning of a library reach the user, and let no character be unprintable."""
    if not _debugging() and not sys.warnoptions:
        import warnings

        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _debugging() -> bool:
    return os.environ.get("MAU_DEBUG", "") not in {"", "0"}


def _explain(error: BaseException) -> int:
    """Say in one place what went wrong; return the exit code."""
    try:
        codes = [_explain_one(one) for one in _leaves(error)]
        sys.stderr.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        _abandon(sys.stderr)
        return 1
    try:
        sys.stdout.flush()
    except OSError:
        _abandon(sys.stdout)  # what could not be written is lost, as was said
    return next((code for code in codes if code), 0)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """An error of a task group is the errors in it; cancelled siblings say nothing."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def _explain_one(error: BaseException) -> int:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, BrokenPipeError):
        _abandon(sys.stdout)  # whoever read us has seen enough
        return 1
    if isinstance(error, KeyboardInterrupt | click.Abort | Interrupted):
        _complain(str(error) or "interrupted")
        return INTERRUPTED
    if _debugging():
        _show_traceback(error)
    if isinstance(error, MauError):
        _complain(str(error) or (error.__doc__ or "").strip().partition("\n")[0])
        return error.exit_code
    if isinstance(error, click.ClickException):
        _complain_usage(error)
        return error.exit_code
    if isinstance(error, OSError):
        _complain(_os_error_words(error))
        return 1
    # Its words may hold anything, a passphrase too: only its name and place are shown.
    hint = "" if _debugging() else "; set MAU_DEBUG=1 to see how it came to it"
    _complain(f"internal error: {type(error).__name__}{_place(error.__traceback__)}{hint}")
    return 1


def _complain_usage(error: click.ClickException) -> None:
    context = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return
    hint = f"\ntry: {context.command_path} --help" if context is not None else ""
    _complain(error.format_message() + hint)


def _os_error_words(error: OSError) -> str:
    words = error.strerror or type(error).__name__
    names = [
        repr(os.fsdecode(name)) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)
    ]
    return f"{words}: {' -> '.join(names)}" if names else words


def _complain(words: str) -> None:
    from mau_cli.output import clean_lines

    first, *others = clean_lines(words).split("\n")
    # Indented, so that a text from elsewhere cannot pass for another message of ours.
    click.echo("\n".join([f"mau: {first}", *(f"     {line}" for line in others)]), err=True)


def _place(traceback: TracebackType | None) -> str:
    """Where in our own code it happened, for a bug report."""
    place = ""
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        if {"mau", "mau_cli"} & set(path.parts):
            place = f" at {path.parent.name}/{path.name}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


def _show_traceback(error: BaseException) -> None:
    import traceback

    from mau_cli.output import clean_lines

    click.echo(clean_lines("".join(traceback.format_exception(error))), err=True)


def _abandon(stream: TextIO) -> None:
    """Point a stream that nobody reads at nothing, so that the interpreter's last flush is silent."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


if __name__ == "__main__":
    sys.exit(main())
