"""What a service manager hears, on real datagram sockets."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mau.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, str]]:
    """A listening service manager, and the address that it puts into NOTIFY_SOCKET."""
    place = Path(tempfile.mkdtemp(prefix="notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.settimeout(10)
        if request.param == "path":
            address = str(place / "socket")
            listener.bind(address)
        else:
            address = f"@mau-test-{os.getpid()}-{place.name}"
            listener.bind(f"\0{address[1:]}")
        yield listener, address
    shutil.rmtree(place)


def test_what_is_said_arrives(manager: tuple[socket.socket, str]) -> None:
    listener, address = manager
    notifier = Notifier.from_environ({"NOTIFY_SOCKET": address})
    assert notifier.ready("all is well")
    assert listener.recv(1000) == b"READY=1\nSTATUS=all is well"
    assert notifier.status("two\nlines: K\xfche\n")
    assert listener.recv(1000) == "STATUS=two lines: K\xfche".encode()
    assert notifier.status("a lone surrogate \udcff")
    assert listener.recv(1000) == b"STATUS=a lone surrogate ?"
    assert notifier.stopping()
    assert listener.recv(1000) == b"STOPPING=1"
    assert notifier.alive()
    assert listener.recv(1000) == b"WATCHDOG=1"
    assert notifier.status("x" * 100_000)
    assert len(listener.recv(10_000)) == 1007


@pytest.mark.parametrize(
    "address", ["", "relative", "vsock:2:1234", "/nowhere/at/all", "@nobody", "/" + "x" * 300]
)
def test_where_nobody_listens_nothing_happens(address: str) -> None:
    notifier = Notifier.from_environ({"NOTIFY_SOCKET": address})
    assert not notifier.ready("x")
    assert not notifier.stopping()


def test_a_manager_that_does_not_read_holds_nobody_up(manager: tuple[socket.socket, str]) -> None:
    notifier = Notifier.from_environ({"NOTIFY_SOCKET": manager[1]})
    for _ in range(100_000):
        if not notifier.alive():
            return
    pytest.fail("its queue has no end")


@pytest.mark.parametrize(
    ("environ", "watchdog"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "²"}, None),
    ],
)
def test_the_watchdog_is_for_the_process_that_it_names(
    environ: dict[str, str], watchdog: float | None
) -> None:
    assert Notifier.from_environ({"NOTIFY_SOCKET": "@x", **environ}).watchdog == watchdog
    assert Notifier.from_environ(environ).watchdog is None
