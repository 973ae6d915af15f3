"""`mau lock`: what was remembered is forgotten; where nothing was, nothing happens."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from mau.account import Account
from mau.agent.place import SOCKET
from tests.agent.runtime import agents, runtime, until
from tests.cli.conftest import PASSPHRASE, Ended, Keyrings

__all__ = ["runtime"]

Run = Callable[..., Ended]


def test_it_needs_no_passphrase_and_may_be_said_twice(mau: Run, alice: Account, keyrings: Keyrings) -> None:
    mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    done = mau("lock", env=keyrings.file)
    assert (done.code, done.out) == (0, b"")
    assert "no longer" in done.err
    again = mau("lock", env=keyrings.file)
    assert (again.code, again.out) == (0, b"")
    assert "was not" in again.err
    assert keyrings.entries() == {}


def test_it_leaves_other_entries_alone(mau: Run, alice: Account, keyrings: Keyrings) -> None:
    keyrings.path.write_text('{"mail/alice": "another secret"}')
    mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    mau("lock", env=keyrings.file)
    assert keyrings.entries() == {"mail/alice": "another secret"}


def test_without_an_account_it_says_so(mau: Run, keyrings: Keyrings) -> None:
    done = mau("lock", env=keyrings.file)
    assert done.code == 1
    assert "mau init" in done.err


def test_an_agent_that_does_not_answer_is_told_of_and_the_rest_is_done(
    mau: Run, alice: Account, keyrings: Keyrings, runtime: Path
) -> None:
    mau("unlock", "--remember", "--for", "1h", passphrase=PASSPHRASE, env=keyrings.file)
    [pid] = agents(runtime)
    os.kill(pid, signal.SIGSTOP)
    try:
        done = mau("lock", env=keyrings.file)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert done.code == 1
    assert "does not answer" in done.err
    assert "was not" not in done.err
    assert "no longer remembers" in done.err
    assert keyrings.entries() == {}
    (runtime / "mau" / SOCKET).unlink(missing_ok=True)
    until(lambda: not agents(runtime))


def test_where_no_agent_can_be_asked_it_says_so(mau: Run, alice: Account, keyrings: Keyrings) -> None:
    assert "XDG_RUNTIME_DIR is not set" in mau("lock", env={**keyrings.file, "XDG_RUNTIME_DIR": ""}).err
