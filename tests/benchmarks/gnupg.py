"""GnuPG doing the same: one process for each message, as people use it."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from tests.benchmarks.measure import Row, in_turns
from tests.benchmarks.world import World


def run(world: World, plain: bytes, message: bytes, rounds: int) -> list[Row]:
    """Rows: sign + encrypt, decrypt + verify."""
    if shutil.which("gpg") is None:
        return [Row("gpg", "is not installed")]
    home = Path(tempfile.mkdtemp(prefix="gpg-"))  # short: the path of a socket has 107 bytes
    environment = os.environ | {"GNUPGHOME": str(home)}
    gpg = ["gpg", "--batch", "--quiet", "--no-tty", "--trust-model", "always", "--yes"]

    def call(words: list[str], given: bytes) -> bytes:
        return subprocess.run(
            [*gpg, *words], env=environment, input=given, capture_output=True, check=True
        ).stdout

    try:
        for secret in (world.alice.tsk_bytes, world.bob.tsk_bytes):
            call(["--import"], secret)
        to = [word for one in (world.alice, world.bob) for word in ("-r", one.account.fingerprint.hex)]
        seal = ["--sign", "-u", world.alice.account.fingerprint.hex, "--encrypt", *to]
        sealed, opened = in_turns(rounds, lambda _: call(seal, plain), lambda _: call(["--decrypt"], message))
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)
    return [
        Row("  gpg: sign + encrypt one, a process each", f"{1 / statistics.median(sealed):,.0f}/s"),
        Row("  gpg: decrypt + verify one, a process each", f"{1 / statistics.median(opened):,.0f}/s"),
    ]
