"""One line on the terminal that says how far something is; nothing anywhere else."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

import click

from mau_cli.output import clean


class Line:
    """A line that is written over and over, and gone at the end of the block."""

    def __init__(self) -> None:
        self.shown = sys.stderr.isatty()
        self._next = 0.0
        self._used = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._used:
            click.echo("\r\x1b[K", nl=False, err=True)

    def show(self, words: str) -> None:
        """Say it, ten times in a second at the most."""
        now = time.monotonic()
        if self.shown and now >= self._next:
            self._next = now + 0.1
            self._used = True
            click.echo(f"\r{clean(words)}\x1b[K", nl=False, err=True)
