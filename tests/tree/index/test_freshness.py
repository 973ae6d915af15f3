"""Whether somebody watches is told rightly, however many ask at once (spec/index.md I24)."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from pathlib import Path

from mau.tree.index.freshness import Freshness, is_held

_ASKS = """
import sys
from pathlib import Path
from mau.tree.index.freshness import is_held
print("ready", flush=True)
while True:
    is_held(Path(sys.argv[1]))
"""


def test_who_asks_is_not_taken_for_a_watch(tmp_path: Path) -> None:
    (tmp_path / "watched").touch()
    with subprocess.Popen([sys.executable, "-c", _ASKS, tmp_path], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"ready\n"
            end = time.monotonic() + 1
            while time.monotonic() < end:
                assert not is_held(tmp_path)
        finally:
            other.kill()


def test_it_is_held_from_the_first_to_the_last_who_watches(tmp_path: Path) -> None:
    first, second = Freshness(), Freshness()
    assert not is_held(tmp_path)
    first.hold(tmp_path)
    second.hold(tmp_path)
    assert is_held(tmp_path)
    first.release()
    assert is_held(tmp_path)
    second.release()
    assert not is_held(tmp_path)


def test_where_nobody_gives_the_turn_on_it_is_not_waited_for(tmp_path: Path) -> None:
    watch = Freshness()
    watch.hold(tmp_path)
    assert is_held(tmp_path)
    with (tmp_path / "asking").open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as of a program that was stopped in the middle
        assert not is_held(tmp_path)
    assert is_held(tmp_path)
    watch.release()
