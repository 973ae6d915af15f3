"""The demo does what it says, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

DEMO = [sys.executable, "-m", "mau_cli.main", "demo"]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A place for temporary files, with a path short enough for the socket of gpg-agent."""
    place = Path("/tmp") / f"demo-{os.getpid()}"  # noqa: S108
    place.mkdir(mode=0o700)
    yield place
    shutil.rmtree(place)


def environment(temporary: Path) -> dict[str, str]:
    return os.environ | {"TMPDIR": str(temporary)}


def test_the_demo_shows_two_people_meeting_and_leaves_nothing(temporary: Path) -> None:
    done = subprocess.run(
        DEMO,
        env=environment(temporary),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for line in (
        "alice$ mau init ",
        "bob$ mau friend add alice.pgp",
        "alice$ mau serve ",
        "bob$ mau sync alice --at 127.0.0.1:",
        "The kettle is on.",
        "account.pgp",
    ):
        assert line in done.stdout
    assert "Good signature" in done.stdout
    assert list(temporary.iterdir()) == []
    assert not _processes_of(temporary)


def test_what_a_stranger_is_shown_is_public_only(temporary: Path) -> None:
    done = subprocess.run(
        [*DEMO, "--keep"],
        env=environment(temporary),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    (answer,) = re.findall(r"stranger\$ curl.*\n\s+(\[.*\])", done.stdout)
    assert answer.count('"sum"') == 1
    assert "hello" in answer
    (kept,) = temporary.iterdir()
    assert str(kept) in done.stdout
    assert {path.name for path in kept.iterdir()} >= {"alice", "bob"}


def test_an_interrupted_demo_stops_its_server_and_cleans_up(temporary: Path) -> None:
    with subprocess.Popen(
        DEMO, env=environment(temporary), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "bob$ mau sync" in line:
                process.send_signal(signal.SIGTERM)
                break
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert list(temporary.iterdir()) == []
    until = time.monotonic() + 10
    while _processes_of(temporary) and time.monotonic() < until:
        os.sched_yield()
    assert not _processes_of(temporary)


def _processes_of(place: Path) -> list[str]:
    """Whatever still runs in or for a directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            where = str((process / "cwd").readlink())
        except OSError:
            continue
        if str(place) in words or where.startswith(str(place)):
            found.append(words)
    return found
