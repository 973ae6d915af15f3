"""A command that goes on until it is told to end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.cli.conftest import MAU, PATIENCE


@contextlib.contextmanager
def started(root: Path, passphrase: str, *words: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """`mau WORDS` as a process without a terminal; it is killed at the end, or when it takes too long."""
    with subprocess.Popen(
        [*MAU, "--dir", str(root), *words],
        env={**os.environ, "MAU_PASSPHRASE": passphrase, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def first_line(process: subprocess.Popen[bytes]) -> str:
    """The first line that it prints."""
    assert process.stdout is not None
    return process.stdout.readline().decode()
