"""Alice and her friends, each at a shell of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ended
from tests.publish.world import PASSPHRASE, Someone, World, trees, world

__all__ = ["Desk", "desk", "trees", "world"]


@dataclass
class Desk:
    """Runs `mau` as somebody, and says what must come out."""

    world: World
    place: Path
    process: Callable[..., Ended]
    terminal_process: Callable[..., Ended]

    def mau(self, who: Someone, *words: str | Path, code: int = 0, stdin: bytes = b"", **env: str) -> Ended:
        """Without a terminal."""
        done = self.process(*words, passphrase=PASSPHRASE, root=who.account.root.path, stdin=stdin, env=env)
        assert done.code == code, (done.code, done.err)
        return done

    def json(self, who: Someone, *words: str | Path) -> Any:
        """What a command says with ``--json``."""
        return json.loads(self.mau(who, *words, "--json").out)

    def name(self, who: Someone, *words: str | Path, stdin: bytes = b"") -> str:
        """The name that a command which publishes says, and nothing else."""
        name = self.mau(who, *words, stdin=stdin).text
        assert name.endswith(".pgp\n")
        return name.strip()

    def terminal(
        self, who: Someone, *words: str, typed: list[tuple[str, str]] | None = None, code: int = 0
    ) -> str:
        """On a terminal; everything that it shows."""
        env = {"MAU_PASSPHRASE": PASSPHRASE}
        done = self.terminal_process(*words, root=who.account.root.path, typed=typed or [], env=env)
        assert done.code == code, done.err
        return done.err


@pytest.fixture
def desk(world: World, tmp_path: Path, mau: Callable[..., Ended], on_terminal: Callable[..., Ended]) -> Desk:
    return Desk(world, tmp_path, mau, on_terminal)
