"""A large file shared and opened again: time, and the peak of memory."""

from __future__ import annotations

import hashlib
import os
import statistics
from pathlib import Path

import pysequoia

from tests.benchmarks.measure import MAU, Row, in_turns, spend
from tests.benchmarks.world import World


def run(world: World, _: int) -> list[Row]:
    """Rows: a file of 500 MB shared and opened again, with the peak of memory."""
    size = 500_000_000
    source = world.place / "large.bin"
    with source.open("wb") as out:
        for _ in range(size // 1_000_000):
            out.write(os.urandom(1_000_000))
    alice = world.alice
    report = str(world.place / "spent.json")
    shared = spend(
        [*MAU, "share", str(source), "--to", "bob", "--name", "large.bin"], alice.environment, report
    )
    back = world.place / "back.bin"
    opened = spend([*MAU, "open", "me", "large.bin", "-o", str(back)], alice.environment, report)
    if _sha256(source) != _sha256(back):
        raise SystemExit("the file that came back is another")

    sealed, unsealed = world.place / "bare.pgp", world.place / "bare.bin"

    def bare_seal(_: int) -> None:
        pysequoia.encrypt_file(
            str(source), str(sealed), [alice.cert, world.bob.cert], alice.tsk.signer(), armor=False
        )

    def bare_open(_: int) -> None:
        pysequoia.decrypt_file(
            str(sealed), str(unsealed), decryptor=alice.tsk.decryptor(), store=lambda _: [alice.cert]
        )

    seal, unseal = (statistics.median(took) for took in in_turns(1, bare_seal, bare_open))
    rows = []
    for what, spent, bare, named in (
        ("shared", shared, seal, "encrypt_file"),
        ("opened", opened, unseal, "decrypt_file"),
    ):
        rows.append(
            Row(
                f"500 MB {what}",
                f"{spent.wall:.1f} s, {spent.memory / 1e6:,.0f} MB at most",
                f"{bare:.1f} s {named}",
                bare / spent.wall,
                "70%, < 250 MB",
                bare / spent.wall >= 0.7 and spent.memory < 250e6,
            )
        )
    return rows


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
