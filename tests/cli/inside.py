"""The program in the test's own process, without a terminal: for what no process of its own need show.

`Inside` runs all of it, from the options before the command on; `run` one command of an account that is open.
"""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mau.account import Account
from mau_cli.context import Session
from mau_cli.main import LazyGroup, main
from tests.cli.conftest import Ended, check_silence
from tests.publish.world import PASSPHRASE, Someone, World, trees, world

__all__ = ["Inside", "Said", "inside", "run", "session_of", "trees", "world"]


@dataclass
class Inside:
    """Runs `mau` as somebody, and says what must come out; as `Desk` does with processes."""

    world: World
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    def mau(self, who: Someone, *words: str | Path, code: int = 0, stdin: bytes = b"") -> Ended:
        """One command."""
        self.patch.setenv("MAU_PASSPHRASE", PASSPHRASE)
        self.patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self.capture.readouterr()
        ended = main(["--dir", str(who.account.root.path), *map(str, words)])
        out, err = self.capture.readouterr()
        check_silence(out.encode(), err.encode())
        assert ended == code, (ended, err)
        return Ended(ended, out.encode(), err)

    def json(self, who: Someone, *words: str | Path) -> Any:
        """What a command says with ``--json``."""
        return json.loads(self.mau(who, *words, "--json").out)

    def name(self, who: Someone, *words: str | Path, stdin: bytes = b"") -> str:
        """The name that a command which publishes says, and nothing else."""
        name = self.mau(who, *words, stdin=stdin).text
        assert name.endswith(".pgp\n")
        return name.strip()


@pytest.fixture
def inside(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Inside:
    return Inside(world, monkeypatch, capsys)


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
