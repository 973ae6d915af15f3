"""Network namespaces as the kernel and ip(8) give them: whether they may be made, entered and emptied."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.network.process import PATIENCE

NAMESPACES = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
_TRIAL = (
    "mount -t tmpfs none /run && ip netns add trial && ip -n trial link add name v type veth peer name w "
    "&& ip -n trial link add name s type bridge mcast_snooping 0"
)


@functools.cache
def not_allowed() -> str:
    """Why no network namespaces can be made here; "" when they can. Leaves nothing behind."""
    for command in (["true"], ["sh", "-c", _TRIAL]):
        if command[0] == "sh" and shutil.which("ip") is None:
            return ""  # allowed: whoever needs `ip` then says that it is missing
        try:
            done = subprocess.run(
                ["unshare", "--net", "--mount", *command], capture_output=True, timeout=PATIENCE, check=False
            )
        except OSError as error:
            return f"unshare: {error.strerror}"
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            return said[-1] if said else f"{command[0]} failed"
    return ""


def do(*words: str | Path, stdin: str = "") -> str:
    """Run a program that must succeed; return what it prints."""
    done = subprocess.run(
        list(map(str, words)), input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout


def kill_all(namespace: str) -> None:
    """Kill what still runs in a namespace of ours, daemons that left their session too."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        done = subprocess.run(
            ["ip", "netns", "pids", namespace], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        pids = [int(pid) for pid in done.stdout.split() if int(pid) != os.getpid()]
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def enter(namespace: str) -> None:
    """Move the calling thread into it (setns(2); Python has it from 3.12 on)."""
    descriptor = os.open(place := NAMESPACES / namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns", str(place))
    finally:
        os.close(descriptor)
