"""The highest counter of a keyring statement that this machine has seen (spec/keyring.md K6).

It lies outside the tree, in the XDG state directory: whoever puts an old tree back does not put this back.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from mau.errors import MauError
from mau.fingerprint import Fingerprint
from mau.keyring.statement import MAX_COUNTER
from mau.tree.safe import read_bytes, write_bytes

_MAX_DIGITS = 20


class SeenCounter:
    """The number in ``STATE/mau/FPR/keyring-counter``; it never goes down."""

    def __init__(self, fingerprint: Fingerprint, directory: Path | None = None) -> None:
        if directory is None:
            from platformdirs import user_state_dir

            directory = Path(user_state_dir("mau"))
        self.path = directory / fingerprint.hex / "keyring-counter"

    def read(self) -> int:
        """0 when none was seen, or when what stands there is no number that a counter can reach."""
        try:
            text = read_bytes(self.path, _MAX_DIGITS).decode("ascii").strip()
        except (MauError, OSError, UnicodeDecodeError):
            return 0
        number = int(text) if text.isdecimal() else 0
        return number if number < MAX_COUNTER else 0

    def raise_to(self, counter: int) -> None:
        """Remember a counter if it is higher. OSError when it cannot be written."""
        if counter > self.read():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_bytes(self.path, b"%d\n" % counter)

    def note(self, counter: int) -> None:
        """As `raise_to`, for those who only read: a read-only home keeps nobody from reading."""
        with contextlib.suppress(OSError, MauError):
            self.raise_to(counter)
