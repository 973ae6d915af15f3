"""Files that the user asks for by ``-o FILE``: whole or not at all, and over nothing unasked."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mau.errors import UsageError


def check_output(output: Path, force: bool) -> None:
    """UsageError when something lies there that ``force`` does not let be replaced, or no regular file."""
    try:
        found = output.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{str(output)!r} is no regular file; without -o the content goes to stdout")
    if not force:
        raise UsageError(f"{str(output)!r} is there already; --force replaces it")


@contextmanager
def beside(output: Path, force: bool) -> Iterator[Path]:
    """The name of a file to be made, which takes the place of ``output`` when the block ends well."""
    made = output.with_name(f".{output.name[:100]}.{secrets.token_hex(8)}.tmp")
    try:
        yield made
        with made.open("rb") as file:
            os.fsync(file.fileno())
        check_output(output, force)
        if force:
            made.replace(output)
        else:
            _place(made, output)
    except OSError as error:
        if error.filename in {made, str(made)}:
            error.filename = str(output)  # the name that the user knows
        raise
    finally:
        made.unlink(missing_ok=True)


def save(output: Path, content: bytes, force: bool, *, mode: int = 0o600) -> None:
    """Write that to a file, for the owner alone unless ``mode`` says otherwise. UsageError, OSError."""
    check_output(output, force)
    how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with beside(output, force) as made, os.fdopen(os.open(made, how, mode), "wb") as file:
        file.write(content)


def _place(made: Path, output: Path) -> None:
    try:
        output.hardlink_to(made)
    except FileExistsError:
        raise UsageError(f"{str(output)!r} is there already; --force replaces it") from None
    except OSError:  # a disk without hard links
        made.rename(output)
