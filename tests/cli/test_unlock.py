"""`mau unlock`: the passphrase is checked, and remembered only when it is right and somebody said so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.account import Account
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from tests.agent.runtime import agents, runtime, until
from tests.cli.conftest import NEW_PASSPHRASE, PASSPHRASE, Ended, Keyrings

__all__ = ["runtime"]

Run = Callable[..., Ended]


def test_with_check_the_passphrase_is_only_checked(mau: Run, alice: Account, keyrings: Keyrings) -> None:
    done = mau("unlock", "--check", passphrase=PASSPHRASE, env=keyrings.file)
    assert (done.code, done.out) == (0, b"")
    assert "Alice <alice@example.org>" in done.err
    assert keyrings.entries() == {}
    done = mau("unlock", "--check", passphrase=NEW_PASSPHRASE, env=keyrings.file)
    assert (done.code, "MAU_PASSPHRASE" in done.err) == (4, True)


# --- the agent ---------------------------------------------------------------------------------------------


def test_what_the_agent_keeps_open_needs_no_passphrase_until_lock(
    mau: Run, alice: Account, runtime: Path
) -> None:
    assert mau("whoami").code == 4
    done = mau("unlock", "--for", "90m", passphrase=PASSPHRASE)
    assert (done.code, done.out) == (0, b"")
    assert "Alice <alice@example.org> is open for 1 h 30 min" in done.err
    assert alice.fingerprint.hex in mau("whoami").text
    name = mau("post", "--me", "written without a passphrase").text.strip()
    assert "written without a passphrase" in mau("open", alice.fingerprint.hex, name).text
    [kept] = json.loads(mau("unlock", "--status", "--json").out)
    assert (kept["fingerprint"], kept["dir"]) == (alice.fingerprint.hex, str(alice.root.path))
    assert 5300 < kept["seconds"] <= 5400
    assert "1 h" in mau("unlock", "--status").text
    done = mau("lock")
    assert (done.code, done.out, "closed" in done.err) == (0, b"", True)
    assert mau("whoami").code == 4
    assert mau("unlock", "--status").text == ""
    until(lambda: not agents(runtime))


def test_on_a_terminal_unlock_asks_once_and_then_nothing_does(
    on_terminal: Run, alice: Account, runtime: Path
) -> None:
    done = on_terminal("unlock", typed=[("Passphrase: ", PASSPHRASE)])
    assert done.code == 0, done.err
    assert "8 h" in done.err
    assert on_terminal("whoami").code == 0


def test_a_passphrase_that_is_given_wins_over_the_agent(mau: Run, alice: Account, runtime: Path) -> None:
    mau("unlock", passphrase=PASSPHRASE)
    assert mau("whoami", passphrase=NEW_PASSPHRASE).code == 4
    assert mau("--passphrase-command", "printf wrong", "whoami").code == 4


def test_the_agent_wins_over_settings_and_keyring(
    mau: Run, alice: Account, runtime: Path, tmp_path: Path
) -> None:
    mau("unlock", passphrase=PASSPHRASE)
    marker = tmp_path / "asked"
    env = {"MAU_PASSPHRASE_COMMAND": f"touch {marker}"}
    assert mau("whoami", env=env).code == 0
    assert not marker.exists()


def test_to_prove_that_one_knows_the_passphrase_the_agent_does_not_do(
    mau: Run, alice: Account, runtime: Path, secret_file: Callable[[str], Path]
) -> None:
    mau("unlock", passphrase=PASSPHRASE)
    assert mau("unlock", "--check").code == 4
    new = secret_file(NEW_PASSPHRASE)
    assert mau("passphrase", "--new-passphrase-file", new).code == 4
    assert mau("passphrase", "--new-passphrase-file", new, passphrase=PASSPHRASE).code == 0
    assert mau("whoami").code == 4  # the agent kept another account file open


def test_lock_closes_this_account_or_all(mau: Run, alice: Account, runtime: Path, tmp_path: Path) -> None:
    bob = Account.create(Root(tmp_path / "bob"), SecretKey.generate("Bob", "bob@example.org"), PASSPHRASE)
    mau("unlock", passphrase=PASSPHRASE)
    mau("unlock", passphrase=PASSPHRASE, root=bob.root.path)
    mau("lock")
    assert (mau("whoami").code, mau("whoami", root=bob.root.path).code) == (4, 0)
    mau("unlock", passphrase=PASSPHRASE)
    assert "2 accounts" in mau("lock", "--all").err
    assert (mau("whoami").code, mau("whoami", root=bob.root.path).code) == (4, 4)


def test_without_a_runtime_directory_it_says_so_and_keeps_nothing(mau: Run, alice: Account) -> None:
    done = mau("unlock", passphrase=PASSPHRASE)
    assert done.code == 1
    assert "XDG_RUNTIME_DIR" in done.err
    assert "--remember" in done.err


@pytest.mark.parametrize(
    "words", [["--for", "soon"], ["--for", "0s"], ["--check", "--status"], ["--status", "--remember"]]
)
def test_words_that_do_not_fit(mau: Run, alice: Account, runtime: Path, words: list[str]) -> None:
    assert mau("unlock", *words, passphrase=PASSPHRASE).code == 2


def test_more_than_a_month_is_refused(mau: Run, alice: Account, runtime: Path) -> None:
    done = mau("unlock", "--for", "32d", passphrase=PASSPHRASE)
    assert done.code == 2
    assert mau("whoami").code == 4


# --- the system's keyring ----------------------------------------------------------------------------------


def test_what_is_remembered_opens_the_account_until_lock(
    mau: Run, alice: Account, keyrings: Keyrings
) -> None:
    done = mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    assert (done.code, done.out) == (0, b"")
    assert "test keyring" in done.err
    assert keyrings.entries() == {f"mau/{alice.fingerprint}": PASSPHRASE}
    assert mau("whoami", env=keyrings.file).code == 0
    assert mau("lock", env=keyrings.file).code == 0
    assert keyrings.entries() == {}
    assert mau("whoami", env=keyrings.file).code == 4


def test_on_a_terminal_it_asks(on_terminal: Run, alice: Account, keyrings: Keyrings) -> None:
    done = on_terminal("unlock", "--remember", typed=[("Passphrase: ", PASSPHRASE)], env=keyrings.file)
    assert done.code == 0, done.err
    assert on_terminal("whoami", env=keyrings.file).code == 0


def test_a_wrong_passphrase_is_not_remembered(mau: Run, alice: Account, keyrings: Keyrings) -> None:
    assert mau("unlock", "--remember", passphrase=NEW_PASSPHRASE, env=keyrings.file).code == 4
    assert keyrings.entries() == {}
    assert not alice.root.remembered_file.exists()


def test_the_other_sources_come_first(
    mau: Run, alice: Account, keyrings: Keyrings, secret_file: Callable[[str], Path]
) -> None:
    mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    wrong = secret_file(NEW_PASSPHRASE)
    assert mau("whoami", passphrase=NEW_PASSPHRASE, env=keyrings.file).code == 4
    assert mau("--passphrase-file", wrong, "whoami", env=keyrings.file).code == 4
    assert mau("--passphrase-command", f"cat {wrong}", "whoami", env=keyrings.file).code == 4


def test_a_remembered_passphrase_that_no_longer_opens_is_named_and_can_be_replaced(
    mau: Run, alice: Account, keyrings: Keyrings
) -> None:
    mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    alice.change_passphrase(PASSPHRASE, NEW_PASSPHRASE)  # by a program that knows nothing of the keyring
    done = mau("whoami", env=keyrings.file)
    assert done.code == 4
    assert "system's keyring" in done.err
    done = mau("unlock", "--remember", env=keyrings.file)
    assert (done.code, "no terminal to ask on" in done.err) == (4, True)  # the keyring is not asked
    assert mau("unlock", "--remember", passphrase=NEW_PASSPHRASE, env=keyrings.file).code == 0
    assert mau("whoami", env=keyrings.file).code == 0


def test_a_change_of_the_passphrase_is_remembered_too_and_asks_for_the_old_one(
    mau: Run, alice: Account, keyrings: Keyrings, secret_file: Callable[[str], Path]
) -> None:
    mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    new = secret_file(NEW_PASSPHRASE)
    assert mau("passphrase", "--new-passphrase-file", new, env=keyrings.file).code == 4
    done = mau("passphrase", "--new-passphrase-file", new, passphrase=PASSPHRASE, env=keyrings.file)
    assert done.code == 0, done.err
    assert keyrings.entries() == {f"mau/{alice.fingerprint}": NEW_PASSPHRASE}
    assert mau("whoami", env=keyrings.file).code == 0


def test_a_new_account_never_takes_a_remembered_passphrase(
    mau: Run, alice: Account, keyrings: Keyrings
) -> None:
    mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    alice.root.account_file.unlink()
    assert mau("init", "--name", "A", "--email", "a@b", env=keyrings.file).code == 4


def test_a_tree_that_moves_takes_the_note_along(
    mau: Run, alice: Account, keyrings: Keyrings, tmp_path: Path
) -> None:
    mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    shutil.move(alice.root.path, tmp_path / "moved")
    assert mau("whoami", root=tmp_path / "moved", env=keyrings.file).code == 0
    assert mau("lock", root=tmp_path / "moved", env=keyrings.file).code == 0
    assert keyrings.entries() == {}


def test_two_accounts_have_two_entries(mau: Run, alice: Account, keyrings: Keyrings, tmp_path: Path) -> None:
    bob = Account.create(Root(tmp_path / "bob"), SecretKey.generate("Bob", "bob@example.org"), NEW_PASSPHRASE)
    mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    mau("unlock", "--remember", passphrase=NEW_PASSPHRASE, env=keyrings.file, root=bob.root.path)
    assert mau("whoami", env=keyrings.file).code == 0
    assert mau("whoami", env=keyrings.file, root=bob.root.path).code == 0
    mau("lock", env=keyrings.file)
    assert keyrings.entries() == {f"mau/{bob.fingerprint}": NEW_PASSPHRASE}


# --- keyrings that do not serve ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        ("keyring.backends.fail.Keyring", "NoKeyringError"),
        ("keyring.backends.null.Keyring", "does not keep"),
        ("keyring_for_tests.LockedKeyring", "KeyringLocked: the user dismissed the prompt"),
        ("keyring_for_tests.TalkativeKeyring", "(RuntimeError)"),
        ("nowhere.AtAll", ""),
    ],
)
def test_a_keyring_that_does_not_take_it_is_a_clear_error(
    mau: Run, alice: Account, keyrings: Keyrings, backend: str, reason: str
) -> None:
    done = mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.named(backend))
    assert done.code == 4
    assert done.err.count("\n") == 1 and reason in done.err
    assert not alice.root.remembered_file.exists()


def test_a_keyring_that_does_not_answer_is_warned_about_and_the_terminal_asks(
    mau: Run, on_terminal: Run, alice: Account, keyrings: Keyrings
) -> None:
    mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    locked = keyrings.named("keyring_for_tests.LockedKeyring")
    done = on_terminal("whoami", typed=[("Passphrase: ", PASSPHRASE)], env=locked)
    assert done.code == 0
    assert "warning: the system's keyring does not answer" in done.err
    assert mau("whoami", env=locked).code == 4
    done = mau("lock", env=locked)
    assert done.code == 4
    assert alice.root.remembered_file.exists()  # it is still stored, so it is still noted


def test_an_entry_that_is_gone_is_not_missed(mau: Run, alice: Account, keyrings: Keyrings) -> None:
    mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    keyrings.path.write_text("{}")
    assert mau("whoami", env=keyrings.file).code == 4
    assert mau("lock", env=keyrings.file).code == 0
    assert not alice.root.remembered_file.exists()


@pytest.mark.parametrize("note", [b"", b"\n", b"../../x", b"\xff" * 50, b"a" * 100_000, b"A" * 40])
def test_a_note_that_is_none_is_passed_over(
    mau: Run, alice: Account, keyrings: Keyrings, note: bytes
) -> None:
    alice.root.remembered_file.parent.mkdir(exist_ok=True)
    alice.root.remembered_file.write_bytes(note)
    assert mau("whoami", passphrase=None, env=keyrings.file).code == 4
    assert mau("whoami", passphrase=PASSPHRASE, env=keyrings.file).code == 0


def test_where_nothing_is_remembered_the_library_is_not_even_loaded(
    alice: Account, keyrings: Keyrings
) -> None:
    code = "import sys; from mau_cli.main import main; print(main(), 'keyring' in sys.modules)"
    words = ["--dir", str(alice.root.path), "whoami"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**os.environ, **keyrings.file},
        capture_output=True,
        text=True,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    assert done.stdout == "4 False\n"


def test_the_note_holds_nothing_secret(mau: Run, alice: Account, keyrings: Keyrings) -> None:
    mau("unlock", "--remember", passphrase=PASSPHRASE, env=keyrings.file)
    assert alice.root.remembered_file.read_text() == f"{alice.fingerprint}\n"
    assert json.loads(keyrings.path.read_text())
    for file in alice.root.path.rglob("*"):
        assert not file.is_file() or PASSPHRASE.encode() not in file.read_bytes()
