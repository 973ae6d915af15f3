"""What every test may rely on: the checkout's code in every process, and a home that is nobody's."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CHECKOUT = Path(__file__).parent.parent
_STATES = itertools.count()

# A process that a test starts runs the same code as the test itself (pyproject.toml, pythonpath).
os.environ["PYTHONPATH"] = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "cmd")])

# Who runs the tests in the background may ignore Ctrl-C, and what is ignored is inherited: the programs that
# the tests interrupt must hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A slow machine is no failure: the limit of time for a whole test says when something hangs.
settings.register_profile("mau", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mau")


@pytest.fixture(scope="session", autouse=True)
def nobodys_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Neither settings nor state nor keyring of whoever runs the tests plays a part, or is touched."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("MAU_", "XDG_", "GNUPG")):
                patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        yield home


@pytest.fixture(autouse=True)
def own_state(nobodys_home: Path) -> Iterator[None]:
    """Each test begins with no state outside its tree: a keyring's counter is not another test's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(nobodys_home / f"state-{next(_STATES)}"))
        yield


def need(program: str) -> None:
    """Skip where a program that judges is missing; .ci/run installs it, and the end of the run says so."""
    if shutil.which(program) is None:
        pytest.skip(f"no program to ask: {program}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what a line of dots would hide: a machine that allows no networks of our own proved less."""
    for report in terminalreporter.stats.get("skipped", ()):
        if "no program to ask" in str(report.longrepr):
            words = f"NOT INSTALLED HERE, AND NOT ASKED: {str(report.longrepr).rpartition(': ')[2]}"
            terminalreporter.section(words.rstrip("')"), sep="!", red=True, bold=True)
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", ())
        if "no network namespaces" in str(report.longrepr)
    ]
    if skipped:
        words = f"NETWORK NAMESPACES NOT ALLOWED HERE: {len(skipped)} tests that need them did not run"
        terminalreporter.section(words, sep="!", red=True, bold=True)
