"""What the library notes while a command goes on for long: one line each, to stderr, in words."""

from __future__ import annotations

import logging
import os

from mau_cli.output import clean, say

# What systemd's journal takes for the priority of a line (sd-daemon(3)).
_PRIORITIES = ((logging.ERROR, "<3>"), (logging.WARNING, "<4>"), (logging.INFO, "<6>"), (0, "<7>"))


class _Words(logging.Handler):
    """Says each record. Tracebacks may hold anything: only with MAU_DEBUG."""

    def __init__(self, *, debugging: bool, journal: bool) -> None:
        super().__init__(logging.DEBUG if debugging else logging.INFO)
        self._debugging = debugging
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Everything that is said here may come from elsewhere, so it is one cleaned line."""
        try:
            words = clean(record.getMessage())
            error = record.exc_info[1] if record.exc_info else None
            if error is not None and not self._debugging:
                words = f"{words} ({type(error).__name__})"
            if self._journal:
                words = next(mark for level, mark in _PRIORITIES if record.levelno >= level) + words
            say(words)
            if error is not None and self._debugging:
                say(logging.Formatter().formatException(record.exc_info))  # type: ignore[arg-type]
        except Exception:  # whoever read us may be gone
            self.handleError(record)


def log_to_stderr() -> None:
    """Say from now on what `mau` notes, warnings of libraries too."""
    debugging = os.environ.get("MAU_DEBUG", "") not in {"", "0"}
    handler = _Words(debugging=debugging, journal="JOURNAL_STREAM" in os.environ)
    logging.getLogger().addHandler(handler)
    logging.getLogger("mau").setLevel(logging.DEBUG if debugging else logging.INFO)
