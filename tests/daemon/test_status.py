"""The status file, and that one tree has one daemon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mau.daemon import WorkerStatus, only_one, read_status, write_status
from mau.errors import AlreadyRunning
from mau.tree.layout import Root

HOLDING = """
import sys, time
from pathlib import Path
from mau.daemon import WorkerStatus, only_one, write_status
from mau.tree.layout import Root
with only_one(Root(Path(sys.argv[1]))) as directory:
    write_status(directory, 1000.0, [WorkerStatus("server", "running", 1001.0)])
    print("holding", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def root(tmp_path: Path) -> Root:
    (tmp_path / "tree").mkdir()
    return Root(tmp_path / "tree")


def test_what_was_written_is_read(root: Root) -> None:
    workers = (
        WorkerStatus("server", "running", 12.5),
        WorkerStatus("syncer", "waiting", 13.0, 3, "no connection", 13.0, 21.0),
    )
    assert read_status(root) is None
    with only_one(root) as directory:
        write_status(directory, 10.0, workers)
        status = read_status(root)
        assert status is not None
        assert (status.pid, status.started, status.workers) == (os.getpid(), 10.0, workers)
    left = read_status(root)
    assert left is not None
    assert (left.pid, left.workers) == (None, workers)


def test_one_tree_has_one_daemon_also_after_the_first_was_killed(root: Root) -> None:
    command = [sys.executable, "-c", HOLDING, str(root.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "holding\n"
            status = read_status(root)
            assert status is not None
            assert status.pid == process.pid
            with pytest.raises(AlreadyRunning, match="mau status"), only_one(root):
                pass
        finally:
            process.send_signal(signal.SIGKILL)
    with only_one(root):
        pass


def test_asking_for_the_status_keeps_nobody_from_starting(root: Root) -> None:
    with only_one(root) as directory:
        write_status(directory, 1.0, [])
    code = (
        "import sys; from pathlib import Path; from mau.daemon import read_status; "
        "from mau.tree.layout import Root\nprint('go', flush=True)\n"
        "while True: read_status(Root(Path(sys.argv[1])))"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(root.path)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            end = time.monotonic() + 1
            while time.monotonic() < end:
                with only_one(root):
                    pass
        finally:
            process.kill()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"pid": 1, "started": 1, "workers": [{"nonsense": 1}]}', b"1" * 9999],
)
def test_a_file_that_is_none_says_nothing(root: Root, content: bytes) -> None:
    (root.state_dir("daemon") / "status.json").write_bytes(content)
    assert read_status(root) is None
