"""`mau serve` in a process of its own."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
from collections.abc import Iterator

from tests.benchmarks.measure import MAU
from tests.benchmarks.world import Someone


@contextlib.contextmanager
def serving(someone: Someone) -> Iterator[tuple[str, int]]:
    """`mau serve` as a process; yields where it listens."""
    with subprocess.Popen(
        [*MAU, "serve", "--listen", "127.0.0.1:0"],
        env=someone.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                found = re.search(rb"127\.0\.0\.1:(\d+)", line)
                if found is not None:
                    yield "127.0.0.1", int(found.group(1))
                    break
            else:
                raise SystemExit("the server did not start")
        finally:
            process.send_signal(signal.SIGTERM)
