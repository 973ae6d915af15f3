"""`mau whoami`: whose account this is, and every way to say the passphrase."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.account import Account
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from tests.cli.conftest import NEW_PASSPHRASE, PASSPHRASE, Ended

Run = Callable[..., Ended]
VECTORS = Path(__file__).parent.parent / "vectors"


def test_it_shows_who_this_is(mau: Run, alice: Account) -> None:
    done = mau("whoami", passphrase=PASSPHRASE)
    assert (done.code, done.err) == (0, "")
    shown = dict(line.split(maxsplit=1) for line in done.text.splitlines())
    assert shown["fingerprint"] == alice.fingerprint.hex
    assert (shown["name"], shown["email"], shown["algorithm"]) == ("Alice", "alice@example.org", "Ed25519")
    assert shown["root"] == str(alice.root.path)


def test_json_says_the_same(mau: Run, alice: Account) -> None:
    facts = json.loads(mau("whoami", "--json", passphrase=PASSPHRASE).text)
    assert set(facts) == {"name", "email", "fingerprint", "words", "algorithm", "created", "root"}
    assert facts["fingerprint"] == alice.fingerprint.hex
    assert facts["created"].startswith("20") and facts["created"].endswith("Z")


@pytest.mark.parametrize("kind", ["v2-ed25519", "v2-rsa4096"])
@pytest.mark.parametrize("name", ["alice", "bob", "carol"])
def test_accounts_of_the_reference_are_shown(mau: Run, kind: str, name: str) -> None:
    done = mau("whoami", "--json", passphrase=f"{name}-pass", root=VECTORS / kind / "accounts" / name)
    known = json.loads((VECTORS / kind / "accounts.json").read_text())
    assert json.loads(done.text)["fingerprint"] == known[name]["fpr"]


def test_the_name_of_a_key_does_not_steer_the_terminal(mau: Run, tmp_path: Path) -> None:
    key = SecretKey.generate("Mal\x1b[2Jlory\u202e\nfingerprint  00", "m@example.org")
    Account.create(Root(tmp_path / "tree"), key, PASSPHRASE)
    done = mau("whoami", passphrase=PASSPHRASE)
    assert done.text.count("\n") == 7
    assert not any(one in done.text for one in "\x1b\u202e")
    assert "\x1b" not in next((tmp_path / "tree").glob("revocation-*")).read_text()


# --- the passphrase ----------------------------------------------------------------------------------------


def test_every_source_opens_the_account(
    mau: Run, on_terminal: Run, alice: Account, secret_file: Callable[[str], Path]
) -> None:
    file = secret_file(PASSPHRASE + "\nanother line\n")
    assert mau("--passphrase-file", file, "whoami").code == 0
    assert mau("--passphrase-command", f"head -n 5 {file}", "whoami").code == 0
    assert mau("--passphrase-file", "/dev/stdin", "whoami", stdin=PASSPHRASE.encode()).code == 0
    assert mau("whoami", passphrase=PASSPHRASE).code == 0
    assert on_terminal("whoami", typed=[("Passphrase: ", PASSPHRASE)]).code == 0


def test_a_wrong_one_is_one_clear_line_and_4_wherever_it_comes_from(
    mau: Run, on_terminal: Run, alice: Account, secret_file: Callable[[str], Path]
) -> None:
    wrong = secret_file(NEW_PASSPHRASE)
    for done, source in [
        (mau("--passphrase-file", wrong, "whoami", passphrase=PASSPHRASE), str(wrong)),
        (
            mau("--passphrase-command", f"cat {wrong}", "whoami", passphrase=PASSPHRASE),
            "--passphrase-command",
        ),
        (mau("whoami", passphrase=NEW_PASSPHRASE), "MAU_PASSPHRASE"),
    ]:
        assert (done.code, done.out) == (4, b"")
        assert done.err.startswith("mau: the passphrase ") and done.err.count("\n") == 1
        assert source in done.err and "does not open" in done.err
    done = on_terminal("whoami", typed=[("Passphrase: ", NEW_PASSPHRASE)])
    assert done.code == 4
    assert done.err.endswith("mau: the passphrase does not open the account\n")


def test_without_a_terminal_and_a_source_nothing_is_asked(mau: Run, alice: Account) -> None:
    done = mau("whoami", stdin=PASSPHRASE.encode() + b"\n")
    assert (done.code, done.out) == (4, b"")
    assert "MAU_PASSPHRASE" in done.err


def test_a_failing_command_is_a_clear_error(mau: Run, alice: Account) -> None:
    done = mau("--passphrase-command", f"false --token='{PASSPHRASE}'", "whoami", passphrase=PASSPHRASE)
    assert done.code == 4
    assert done.err == "mau: the passphrase command 'false' failed with exit status 1\n"
    done = mau("--passphrase-command", "'unfinished", "whoami", passphrase=PASSPHRASE)
    assert done.code == 2


def test_a_passphrase_command_does_not_eat_standard_input(mau: Run, alice: Account) -> None:
    done = mau("--passphrase-command", "cat", "whoami", stdin=PASSPHRASE.encode())
    assert done.code == 4
    assert "empty" in done.err


def test_a_file_that_others_can_read_is_warned_about(
    mau: Run, alice: Account, secret_file: Callable[[str], Path]
) -> None:
    file = secret_file(PASSPHRASE)
    file.chmod(0o644)
    done = mau("--passphrase-file", file, "whoami")
    assert done.code == 0
    assert done.err.startswith("warning: ") and str(file) in done.err


def test_the_passphrase_is_in_no_traceback_that_was_asked_for(mau: Run, alice: Account) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mau_cli.main", "--dir", str(alice.root.path), "whoami"],
        env={**os.environ, "MAU_PASSPHRASE": NEW_PASSPHRASE, "MAU_DEBUG": "1"},
        capture_output=True,
        check=False,
    )
    assert b"Traceback" in done.stderr
    assert NEW_PASSPHRASE.encode() not in done.stderr


def test_ctrl_c_and_ctrl_d_at_the_question_end_with_130(on_terminal: Run, alice: Account) -> None:
    for key in ("\x03", "\x04"):
        assert on_terminal("whoami", typed=[("Passphrase: ", key)]).code == 130


# --- what it does not do -----------------------------------------------------------------------------------


def test_without_an_account_nothing_is_asked(on_terminal: Run, tmp_path: Path) -> None:
    for _ in range(2):
        done = on_terminal("whoami")
        assert done.code == 1
        assert "mau init" in done.err
        (tmp_path / "tree").mkdir(exist_ok=True)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 1000])
def test_a_damaged_account_file_is_a_clear_error(mau: Run, alice: Account, content: bytes) -> None:
    alice.root.account_file.write_bytes(content)
    done = mau("whoami", passphrase=PASSPHRASE)
    assert (done.code, done.out) == (1, b"")
    assert "backup" in done.err


def test_it_loads_neither_pgpy_nor_tls_nor_http_nor_the_keyring(alice: Account) -> None:
    code = (
        "import sys; from mau_cli.main import main; code = main(); "
        "heavy = {'pgpy', 'aiohttp', 'asyncio', 'OpenSSL', 'ssl', 'keyring', 'pyld'}; "
        "print(code, heavy & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--dir", str(alice.root.path), "whoami"],
        env={**os.environ, "MAU_PASSPHRASE": PASSPHRASE},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 set()"


def test_it_costs_little_more_than_the_key_derivation(mau: Run) -> None:
    spent = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        mau("whoami", passphrase="bob-pass", root=VECTORS / "v2-ed25519/accounts/bob")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.25


# --- the directory -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757, 0o1777])
def test_a_directory_that_others_may_write_into_is_told_once(mau: Run, alice: Account, mode: int) -> None:
    alice.root.path.chmod(mode)
    done = mau("whoami", passphrase=PASSPHRASE)
    assert (done.code, done.err.count("Warning")) == (0, 1)
    assert f" chmod go-w {alice.root.path} " in done.err
    subprocess.run(["chmod", "go-w", str(alice.root.path)], check=True)
    assert mau("whoami", passphrase=PASSPHRASE).err == ""


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o750])
def test_one_that_others_may_read_only_is_nothing_to_warn_of(mau: Run, alice: Account, mode: int) -> None:
    alice.root.path.chmod(mode)
    assert mau("whoami", passphrase=PASSPHRASE).err == ""
