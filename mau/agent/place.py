"""Where the agent's socket is, and that it is really ours (spec/agent.md A1-A3)."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mau.errors import AgentError

VARIABLE: Final = "XDG_RUNTIME_DIR"
SOCKET: Final = "agent.sock"
LOCK: Final = "agent.lock"
_DIRECTORY: Final = "mau"


def agent_dir(
    environ: Mapping[str, str] | None = None, *, make: bool = False, told: bool = False
) -> Path | None:
    """The directory of the socket, when it is there and nobody else can write it; None when not.

    With `make` it is made. With `make` or `told` it is an AgentError that others can write it.
    """
    named = (os.environ if environ is None else environ).get(VARIABLE, "")
    if not named.startswith("/"):
        if make:
            raise AgentError(
                f"{VARIABLE} names no directory, so no agent can be reached; "
                "`mau unlock --remember` leaves the passphrase to the system's keyring instead"
            )
        return None
    place = Path(named) / _DIRECTORY
    try:
        if make:
            place.mkdir(mode=0o700, exist_ok=True)
        wrong = _wrong(Path(named), 0o022) or _wrong(place, 0o077)
    except OSError as error:
        if make:
            raise AgentError(f"no agent can be reached in {str(place)!r}: {error.strerror}") from None
        return None
    if wrong and (make or told):
        raise AgentError(wrong)
    return None if wrong else place


def _wrong(directory: Path, forbidden: int) -> str:
    """Why others could put something in the place of what we look for there; "" when they cannot."""
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode):
        return f"{str(directory)!r} is no directory"
    if found.st_uid != os.geteuid():
        return f"{str(directory)!r} belongs to somebody else"
    if found.st_mode & forbidden:
        return f"others may use {str(directory)!r}; chmod 700 it"
    return ""
