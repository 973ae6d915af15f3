"""`mau service`: have systemd run `mau up` for you."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from mau.errors import ServiceError
from mau_cli.context import Session, naming_source
from mau_cli.output import data, emit_json, say

if TYPE_CHECKING:
    from mau.daemon.unit import Credential

Kept = Literal["encrypted", "file", "none"]

# What says where things are; nothing else of the environment reaches the service.
_PLACES = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "MAU_CONFIG")
_PLAIN = (
    "systemd on this machine cannot encrypt the passphrase for your services (version 256 and later can). It "
    "would lie readable in {path}: whoever can read your files, or a backup of them, has it."
)


@click.group("service")
def command() -> None:
    """Let systemd run `mau up` for you, from your login on and in a sandbox."""


@command.command("install")
@click.option(
    "--passphrase",
    "how",
    type=click.Choice(["encrypted", "file", "none"]),
    help="How the service gets it: encrypted by systemd, for you on this machine; from a file that only you "
    "can read; or not at all: then `mau unlock`, a setting or the system's keyring must give it. "
    "[default: encrypted, else file after a question]",
)
@click.option("--no-start", is_flag=True, help="Write the files, and leave the rest to you.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def install(session: Session, how: Kept | None, no_start: bool, yes: bool) -> None:
    """Write the unit, and start it.

    Prints where the unit lies. Run it again after you moved the tree or Mau itself.
    """
    from mau.account import Account
    from mau.daemon import systemd

    Account.require(session.root)
    credential = _credential(session, how, yes=yes)
    path = systemd.unit_file()
    _put(path, _unit(session, credential))
    data(str(path))
    if session.config.environment:
        say("Settings in the environment do not reach the service; `mau config set` makes them last.")
    if not systemd.makes_namespaces():
        say("The kernel here forbids users namespaces: the service may write wherever you may.")
    if no_start or not systemd.is_there():
        if not systemd.is_there():
            say("There is no systemctl on this machine, so nothing was started. Where there is, run:")
        else:
            say("To start it, run:")
        say("  systemctl --user daemon-reload")
        say("  systemctl --user enable --now mau.service")
        return
    try:
        systemd.systemctl("daemon-reload")
        systemd.systemctl("enable", "mau.service")
        systemd.systemctl("restart", "mau.service")
    except ServiceError as error:
        raise ServiceError(
            f"{error}\nThe files are written, and nothing runs. Once systemd listens to you: "
            "systemctl --user daemon-reload; systemctl --user enable --now mau.service"
        ) from None
    say("The service runs, and starts again when you log in; `mau service status` shows how it is.")
    say("To have it run while you are not logged in: loginctl enable-linger")


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def status(session: Session, as_json: bool) -> None:
    """Show whether it is installed, and how its workers are."""
    import time
    from dataclasses import asdict

    from mau.daemon import read_status, systemd

    path = systemd.unit_file()
    running = read_status(session.root)
    active, enabled = systemd.state("is-active"), systemd.state("is-enabled")
    if as_json:
        workers = [asdict(one) for one in running.workers] if running else []
        emit_json(
            {
                "unit": str(path),
                "installed": path.is_file(),
                "active": active,
                "enabled": enabled,
                "pid": running.pid if running else None,
                "workers": workers,
            }
        )
        return
    if not path.is_file():
        say("The service is not installed; `mau service install` does it.")
    else:
        data(f"{path}: {active or 'no systemd to ask'}, {enabled or 'not known whether enabled'}")
    if running is not None and running.pid is not None:
        data(f"`mau up` runs as process {running.pid}")
        for one in running.workers:
            data(f"  {one.words(time.time())}")


@command.command("remove")
@click.pass_obj
def remove(session: Session) -> None:
    """Stop it, and remove the unit and what it was given of the passphrase."""
    from mau.daemon import systemd

    path = systemd.unit_file()
    there = path.is_file()
    if there and systemd.is_there():
        try:
            systemd.systemctl("disable", "--now", "mau.service")
        except ServiceError as error:
            say(f"It was not stopped: {error}")
    for file in (
        path,
        systemd.credential_path(encrypted=True),
        systemd.credential_path(encrypted=False),
    ):
        file.unlink(missing_ok=True)
    if there and systemd.is_there():
        try:
            systemd.systemctl("daemon-reload")
        except ServiceError as error:
            say(f"systemd was not told: {error}")
    say("The service is removed." if there else "The service was not installed.")


def _credential(session: Session, how: Kept | None, *, yes: bool) -> Credential | None:
    """Put the passphrase where the service gets it, after proving that it is the right one."""
    from mau.account import Account
    from mau.daemon import systemd
    from mau.daemon.unit import Credential
    from mau.passphrase import CREDENTIAL

    if how == "none":
        for encrypted in (True, False):
            systemd.credential_path(encrypted=encrypted).unlink(missing_ok=True)
        return None
    encrypted = how == "encrypted" or (how is None and systemd.encrypts_for_users())
    path = systemd.credential_path(encrypted=encrypted)
    if how == "encrypted" and not systemd.encrypts_for_users():
        raise ServiceError(
            "systemd here cannot encrypt the passphrase for your services (version 256 and later can); "
            "--passphrase file or --passphrase none does without"
        )
    if not encrypted:
        say(_PLAIN.format(path=repr(str(path))))
        if not session.confirm("Write the passphrase there?", yes=yes or how == "file"):
            raise click.Abort
    found = session.typed_passphrase()
    with naming_source(found):
        Account.open(session.root, found.text)
    _put(path, systemd.encrypt(found.text) if encrypted else found.text.encode() + b"\n")
    systemd.credential_path(encrypted=not encrypted).unlink(missing_ok=True)
    return Credential(CREDENTIAL, path, encrypted)


def _unit(session: Session, credential: Credential | None) -> bytes:
    from platformdirs import user_state_dir

    from mau.config.file import expand
    from mau.config.keys import SERVER_ACCESS_LOG
    from mau.daemon import systemd
    from mau.daemon.unit import Unit

    state = Path(user_state_dir("mau"))
    state.mkdir(
        mode=0o700, parents=True, exist_ok=True
    )  # what is to be written to must be there at the start
    tree = session.root.path
    writable = [tree, state]
    log = session.config.get(SERVER_ACCESS_LOG)
    if log is not None and log != "-":
        writable.append(expand(log).parent)
    return (
        Unit(
            # -P: a module of the same name in some directory is not taken for ours.
            command=[sys.executable, "-P", "-m", "mau_cli.main", "--dir", str(tree), "up"],
            writable=writable,
            credential=credential,
            namespaces=systemd.makes_namespaces(),
            environment={
                name: str(Path(os.environ[name]).absolute()) for name in _PLACES if os.environ.get(name)
            },
        )
        .text()
        .encode()
    )


def _put(path: Path, content: bytes) -> None:
    from mau.tree import safe

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    safe.write_bytes(path, content)
