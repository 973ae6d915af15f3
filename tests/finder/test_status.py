"""What the finder wrote counts as long as it writes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mau.finder.status import FinderStatus, Place, read_status, write_status
from mau.tree.layout import Root


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    status = FinderStatus(
        os.getpid(), time.time(), 1, (Place("host:1", "seen", 5.0, "x"),), 2, "words", ("a",), missing=("b",)
    )
    write_status(Root(tmp_path), status)
    assert read_status(Root(tmp_path)) == status


def test_of_a_finder_that_is_gone_nothing_is_said(tmp_path: Path) -> None:
    assert read_status(Root(tmp_path)) is None
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_status(Root(tmp_path), FinderStatus(gone.pid, time.time()))
    assert read_status(Root(tmp_path)) is None


@pytest.mark.parametrize("ago", [3600.0, -3600.0])
def test_another_process_with_its_number_is_no_finder(tmp_path: Path, ago: float) -> None:
    write_status(Root(tmp_path), FinderStatus(os.getpid(), time.time() - ago))
    assert read_status(Root(tmp_path)) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"places": [1]}', '{"places": [], "pid": "x"}', "\0"])
def test_a_damaged_file_says_nothing(tmp_path: Path, content: str) -> None:
    root = Root(tmp_path)
    (root.state_dir("finder") / "status.json").write_text(content)
    assert read_status(root) is None
