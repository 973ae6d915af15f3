"""A runtime directory for agents, which do not outlive the test."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mau.agent import client
from mau.errors import AgentError

PATIENCE = 20.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that other processes do."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.01)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime directory with a path that is short enough for a socket; no agent outlives it."""
    path = Path(tempfile.mkdtemp(prefix="run"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(path))
    yield path
    with contextlib.suppress(AgentError):
        client.forget(None)
    shutil.rmtree(path, ignore_errors=True)
    until(lambda: not agents(path))


def agents(runtime: Path) -> list[int]:
    """The processes of agents that were started for this directory."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = line.read_bytes().split(b"\0")
            if b"mau.agent" in words and os.fsencode(runtime / "mau") in words:
                found.append(int(line.parent.name))
    return found
