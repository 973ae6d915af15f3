"""`mau config`, and that commands do as it is set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.account import Account
from mau.config.keys import KEYS, PERSONAL
from tests.cli.conftest import MAU, NEW_PASSPHRASE, PASSPHRASE, Ended

Run = Callable[..., Ended]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of settings of this test; there is none yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    return tmp_path / "xdg" / "mau" / "config.toml"


def without_dir(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAU, *words],
        cwd=cwd,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )


def test_show_shows_every_setting_with_its_place(mau: Run, file: Path, tmp_path: Path) -> None:
    mau("config", "set", "server.listen", ":9")
    mau("config", "set", f"relay.{'AB' * 20}", "none")
    shown = json.loads(mau("config", "show", "--json", env={"MAU_SERVER_RELAY": "public"}).out)
    assert [one["key"] for one in shown] == [
        *(key.name for key in KEYS if key not in PERSONAL),
        f"relay.{'ab' * 20}",
    ]
    by_key = {one.pop("key"): one for one in shown}
    assert by_key["server.listen"] == {"value": ":9", "from": "file", "source": str(file)}
    assert by_key["server.relay"] == {"value": "public", "from": "environment", "source": "MAU_SERVER_RELAY"}
    assert by_key["post.audience"] == {"value": None, "from": "default", "source": None}
    assert by_key["dir"] == {"value": str(tmp_path / "tree"), "from": "option", "source": "--dir"}
    table = mau("config", "show").text.splitlines()
    assert any(line.split() == ["server.listen", ":9", str(file)] for line in table)


def test_what_may_be_secret_is_not_shown(mau: Run, file: Path) -> None:
    assert mau("config", "set", "passphrase.command", "pass hunter2").code == 0
    for words in (
        ["show"],
        ["show", "--json"],
        ["set", "passphrase.file", "/x"],
        ["set", "server.relay", "none"],
    ):
        done = mau("config", *words)
        assert "hunter2" not in done.text + done.err
    assert "pass ..." in mau("config", "show").text


def test_path_says_where_it_is(mau: Run, file: Path, tmp_path: Path) -> None:
    assert (done := mau("config", "path")).text == f"{file}\n"
    assert "none yet" in done.err
    mau("config", "set", "server.relay", "none")
    assert json.loads(mau("config", "path", "--json").out) == {"path": str(file), "exists": True}
    other = tmp_path / "other.toml"
    assert mau("config", "path", env={"MAU_CONFIG": str(other)}).text == f"{other}\n"


def test_set_and_unset_say_what_they_did(mau: Run, file: Path) -> None:
    done = mau("config", "set", "post.audience", "bob, @tea", env={"MAU_POST_AUDIENCE": "me"})
    assert (done.code, done.out) == (0, b"")
    assert "MAU_POST_AUDIENCE" in done.err
    assert file.read_text() == '[post]\naudience = ["bob", "@tea"]\n'
    assert "removed" in mau("config", "unset", "post.audience").err
    assert (again := mau("config", "unset", "post.audience")).code == 0
    assert "not set" in again.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["set", "server.lisen", ":1"], "did you mean server.listen?"),
        (["set", "server.listen", "8880"], "HOST:PORT"),
        (["set", "server.relay", "all"], "none, friends or public"),
        (["set", "post.audience", "public"], "--public each time"),
        (["set", "relay.bob", "none"], "40 hex digits"),
        (["set", "dir", "here"], "absolute"),
        (["unset", "server.lisen"], "did you mean server.listen?"),
        (["set", "server.listen"], "VALUE"),
    ],
)
def test_what_does_not_fit_is_not_written(mau: Run, file: Path, words: list[str], says: str) -> None:
    done = mau("config", *words)
    assert (done.code, done.out) == (2, b"")
    assert says in done.err
    assert not file.exists()


# --- commands do as it is set ------------------------------------------------------------------------------


def test_a_mistake_in_the_file_stops_what_needs_settings_and_can_be_mended(
    mau: Run, alice: Account, file: Path
) -> None:
    mau("config", "set", "server.relay", "none")
    file.write_text('[sever]\nrelay = "none"\n')
    done = mau("whoami", passphrase=PASSPHRASE)
    assert done.code == 2
    assert str(file) in done.err
    assert mau("config", "unset", "sever").code == 0
    assert mau("whoami", passphrase=PASSPHRASE).code == 0


def test_the_help_reads_no_settings(file: Path, tmp_path: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text("no settings")
    for words in (["--help"], ["--version"], ["serve", "--help"], ["config", "--help"]):
        assert without_dir(*words, cwd=tmp_path).returncode == 0


def test_reading_no_file_imports_no_toml(alice: Account, tmp_path: Path) -> None:
    code = (
        "import sys; from mau_cli.main import main; assert main(['whoami']) == 0; "
        "print([name for name in ('tomllib', 'tomlkit') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MAU_DIR": str(alice.root.path), "MAU_PASSPHRASE": PASSPHRASE},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_tree_can_be_set(mau: Run, alice: Account, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / ".mau").mkdir(parents=True)
    mau("config", "set", "dir", str(alice.root.path))
    done = without_dir("whoami", cwd=tmp_path, MAU_PASSPHRASE=PASSPHRASE)
    assert (done.returncode, alice.fingerprint.hex in done.stdout) == (0, True)
    # Who stands in a tree means that one.
    assert without_dir("whoami", cwd=other, MAU_PASSPHRASE=PASSPHRASE).returncode == 1
    assert without_dir("whoami", cwd=tmp_path, MAU_DIR=str(other), MAU_PASSPHRASE="x").returncode == 1


def test_the_passphrase_can_come_from_what_is_set(
    mau: Run, alice: Account, file: Path, secret_file: Callable[[str], Path]
) -> None:
    right, wrong = secret_file(PASSPHRASE), secret_file("wrong")
    mau("config", "set", "passphrase.file", str(right))
    assert mau("whoami").code == 0
    assert mau("whoami", passphrase="wrong").code == 4  # the environment goes first
    assert mau("whoami", env={"MAU_PASSPHRASE_FILE": str(wrong)}).code == 4
    assert mau("whoami", env={"MAU_PASSPHRASE_COMMAND": f"cat {wrong}"}).code == 4
    assert mau("--passphrase-file", wrong, "whoami").code == 4
    mau("config", "unset", "passphrase.file")
    mau("config", "set", "passphrase.command", f"cat {right}")
    assert mau("whoami").code == 0
    mau("config", "set", "passphrase.command", f"cat {wrong}")
    assert "passphrase.command" in (done := mau("whoami")).err
    assert str(wrong) not in done.err


def test_the_passphrase_in_the_settings_is_for_no_other_account_and_proves_nothing(
    mau: Run, alice: Account, file: Path, tmp_path: Path, secret_file: Callable[[str], Path]
) -> None:
    mau("config", "set", "passphrase.file", str(secret_file(PASSPHRASE)))
    new = secret_file(NEW_PASSPHRASE)
    init = mau("init", "--name", "Bob", "--email", "bob@example.org", root=tmp_path / "bob")
    assert (init.code, (tmp_path / "bob" / ".mau" / "account.pgp").exists()) == (4, False)
    assert mau("passphrase", "--new-passphrase-file", new).code == 4
    assert mau("unlock").code == 4
    assert mau("whoami").code == 0
    assert mau("passphrase", "--new-passphrase-file", new, passphrase=PASSPHRASE).code == 0


def test_the_audience_can_be_set_and_an_option_goes_first(mau: Run, alice: Account, file: Path) -> None:
    assert mau("post", "x", passphrase=PASSPHRASE).code == 2
    mau("config", "set", "post.audience", "me")
    assert "for you alone" in mau("post", "x", passphrase=PASSPHRASE).err
    assert "for everybody" in mau("post", "--public", "x", passphrase=PASSPHRASE).err
    mau("config", "set", "post.audience", "nobody")
    done = mau("post", "x", passphrase=PASSPHRASE)
    assert (done.code, "post.audience" in done.err, "'nobody'" in done.err) == (2, True, True)
    file.write_text('post.audience = ["me", "Public"]\n')
    assert mau("post", "x", passphrase=PASSPHRASE).code == 2
