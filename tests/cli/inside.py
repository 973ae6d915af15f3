"""Commands run inside the test's own process: what they say is looked at, starting them costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from click.testing import CliRunner

from mau.account import Account
from mau_cli.context import Session
from mau_cli.main import LazyGroup


@dataclass(frozen=True)
class Said:
    """The exit code, and what went to stdout and to stderr; `error`: what ended it, where that is one."""

    code: int
    out: str
    err: str
    error: str = ""


def session_of(account: Account) -> Session:
    """A run of `mau` in the tree of an account that is open already."""
    session = Session(account.root.path)
    session.__dict__["_account"] = account  # the cached property: nobody is asked for the passphrase
    return session


def run(account: Account, *words: str, typed: str = "") -> Said:
    """Run ``mau WORDS`` for that account, without a terminal."""
    command = LazyGroup("mau").get_command(None, words[0])  # type: ignore[arg-type]
    assert command is not None, words
    done = CliRunner().invoke(command, list(words[1:]), obj=session_of(account), input=typed or None)
    error = "" if done.exception is None else f"{type(done.exception).__name__}: {done.exception}"
    return Said(done.exit_code, done.stdout, done.stderr, error)
