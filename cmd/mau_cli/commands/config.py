"""`mau config`: show and change the settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from mau_cli.context import Session
from mau_cli.output import data, emit_json, say, table

if TYPE_CHECKING:
    from mau.config.settings import Setting


@click.group("config")
def command() -> None:
    """Show and change the settings.

    A setting stands in the file that `mau config path` names, in the environment (server.listen is
    MAU_SERVER_LISTEN) or in an option of the same name. The option wins, then the environment, then the file.
    """


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
@click.pass_obj
def show(session: Session, as_json: bool) -> None:
    """Show every setting, its value and where that comes from.

    Of passphrase.command only the first word is shown: the others may be secret.
    """
    settings = session.config.settings()
    if as_json:
        emit_json(
            [
                {
                    "key": one.key.name,
                    "value": None if one.value is None else one.key.kind.show(one.value),
                    "from": one.origin,
                    "source": one.source or None,
                }
                for one in settings
            ]
        )
        return
    table(
        [(one.key.name, _words(one), one.source or one.origin) for one in settings], ("key", "value", "from")
    )


def _words(setting: Setting[object]) -> str:
    """The value as it may be written, or what holds without one in brackets."""
    if setting.value is None:
        return f"({setting.key.otherwise})"
    shown = setting.key.kind.show(setting.value)
    return ", ".join(shown) if isinstance(shown, list) else str(shown)


@command.command("path")
@click.option("--json", "as_json", is_flag=True, help="Show it as JSON.")
def path_(as_json: bool) -> None:
    """Show where the file of settings lies, or would lie."""
    from mau.config.file import config_file

    path, _ = config_file()
    if as_json:
        emit_json({"path": str(path), "exists": path.exists()})
        return
    data(str(path))
    if not path.exists():
        say("There is none yet; `mau config set` makes it.")


@command.command("set")
@click.argument("key")
@click.argument("value")
def set_(key: str, value: str) -> None:
    """Write a setting into the file.

    Several people or groups for post.audience are written with commas: "bob, @tea".
    """
    from mau.config.editing import put
    from mau.config.file import config_file
    from mau.config.keys import find_key
    from mau.config.reading import check

    found = find_key(key.split("."))
    path, _ = config_file()
    put(path, found, check(found, value))
    say(f"{found.name} is set in {str(path)!r}.")
    _say_overridden(found.variable)


@command.command("unset")
@click.argument("key")
def unset(key: str) -> None:
    """Remove a setting from the file, or what stands there by mistake."""
    from mau.config.editing import take
    from mau.config.file import config_file

    path, _ = config_file()
    if take(path, key):
        say(f"{key!r} is removed from {str(path)!r}.")
    else:
        say(f"{key!r} is not set in {str(path)!r}.")


def _say_overridden(variable: str) -> None:
    if os.environ.get(variable):
        say(f"{variable} is set in the environment, and wins over it here.")
