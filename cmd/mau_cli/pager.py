"""Long output by the pager that people use: $MAU_PAGER, $PAGER, else less; only on a terminal."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping

from mau.passphrase import without_passphrase
from mau_cli.output import clean_lines, data, drawing

_NONE = frozenset({"", "cat"})


class Page:
    """Where lines go: to stdout, or to a pager."""

    def __init__(self, pager: subprocess.Popen[str] | None = None) -> None:
        self._pager = pager

    @property
    def paged(self) -> bool:
        """Whether a pager shows them, which knows colours and nothing else."""
        return self._pager is not None

    def text(self, lines: Iterable[str]) -> None:
        """Lines of words, cleaned. BrokenPipeError when nobody reads any more."""
        for line in lines:
            if self._pager is None:
                data(line)
            else:
                self._write(clean_lines(line))

    def drawing(self, lines: Iterable[str]) -> None:
        """Lines of `mau_cli.pictures`, as they are."""
        if self._pager is None:
            drawing(lines)
        else:
            for line in lines:
                self._write(line)

    def _write(self, line: str) -> None:
        assert self._pager is not None  # noqa: S101 - asked before
        assert self._pager.stdin is not None  # noqa: S101 - it is a pipe
        self._pager.stdin.write(line + "\n")


def pager_words(environ: Mapping[str, str]) -> list[str]:
    """The pager and its arguments; nothing when there shall be none. Run without a shell. Pure."""
    said = next((environ[name] for name in ("MAU_PAGER", "PAGER") if name in environ), "less")
    try:
        words = shlex.split(said)
    except ValueError:
        return []
    return [] if not words or words[0] in _NONE else words


@contextlib.contextmanager
def page(*, wanted: bool = True) -> Iterator[Page]:
    """A page for the length of the block; when the reader leaves the pager early, the block ends there."""
    words = pager_words(os.environ) if wanted and sys.stdout.isatty() else []
    program = shutil.which(words[0]) if words else None
    if program is None:
        yield Page()
        return
    sys.stdout.flush()
    # Secure: the pager shows what others wrote, and starts no programs. R: colours; F and X: short is as cat.
    environment = {"LESS": "FRX", **without_passphrase(), "LESSSECURE": "1"}
    environment["LESS"] = environment["LESS"] if "R" in environment["LESS"] else f"{environment['LESS']}R"
    process = subprocess.Popen(
        [program, *words[1:]],
        stdin=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="backslashreplace",
        env=environment,
    )
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pager's while it runs
    try:
        with contextlib.suppress(BrokenPipeError):
            yield Page(process)
    finally:
        with contextlib.suppress(BrokenPipeError):
            if process.stdin is not None:
                process.stdin.close()
        process.wait()
        signal.signal(signal.SIGINT, before)
