"""`mau key`: show, extend, revoke."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mau.account import Account
from mau.openpgp import Certificate, SecretKey
from mau.openpgp.lifetime import extended
from mau.tree.layout import Root
from tests.agent.runtime import agents, runtime, until
from tests.cli.conftest import PASSPHRASE, Ended, Gpg

__all__ = ["runtime"]

Run = Callable[..., Ended]
YEAR = 365 * 86_400


@pytest.fixture
def run(mau: Run, alice: Account) -> Run:
    """`mau` with Alice's passphrase."""

    def run(*words: str | Path, **more: Any) -> Ended:
        return mau(*words, passphrase=PASSPHRASE, **more)

    return run


def shown(run: Run) -> Any:
    done = run("key", "show", "--json")
    assert done.code == 0, done.err
    return json.loads(done.text)


def expiry(run: Run) -> list[str]:
    return [key["expires"] for key in shown(run)["keys"]]


# --- show ---------------------------------------------------------------------------------------------------


def test_show_says_what_the_key_is_and_may_do(run: Run, alice: Account) -> None:
    facts = shown(run)
    assert facts["fingerprint"] == alice.fingerprint.hex
    assert facts["words"].split() == list(alice.fingerprint.words)
    assert facts["user_ids"] == ["Alice <alice@example.org>"]
    assert (facts["revoked"], facts["expires"]) == (False, None)
    assert [key["capabilities"] for key in facts["keys"]] == [["certify", "sign"], ["encrypt"]]
    assert [key["algorithm"] for key in facts["keys"]] == ["Ed25519", "ECDH Curve25519"]
    text = run("key", "show").text
    for word in (alice.fingerprint.hex, *alice.fingerprint.words, "alice@example.org", "does not expire"):
        assert word in text


# --- extend -------------------------------------------------------------------------------------------------


def test_extend_moves_the_expiry_of_both_parts_and_gpg_takes_it(run: Run, gpg: Gpg) -> None:
    done = run("key", "extend", "--until", "2040-02-29")
    assert (done.code, done.out) == (0, b""), done.err
    assert expiry(run) == ["2040-02-29T23:59:59Z"] * 2
    gpg.run("--import", stdin=run("export").out)
    listing = gpg.facts("--list-keys")
    end = str(int(Account.open(_root(run), PASSPHRASE).certificate.expires or 0))
    assert [line[6] for line in listing if line[0] in ("pub", "sub")] == [end, end]


def _root(run: Run) -> Root:
    return Root(Path(json.loads(run("whoami", "--json").text)["root"]))


def test_extend_counts_from_now_and_two_years_are_the_default(run: Run) -> None:
    for words, seconds in (((), 2 * YEAR), (("--for", "90d"), 90 * 86_400), (("--for", "10y"), 10 * YEAR)):
        now = int(time.time())
        assert run("key", "extend", *words).code == 0
        expires = Account.open(_root(run), PASSPHRASE).certificate.expires
        assert expires is not None
        assert now + seconds <= expires <= now + seconds + 30
    assert run("key", "extend", "--never").code == 0
    assert expiry(run) == [None, None]


@pytest.mark.parametrize(
    "words",
    [
        ("--for", "soon"),
        ("--until", "tomorrow"),
        ("--until", "2001-01-01"),
        ("--for", "999y"),
        ("--never", "--for", "1d"),
    ],
    ids=" ".join,
)
def test_extend_refuses_what_is_no_time(run: Run, alice: Account, words: tuple[str, ...]) -> None:
    before = alice.root.account_file.read_bytes()
    assert run("key", "extend", *words).code == 2
    assert alice.root.account_file.read_bytes() == before


def test_extend_brings_an_expired_key_back(run: Run, tmp_path: Path) -> None:
    now = int(time.time())
    key = SecretKey.generate("Olga", "olga@example.org", created=now - 5000)
    account = Account.create(Root(tmp_path / "old"), key, PASSPHRASE)
    account.change_key(PASSPHRASE, lambda key: extended(key, now - 1000, now - 4000))
    root = account.root.path
    done = run("post", "hello", "--public", root=root)
    assert done.code == 6
    assert "mau key extend" in done.err
    assert "has expired" in run("key", "show", root=root).err
    assert run("key", "extend", root=root).code == 0
    assert run("post", "hello", "--public", root=root).code == 0


# --- revoke -------------------------------------------------------------------------------------------------


def test_revoke_ends_signing_and_leaves_everything_readable(run: Run, gpg: Gpg, alice: Account) -> None:
    private = run("post", "for me", "--to", "me").text.strip()
    public = run("post", "for all", "--public").text.strip()
    done = run("key", "revoke", "--reason", "retired", "--yes")
    assert (done.code, done.out) == (0, b""), done.err
    assert shown(run)["revoked"]
    for words in (("post", "again", "--public"), ("post", "again", "--to", "me")):
        refused = run(*words)
        assert refused.code == 6
        assert "revoked" in refused.err
    for name, text in ((private, "for me"), (public, "for all")):
        opened = run("open", "me", name)
        assert opened.code == 0, opened.err
        assert text in opened.text
    gpg.run("--import", stdin=run("export").out)
    assert [line[1] for line in gpg.facts("--list-keys") if line[0] == "pub"] == ["r"]
    assert run("friend", "list").code == 0


def test_revoke_asks_twice_in_words(on_terminal: Run, alice: Account) -> None:
    env = {"MAU_PASSPHRASE": PASSPHRASE}
    question = "Why (superseded, retired, compromised): "
    for typed in ([("[y/N]: ", "n")], [("[y/N]: ", "y"), ("to go on: ", "yes")]):
        done = on_terminal("key", "revoke", typed=[(question, "retired"), *typed], env=env)
        assert done.code == 130
        assert not Account.open(alice.root, PASSPHRASE).certificate.revoked
    typed = [(question, "superseded"), ("[y/N]: ", "y"), ("to go on: ", "Revoke my key")]
    done = on_terminal("key", "revoke", typed=typed, env=env)
    assert done.code == 0, done.err
    assert Account.open(alice.root, PASSPHRASE).certificate.revoked


def test_revoke_needs_a_reason_and_a_yes_without_a_terminal(run: Run, alice: Account) -> None:
    assert run("key", "revoke", "--yes").code == 2
    assert run("key", "revoke", "--reason", "retired").code == 2
    assert not Account.open(alice.root, PASSPHRASE).certificate.revoked


def test_revoking_again_is_refused(run: Run) -> None:
    assert run("key", "revoke", "--reason", "compromised", "--yes").code == 0
    for words in (("--reason", "retired"), ("--reason", "compromised")):
        assert run("key", "revoke", *words, "--yes").code == 6
    assert run("key", "extend").code == 6


def test_the_revocation_certificate_needs_no_passphrase(
    mau: Run, run: Run, alice: Account, tmp_path: Path
) -> None:
    done = mau("key", "revoke", "--certificate", alice.revocation_file, "--yes")
    assert (done.code, done.out) == (0, b""), done.err
    assert shown(run)["compromised"], "without a reason it refuses all"
    assert run("post", "again", "--public").code == 6
    exported = tmp_path / "alice.asc"
    assert mau("export", "--copy", "-o", exported).code == 0
    assert Certificate.parse(exported.read_bytes()).compromised


def test_another_revocation_certificate_is_refused(mau: Run, alice: Account, tmp_path: Path) -> None:
    other = tmp_path / "other.asc"
    other.write_text(SecretKey.generate("Mallory", "mallory@example.org").revocation_certificate())
    for file, words in ((other, "another key"), (alice.root.certificate_file, "no revocation")):
        done = mau("key", "revoke", "--certificate", file, "--yes")
        assert done.code == 6
        assert words in done.err
    assert not Account.open(alice.root, PASSPHRASE).certificate.revoked


# --- beside the agent ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("extend", "--for", "1y"), ("revoke", "--reason", "retired", "--yes")])
def test_the_agent_does_not_go_on_holding_the_key_as_it_was(
    run: Run, mau: Run, runtime: Path, words: tuple[str, ...]
) -> None:
    run("unlock", "--for", "1h")
    assert len(agents(runtime)) == 1
    done = run("key", *words)
    assert done.code == 0, done.err
    assert "closed again" in done.err
    assert json.loads(mau("unlock", "--status", "--json").out) == []
    until(lambda: not agents(runtime))
