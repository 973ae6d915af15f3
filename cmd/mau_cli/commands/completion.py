"""`mau completion`: the script that makes a shell ask us what a word may become."""

from __future__ import annotations

import click

from mau_cli.output import data


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script for SHELL: bash (4.4 or newer), zsh or fish.

    It completes commands, options, groups, posts and settings; the names of friends while the agent keeps the
    account open (`mau unlock`), for they stand in a file that is encrypted. Nothing is ever asked for.

    \b
    mau completion bash > ~/.local/share/bash-completion/completions/mau
    mau completion zsh > ~/.zfunc/_mau         (a directory of $fpath)
    mau completion fish > ~/.config/fish/completions/mau.fish
    """
    from mau_cli.completing import script
    from mau_cli.main import cli

    data(script(shell, cli).rstrip("\n"))
