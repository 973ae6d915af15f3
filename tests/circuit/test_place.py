"""The socket where circuits come in: the owner's alone, wherever the tree lies."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from mau.circuit.place import CircuitEnd
from mau.tree.layout import Root


@pytest.mark.parametrize("depth", [0, 30], ids=["as usual", "a long path"])
def test_one_listens_and_the_other_connects(tmp_path: Path, depth: int) -> None:
    tree = tmp_path.joinpath(*["deeper"] * depth, "tree")
    tree.mkdir(parents=True, mode=0o700)
    end = CircuitEnd(Root(tree))
    listening = end.listen()
    assert listening is not None
    with listening, end.connect() as there:
        here, _ = listening.accept()
        with here:
            there.send(b"word")
            assert here.recv(10) == b"word"
            assert here.getpeername() == ""
        end.leave()


def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    end = CircuitEnd(Root(tmp_path))
    listening = end.listen()
    assert listening is not None
    with listening:
        status = (tmp_path / ".server" / "circuit").lstat()
        assert stat.S_ISSOCK(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / ".server").lstat().st_mode) == 0o700


def test_where_nobody_listens_is_an_error_at_once(tmp_path: Path) -> None:
    end = CircuitEnd(Root(tmp_path))
    with pytest.raises(FileNotFoundError):
        end.connect()
    listening = end.listen()
    assert listening is not None
    listening.close()
    with pytest.raises(ConnectionRefusedError):
        end.connect()


def test_a_server_that_is_behind_is_not_waited_for(tmp_path: Path) -> None:
    end = CircuitEnd(Root(tmp_path))
    listening = end.listen()
    assert listening is not None
    waiting: list[socket.socket] = []
    with listening:
        with pytest.raises(BlockingIOError):
            while len(waiting) < 1000:
                waiting.append(end.connect())
        for one in waiting:
            one.close()


def test_what_was_left_behind_makes_room(tmp_path: Path) -> None:
    end = CircuitEnd(Root(tmp_path))
    (tmp_path / ".server").mkdir(mode=0o700, exist_ok=True)
    (tmp_path / ".server" / "circuit").write_text("of a server that was killed")
    listening = end.listen()
    assert listening is not None
    with listening:
        end.connect().close()
