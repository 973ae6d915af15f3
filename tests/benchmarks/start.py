"""What it costs to begin: the start of the program, what commands load, TAB, and opening the account."""

from __future__ import annotations

import hashlib
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mau.account import Account
from tests.benchmarks.measure import MAU, Row, cpu_of, in_turns
from tests.benchmarks.world import PASSPHRASE, World


def run(world: World, rounds: int) -> list[Row]:
    """Rows: CPU of two commands, seconds of opening the account."""
    with _agent(world) as environment:
        return _measured(world, rounds, environment)


@contextmanager
def _agent(world: World) -> Iterator[dict[str, str]]:
    """The environment of Alice with an agent of hers that keeps the account open, and no passphrase."""
    runtime = Path(tempfile.mkdtemp(prefix="run"))  # a short path: a socket lies in it
    environment = world.alice.environment | {"XDG_RUNTIME_DIR": str(runtime)}
    try:
        subprocess.run([*MAU, "unlock"], env=environment, check=True, capture_output=True)
        yield {name: value for name, value in environment.items() if name != "MAU_PASSPHRASE"}
    finally:
        subprocess.run([*MAU, "lock", "--all"], env=environment, check=False, capture_output=True)
        shutil.rmtree(runtime, ignore_errors=True)


def _measured(world: World, rounds: int, kept: dict[str, str]) -> list[Row]:
    environment = world.alice.environment
    tab = kept | {"_MAU_COMPLETE": "fish_complete", "COMP_WORDS": "mau post --to ", "COMP_CWORD": ""}
    words = kept | {"_MAU_COMPLETE": "fish_complete", "COMP_WORDS": "mau ti", "COMP_CWORD": "ti"}
    locked = world.alice.account.root.account_file.read_bytes()
    commands = {
        "python -c pass": ([sys.executable, "-c", "pass"], environment),
        "python -c 'import click'": ([sys.executable, "-c", "import click"], environment),
        "mau --help": ([*MAU, "--help"], environment),
        "mau --version": ([*MAU, "--version"], environment),
        "mau whoami": ([*MAU, "whoami"], environment),
        "mau whoami, agent": ([*MAU, "whoami"], kept),
        "mau timeline, agent": ([*MAU, "timeline", "--limit", "1"], kept),
        "mau post, agent": ([*MAU, "post", "--me", "x", "--name", "start"], kept),
        "mau ti<TAB>": (MAU, words),
        "mau post --to <TAB>, agent": (MAU, tab),
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(-1, rounds):
        for name, (argv, where) in commands.items():
            taken[name].append(cpu_of(argv, where))
    cpu = {name: statistics.median(each[1:]) * 1000 for name, each in taken.items()}
    ours, bare = in_turns(
        rounds,
        lambda _: Account.open(world.alice.account.root, PASSPHRASE),
        lambda _: derive(locked, PASSPHRASE),
    )
    key, opening = statistics.median(bare) * 1000, statistics.median(ours) * 1000
    help_, whoami = cpu["mau --help"], cpu["mau whoami"]
    floor = cpu["python -c 'import click'"]
    return [
        Row(
            "CPU of `mau --help`",
            f"{help_:.0f} ms",
            f"{floor:.0f} ms python and click",
            floor / help_,
            "< 150 ms",
            help_ < 150,
        ),
        *(
            Row(
                f"CPU of `{name}`",
                f"{cpu[name]:.0f} ms",
                f"{floor:.0f} ms python and click",
                floor / cpu[name],
                aim,
                None if not aim else cpu[name] < float(aim.split()[1]),
            )
            for name, aim in (
                ("mau --version", "< 150 ms"),
                ("mau ti<TAB>", "< 150 ms"),
                ("mau post --to <TAB>, agent", "< 400 ms"),
                ("mau whoami, agent", ""),
                ("mau post, agent", ""),
                ("mau timeline, agent", ""),
            )
        ),
        Row(
            "CPU of `mau whoami`",
            f"{whoami:.0f} ms",
            f"{cpu['python -c pass'] + key:.0f} ms python and the key",
            (cpu["python -c pass"] + key) / whoami,
        ),
        Row(
            "opening the account",
            f"{opening:.1f} ms",
            f"{key:.1f} ms key derivation",
            statistics.median(one / own for own, one in zip(ours, bare, strict=True)),
            "no slower (85%)",
            statistics.median(one / own for own, one in zip(ours, bare, strict=True)) >= 0.85,
        ),
    ]


def derive(locked: bytes, passphrase: str) -> bytes:
    """The key derivation of the account file alone: iterated and salted S2K (RFC 4880 section 3.7.1.3)."""
    start = 2 if locked[0] & 0x40 else 1 + (1, 2, 4, 0)[locked[0] & 3]
    version, _, kind, algorithm = locked[start : start + 4]
    assert (version, kind) == (4, 3), "an account file is SKESK version 4 with an iterated S2K"
    salt, coded = locked[start + 4 : start + 12], locked[start + 12]
    count = (16 + (coded & 15)) << ((coded >> 4) + 6)
    name = {8: "sha256", 10: "sha512"}[algorithm]
    once = salt + passphrase.encode()
    block = once * (1 + 65536 // len(once))
    digest = hashlib.new(name)
    left = max(count, len(once))
    while left > 0:
        digest.update(block[:left])
        left -= len(block)
    return digest.digest()
