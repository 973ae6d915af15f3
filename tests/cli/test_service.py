"""`mau service`: what is written where, what systemd is told, and that nothing is pretended.

`systemctl` and `systemd-creds` are small programs here that note how they were called: there is no service
manager of a user where tests run.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.account import Account
from mau.daemon import WorkerStatus, only_one, write_status
from mau.daemon.systemd import makes_namespaces
from tests.cli.conftest import NEW_PASSPHRASE, PASSPHRASE, Ended

Run = Callable[..., Ended]

_PROGRAM = """#!{python} -IS
import os, sys
with open({log!r}, "a") as log:
    log.write(" ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n")
if "--version" in sys.argv:
    print("systemd {version} ({version}.1)")
elif "encrypt" in sys.argv:
    sys.stdout.write("encrypted:" + sys.stdin.read()[::-1])
elif "is-active" in sys.argv:
    print("active")
elif "is-enabled" in sys.argv:
    print("enabled")
sys.exit({code})
"""


class Systemd:
    """The programs of a systemd that is not there."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.log = place / "log"
        self.config = place / "config"
        self.state = place / "state"
        (place / "bin").mkdir(parents=True)
        # Nothing but these programs is found: not what the machine has.
        self.env = {
            "PATH": str(place / "bin"),
            "XDG_CONFIG_HOME": str(self.config),
            "XDG_STATE_HOME": str(self.state),
        }

    def has(self, program: str, *, version: int = 256, code: int = 0) -> None:
        path = self.place / "bin" / program
        path.write_text(_PROGRAM.format(python=sys.executable, log=str(self.log), version=version, code=code))
        path.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    @property
    def unit(self) -> Path:
        return self.config / "systemd" / "user" / "mau.service"

    def setting(self, name: str) -> str | None:
        found = re.search(rf"^{name}=(.*)$", self.unit.read_text(), re.MULTILINE)
        return found[1] if found else None


@pytest.fixture
def systemd(tmp_path: Path) -> Systemd:
    return Systemd(tmp_path / "systemd")


def test_where_systemd_encrypts_the_passphrase_it_does(mau: Run, alice: Account, systemd: Systemd) -> None:
    systemd.has("systemctl")
    systemd.has("systemd-creds", version=256)
    done = mau("service", "install", passphrase=PASSPHRASE, env=systemd.env)
    assert done.code == 0, done.err
    assert done.text == f"{systemd.unit}\n"
    credential = systemd.config / "mau" / "passphrase.cred"
    assert systemd.setting("LoadCredentialEncrypted") == f"mau.passphrase:{credential}"
    assert credential.read_text() == "encrypted:" + PASSPHRASE[::-1]
    assert stat.S_IMODE(credential.stat().st_mode) == 0o600
    assert not (systemd.config / "mau" / "passphrase.txt").exists()
    assert systemd.calls == [
        "systemd-creds --version",
        "systemd-creds encrypt --user --name=mau.passphrase - -",
        "systemctl --user daemon-reload",
        "systemctl --user enable mau.service",
        "systemctl --user restart mau.service",
    ]
    assert PASSPHRASE not in systemd.unit.read_text()


def test_the_unit_runs_this_very_program_on_this_tree(mau: Run, alice: Account, systemd: Systemd) -> None:
    env = {**systemd.env, "MAU_CONFIG": str(systemd.place / "other.toml"), "MAU_SERVER_LISTEN": "127.0.0.1:0"}
    (systemd.place / "other.toml").touch(mode=0o600)
    done = mau("service", "install", "--passphrase", "none", env=env)
    assert done.code == 0, done.err
    command = systemd.setting("ExecStart")
    assert command is not None
    root = str(alice.root.path)
    assert shlex.split(command.removeprefix(":")) == [
        *[sys.executable, "-P", "-m", "mau_cli.main", "--dir", root, "up"],
    ]
    written = systemd.setting("ReadWritePaths")
    assert (written is not None) == makes_namespaces()
    assert shlex.split(written or "") == ([root, str(systemd.state / "mau")] if written else [])
    assert (systemd.state / "mau").is_dir()
    unit = systemd.unit.read_text()
    assert f'Environment="MAU_CONFIG={systemd.place}/other.toml"' in unit
    assert "127.0.0.1" not in unit
    assert "do not reach the service" in done.err
    assert "LoadCredential" not in unit


def test_a_file_that_can_be_read_is_written_only_after_a_yes(
    mau: Run, on_terminal: Run, alice: Account, systemd: Systemd
) -> None:
    systemd.has("systemctl")
    systemd.has("systemd-creds", version=252)
    file = systemd.config / "mau" / "passphrase.txt"
    done = mau("service", "install", passphrase=PASSPHRASE, env=systemd.env)
    assert done.code == 2
    assert "cannot encrypt" in done.err
    assert not file.exists()
    assert not systemd.unit.exists()
    env = {**systemd.env, "MAU_PASSPHRASE": PASSPHRASE}
    done = on_terminal("service", "install", typed=[("[y/N]: ", "n")], env=env)
    assert done.code == 130
    assert not file.exists()
    done = on_terminal("service", "install", typed=[("[y/N]: ", "y")], env=env)
    assert done.code == 0, done.err
    assert file.read_text() == PASSPHRASE + "\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert systemd.setting("LoadCredential") == f"mau.passphrase:{file}"


def test_without_systemctl_it_writes_the_files_and_says_what_to_run(
    mau: Run, alice: Account, systemd: Systemd
) -> None:
    done = mau("service", "install", "--passphrase", "file", passphrase=PASSPHRASE, env=systemd.env)
    assert done.code == 0, done.err
    assert systemd.unit.exists()
    assert "nothing was started" in done.err
    assert "systemctl --user enable --now mau.service" in done.err


def test_no_start_leaves_the_rest_to_the_user(mau: Run, alice: Account, systemd: Systemd) -> None:
    systemd.has("systemctl")
    done = mau("service", "install", "--passphrase", "none", "--no-start", env=systemd.env)
    assert done.code == 0
    assert systemd.calls == []
    assert "systemctl --user enable --now mau.service" in done.err


def test_a_wrong_passphrase_installs_nothing(mau: Run, alice: Account, systemd: Systemd) -> None:
    done = mau("service", "install", "--passphrase", "file", passphrase=NEW_PASSPHRASE, env=systemd.env)
    assert done.code == 4
    assert not systemd.unit.exists()
    assert not (systemd.config / "mau").exists()


def test_what_systemd_refuses_is_said(mau: Run, alice: Account, systemd: Systemd) -> None:
    systemd.has("systemctl", code=1)
    done = mau("service", "install", "--passphrase", "none", env=systemd.env)
    assert done.code == 1
    assert "systemctl --user daemon-reload failed" in done.err
    assert "nothing runs" in done.err
    assert "systemctl --user enable --now mau.service" in done.err


@pytest.mark.parametrize("version", [None, 255])
def test_encrypted_where_it_cannot_be_is_an_error_and_not_a_file(
    mau: Run, alice: Account, systemd: Systemd, version: int | None
) -> None:
    if version is not None:
        systemd.has("systemd-creds", version=version)
    done = mau("service", "install", "--passphrase", "encrypted", passphrase=PASSPHRASE, env=systemd.env)
    assert done.code == 1
    assert "version 256" in done.err
    assert "--passphrase file" in done.err
    assert not systemd.unit.exists()


def test_remove_leaves_nothing_and_may_be_said_twice(mau: Run, alice: Account, systemd: Systemd) -> None:
    systemd.has("systemctl")
    mau("service", "install", "--passphrase", "file", passphrase=PASSPHRASE, env=systemd.env)
    systemd.log.unlink()
    done = mau("service", "remove", env=systemd.env)
    assert done.code == 0, done.err
    assert systemd.calls == ["systemctl --user disable --now mau.service", "systemctl --user daemon-reload"]
    assert not systemd.unit.exists()
    assert list((systemd.config / "mau").iterdir()) == []
    done = mau("service", "remove", env=systemd.env)
    assert (done.code, "was not installed" in done.err) == (0, True)


def test_status_says_what_is_there(mau: Run, alice: Account, systemd: Systemd) -> None:
    done = mau("service", "status", env=systemd.env)
    assert (done.code, done.out) == (0, b"")
    assert "not installed" in done.err
    systemd.has("systemctl")
    mau("service", "install", "--passphrase", "none", env=systemd.env)
    with only_one(alice.root) as directory:
        write_status(directory, 1.0, [WorkerStatus("server", "waiting", 2.0, 1, "no \x1b[1m port", 3.0, 4.0)])
        told = mau("service", "status", env=systemd.env).text
        assert f"{systemd.unit}: active, enabled\n" in told
        assert f"process {os.getpid()}" in told
        assert "server: no \\x1b[1m port; again in 0 s" in told
        facts = json.loads(mau("service", "status", "--json", env=systemd.env).out)
    assert facts["installed"] is True
    assert (facts["active"], facts["enabled"], facts["pid"]) == ("active", "enabled", os.getpid())
    assert facts["workers"][0]["error"] == "no \x1b[1m port"


# --- inside the service ------------------------------------------------------------------------------------


def test_the_credential_of_the_service_opens_the_account(mau: Run, alice: Account, tmp_path: Path) -> None:
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "mau.passphrase").write_text(PASSPHRASE + "\n")
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert mau("whoami", env=env).code == 0
    assert mau("whoami", env=env, passphrase=NEW_PASSPHRASE).code == 4  # what is said for this run is first
    assert mau("unlock", "--check", env=env).code == 4  # nobody has shown that he knows it
    (tmp_path / "credentials" / "mau.passphrase").write_text(NEW_PASSPHRASE)
    done = mau("whoami", env=env)
    assert done.code == 4
    assert "credential" in done.err
    assert mau("whoami", env={"CREDENTIALS_DIRECTORY": str(tmp_path)}).code == 4
