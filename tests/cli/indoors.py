"""The program in this process, without a terminal: for what need not be shown by a process of its own."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mau_cli.main import main
from tests.cli.conftest import Ended, check_silence
from tests.publish.world import PASSPHRASE, Someone, World, trees, world

__all__ = ["Inside", "inside", "trees", "world"]


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
