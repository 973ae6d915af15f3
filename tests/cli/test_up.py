"""`mau up` as a process: it serves and syncs, says how it is, and ends in order."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from mau.addressbook import AddressBook
from mau.daemon import DaemonStatus, read_status
from mau.hostport import parse_address
from mau.tree.layout import Root
from tests.cli.conftest import PATIENCE, Ended, check_silence
from tests.cli.running import first_line, started
from tests.publish.world import PASSPHRASE, Someone, World, trees, world

__all__ = ["trees", "world"]

Run = Callable[..., Ended]


class Manager:
    """A service manager that listens."""

    def __init__(self, place: Path) -> None:
        self.address = f"@mau-up-{os.getpid()}-{time.monotonic_ns()}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{self.address[1:]}")
        self._socket.settimeout(PATIENCE)
        self.lines: list[str] = []

    def until(self, line: str) -> None:
        while line not in self.lines:
            self.lines += self._socket.recv(10_000).decode().split("\n")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    with contextlib.closing(Manager(tmp_path)) as one:
        yield one


def up(who: Someone, *words: str, **env: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return started(who.account.root.path, PASSPHRASE, "up", *words, **env)


def ends(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> str:
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    check_silence(out, err)
    assert process.returncode == 0, err.decode()
    return err.decode()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.02)


def running(root: Root) -> dict[str, str]:
    status = read_status(root)
    return {} if status is None or status.pid is None else {one.name: one.state for one in status.workers}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_and_syncs_and_ends_in_order(
    world: World, manager: Manager, number: signal.Signals
) -> None:
    root = world.alice.account.root
    with up(world.alice, "--listen", "127.0.0.1:0", NOTIFY_SOCKET=manager.address) as process:
        address, fingerprint = first_line(process).split()
        assert fingerprint == world.alice.fpr.hex
        manager.until("READY=1")
        until(lambda: running(root) == {"server": "running", "finder": "running", "syncer": "running"})
        status = read_status(root)
        assert status is not None
        assert status.pid == process.pid
        done = subprocess.run(
            ["curl", "-sSk", f"https://{address}/p2p/{fingerprint}"],
            capture_output=True,
            check=True,
            timeout=20,
        )
        assert done.stdout == b"[]"
        ends(process, number)
        manager.until("STOPPING=1")
    left = read_status(root)
    assert isinstance(left, DaemonStatus)
    assert (left.pid, {one.state for one in left.workers}) == (None, {"stopped"})


def test_two_who_follow_each_other_need_no_thought(world: World, mau: Run) -> None:
    """What one posts while both are up is with the other soon."""
    alice, bob = world.alice, world.bob
    with up(alice, "--listen", "127.0.0.1:0") as first:
        address = first_line(first).split()[0]
        with contextlib.closing(AddressBook(bob.account.root)) as book:
            book.proven(alice.fpr, *parse_address(address))
        with up(bob, "--listen", "127.0.0.1:0") as second:
            first_line(second)
            done = mau(
                "post",
                "--to",
                "bob",
                "--name",
                "kettle",
                "x",
                passphrase=PASSPHRASE,
                root=alice.account.root.path,
            )
            assert done.code == 0, done.err
            until((bob.account.root.author_dir(alice.fpr) / "kettle.pgp").exists)
            assert second.stderr is not None
            assert any(line == b"alice: 1 new\n" for line in second.stderr)
            ends(second)
        ends(first)


def test_a_port_that_is_taken_keeps_the_syncer_from_nothing(world: World, manager: Manager) -> None:
    root = world.alice.account.root
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        with up(world.alice, "--listen", where, NOTIFY_SOCKET=manager.address) as process:
            manager.until("READY=1")
            until(lambda: running(root) == {"server": "waiting", "finder": "running", "syncer": "running"})
            taken.close()
            assert first_line(process).split()[0] == where  # it came back by itself
            until(lambda: running(root) == {"server": "running", "finder": "running", "syncer": "running"})
            err = ends(process)
    assert "server failed: " in err
    assert "in use" in err
    assert "it is started again in" in err


def test_one_tree_is_run_once(world: World, mau: Run) -> None:
    with up(world.alice, "--listen", "127.0.0.1:0", "--no-sync") as process:
        first_line(process)
        done = mau("up", passphrase=PASSPHRASE, root=world.alice.account.root.path)
        assert done.code == 1
        assert "runs on" in done.err
        assert running(world.alice.account.root) == {"server": "running", "finder": "running"}
        ends(process)


def test_it_says_where_it_listens_in_json(world: World) -> None:
    with up(world.alice, "--listen", "127.0.0.1:0", "--no-sync", "--json") as process:
        text = ""
        while not text.endswith("\n}\n"):
            line = first_line(process)
            assert line
            text += line
        assert json.loads(text)["fingerprint"] == world.alice.fpr.hex
        ends(process)


def test_without_a_server_nothing_listens(world: World) -> None:
    with up(world.alice, "--no-serve") as process:
        until(lambda: running(world.alice.account.root) == {"finder": "running", "syncer": "running"})
        assert process.stdout is not None
        ends(process)


def test_it_leaves_no_core_behind(world: World) -> None:
    with up(world.alice, "--listen", "127.0.0.1:0", "--no-sync") as process:
        first_line(process)
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        assert "Max core file size        0                    0" in limits
        ends(process)


@pytest.mark.parametrize(
    ("words", "code"),
    [(["--no-serve", "--no-sync", "--no-find"], 2), (["--listen", "nonsense"], 2)],
)
def test_words_that_do_not_fit(world: World, mau: Run, words: list[str], code: int) -> None:
    assert mau("up", *words, passphrase=PASSPHRASE, root=world.alice.account.root.path).code == code


def test_a_wrong_passphrase_runs_nothing(world: World, mau: Run) -> None:
    assert mau("up", passphrase="wrong", root=world.alice.account.root.path).code == 4
