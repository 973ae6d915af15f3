"""A process whose lines are awaited: what a test waits for is something said, never a time gone by."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO

PATIENCE = 30.0  # seconds for a process to say what it must, or to end


class Process:
    """Starts at once, in a session of its own; `kill` ends the whole session, whatever happened."""

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: str) -> None:
        self.argv = list(argv)
        self._popen = subprocess.Popen(
            self.argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._said = threading.Condition()
        self._lines: list[str] = []
        self._out: list[str] = []
        self._next = 0
        self._open = 2
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        self._readers = [
            threading.Thread(target=self._read, args=(self._popen.stdout, True), daemon=True),
            threading.Thread(target=self._read, args=(self._popen.stderr, False), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[bytes], is_out: bool) -> None:
        with stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip("\r\n")
                with self._said:
                    self._lines.append(line)
                    if is_out:
                        self._out.append(line)
                    self._said.notify_all()
        with self._said:
            self._open -= 1
            self._said.notify_all()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    @property
    def lines(self) -> list[str]:
        """What it said until now, on stdout and stderr."""
        with self._said:
            return list(self._lines)

    @property
    def out(self) -> list[str]:
        """What it said until now on stdout alone."""
        with self._said:
            return list(self._out)

    def expect(self, pattern: str, timeout: float = PATIENCE) -> re.Match[str]:
        """Wait for the next line in which `pattern` is found; each line is looked at once.

        Fails with all that was said when the time is up, or when the process has nothing more to say.
        """
        until = time.monotonic() + timeout
        with self._said:
            while True:
                while self._next < len(self._lines):
                    self._next += 1
                    if found := re.search(pattern, self._lines[self._next - 1]):
                        return found
                left = until - time.monotonic()
                if left <= 0 or not self._open:
                    why = "is not said in time" if self._open else "is not said, and it ended"
                    raise AssertionError(f"{pattern!r} {why}: {self.argv}\n" + "\n".join(self._lines))
                self._said.wait(left)

    def send(self, number: int) -> None:
        """Send a signal to the process itself."""
        self._popen.send_signal(number)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait until it has ended and everything that it said is here; return its exit code."""
        code = self._popen.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
        return code

    def stop(self, number: int = signal.SIGTERM, timeout: float = PATIENCE) -> int:
        """Ask it to end and wait; return its exit code."""
        self.send(number)
        return self.wait(timeout)

    def kill(self) -> None:
        """Kill it and its session, if they still run."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.kill()
        self._popen.wait()
