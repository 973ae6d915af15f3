"""What strangers made is read by a process of its own, that has nothing to lose and is believed as little.

It is told what to do on its standard input, where no other user of the machine can read it; it has no part of
the environment but where the interpreter's libraries lie, works in ``/``, and takes no module from where the
user happens to be. What it may use of memory and time it takes from itself (`resource`), before it reads.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

_START: Final = "import sys; sys.path[:0] = sys.argv[2:]; from {0} import main; sys.exit(main())"
_KEPT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def ask_apart(module: str, data: bytes, *, libraries: Iterable[str], most: int, seconds: float) -> bytes:
    """What `main` of a module of ours prints for ``data``; b"" when it was ended, or broke. OSError.

    At most ``most`` bytes, and one more when there are more; then, or after ``seconds``, it is ended.
    ``libraries`` are the packages that it needs beside ours. Blocking.
    """
    words = [_START.format(module), module, *_places(libraries)]
    with running(["-I", "-B", "-c", *words], data, seconds) as answer:
        return answer.read(most + 1)


@contextmanager
def running(words: Sequence[str], data: bytes, seconds: float) -> Iterator[IO[bytes]]:
    """An interpreter with these arguments, given ``data``: what it prints. OSError when it cannot be started.

    After the block, or after ``seconds``, it is ended. Blocking.
    """
    process = subprocess.Popen(
        [sys.executable, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # No passphrase, no proxy, no path; only where the interpreter's own libraries lie.
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
        cwd="/",
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - tells mypy
    late = threading.Timer(seconds, _end, (process,))
    feeder = threading.Thread(target=_feed, args=(process.stdin, data), daemon=True)
    try:
        late.start()
        feeder.start()
        yield process.stdout
    finally:
        late.cancel()
        late.join()  # before the process is let go of: its number could be another's then
        _end(process)
        process.wait()
        feeder.join()
        process.stdout.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it, with whatever it may have started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _feed(pipe: IO[bytes], data: bytes) -> None:
    with suppress(OSError), pipe:  # it may end before it has read all
        pipe.write(data)


def _places(libraries: Iterable[str]) -> list[str]:
    """Where this package and the libraries lie: as here, also where no installation would look."""
    specs = map(find_spec, libraries)
    origins = [Path(spec.origin).parents[1] for spec in specs if spec is not None and spec.origin is not None]
    return list(dict.fromkeys(map(str, [Path(__file__).parents[1], *origins])))
