"""Colours, width, pipes, and what happens without a terminal."""

from __future__ import annotations

_TEXT = """
Colours and bold letters are used where stdout is a terminal. NO_COLOR, CLICOLOR=0 or TERM=dumb end that;
CLICOLOR_FORCE=1 has them in a pipe too. Nothing is said by colour alone.

Text that others wrote steers no terminal: control characters, invisible ones and those that reverse the
reading direction are shown as what they are (\\x1b, \\u202e).

Questions go to stderr and are asked only where somebody can answer: stdin and stderr are terminals. A
passphrase is asked for on the terminal itself, also when stdin is a post. Where nobody can answer, nothing
waits: a command ends with 2 (say it with an option, or --yes) or with 4 (the passphrase is needed).

Whoever reads the output may go (mau timeline | head -1): the command ends without words, with 1. A stream
that is closed (>&-) is no error.

Long texts are shown through MAU_PAGER, else PAGER, else less, where stdout is a terminal. Help is as wide
as the terminal, and at most 100 columns; COLUMNS says another width.

Ctrl-C ends a command with 130; nothing half-written stays. SIGTERM ends in the same way what goes on until
then.
"""


def text() -> str:
    """The topic."""
    return _TEXT
