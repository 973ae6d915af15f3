"""`mau find`: everybody is asked, and a handshake answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mau.account import Account
from mau.addressbook import AddressBook
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from tests.cli.conftest import PASSPHRASE, Ended
from tests.cli.running import first_line, started

Run = Callable[..., Ended]
NODE = {"MAU_DISCOVERY_KADEMLIA": "true", "MAU_DISCOVERY_ANNOUNCE": "true"}


@pytest.fixture(autouse=True)
def _settings_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def bob(tmp_path: Path) -> Account:
    return Account.create(Root(tmp_path / "bob"), SecretKey.generate("Bob", "bob@example.org"), PASSPHRASE)


@contextmanager
def up(account: Account, *words: str) -> Iterator[str]:
    """`mau up` as a node; yields its address."""
    listening = ("up", "--no-sync", "--listen", "127.0.0.1:0", *words)
    with started(account.root.path, PASSPHRASE, *listening, **NODE) as process:
        line = first_line(process)
        assert line.endswith(f" {account.fingerprint}\n"), process.stderr and process.stderr.read()
        yield line.split()[0]


def findings(done: Ended) -> list[dict[str, str]]:
    return [json.loads(line) for line in done.text.splitlines()]


def test_who_is_nowhere_is_not_found_and_each_source_says_so(mau: Run, alice: Account, bob: Account) -> None:
    done = mau("find", bob.fingerprint.hex, passphrase=PASSPHRASE)
    assert (done.code, done.out) == (5, b"")
    assert "address book: knows nothing" in done.err
    assert "discovery.kademlia is off" in done.err
    asked = mau("find", bob.fingerprint.hex, passphrase=PASSPHRASE, env=NODE)
    assert asked.code == 5
    assert "no node is known to begin with" in asked.err


def test_a_friend_is_found_where_the_book_says_and_only_there(mau: Run, alice: Account, bob: Account) -> None:
    Keyring.load(alice).add(bob.certificate, "bob")
    with up(bob) as address:
        port = int(address.rpartition(":")[2])
        book = AddressBook(alice.root)
        book.told(bob.fingerprint, "127.0.0.1", 9, source="told")
        book.told(bob.fingerprint, "127.0.0.1", port, source="kademlia")
        book.close()
        done = mau("find", "bob", "--json", "--all", passphrase=PASSPHRASE)
        assert done.code == 0, done.err
        outcomes = {(one["address"], one["outcome"]) for one in findings(done)}
        assert {("127.0.0.1:9", "failed"), (address, "heard"), (address, "proven")} <= outcomes
        shown = mau("find", "bob", passphrase=PASSPHRASE)
        assert shown.text == f"{address}\n"


def test_a_stranger_is_found_by_the_lookup_network(
    mau: Run, alice: Account, bob: Account, tmp_path: Path
) -> None:
    key = SecretKey.generate("Node", "node@example.org")
    node = Account.create(Root(tmp_path / "node"), key, PASSPHRASE)
    with up(node) as beginning:
        bootstrap = f"{node.fingerprint}@{beginning}"
        with up(bob, "--bootstrap", bootstrap) as address:
            env = {"MAU_DISCOVERY_KADEMLIA": "true", "MAU_DISCOVERY_BOOTSTRAP": bootstrap}
            for _ in range(20):  # until the node has looked whether bob is there
                done = mau("find", bob.fingerprint.hex, "--json", passphrase=PASSPHRASE, env=env)
                if done.code == 0:
                    break
            assert done.code == 0, done.err
            proven = [one for one in findings(done) if one["outcome"] == "proven"]
            assert {(one["source"], one["address"]) for one in proven} == {("kademlia", address)}
            # A friend is added by the fingerprint alone, and nobody said where.
            added = mau(
                "friend", "add", bob.fingerprint.hex, "--as", "bob", "--yes", passphrase=PASSPHRASE, env=env
            )
            assert added.code == 0, added.err
            # Without discovery.announce whoever looks is a stranger, and nobody's table has him.
            listed = mau("--dir", str(node.root.path), "peer", "list", "--all", passphrase=PASSPHRASE)
            assert bob.fingerprint.hex in listed.text
            assert alice.fingerprint.hex not in listed.text


def test_what_does_not_go_together_is_said(mau: Run, alice: Account) -> None:
    assert mau("find", passphrase=PASSPHRASE).code == 2
    assert mau("find", "bob", "--watch", passphrase=PASSPHRASE).code == 2
    assert "that is you" in mau("find", alice.fingerprint.hex, passphrase=PASSPHRASE).err
    off = mau("find", "bob.example.org", passphrase=PASSPHRASE, env={"MAU_DISCOVERY_DNS": "false"})
    assert off.code == 2
    assert "discovery.dns is off" in off.err


def test_the_watching_worker_runs_and_ends_in_order(alice: Account) -> None:
    with started(alice.root.path, PASSPHRASE, "find", "--watch", MAU_SERVER_LISTEN="127.0.0.1:1") as process:
        assert process.stderr is not None
        assert re.search(rb"Finding", process.stderr.readline())
        process.terminate()
        assert process.wait(20) == 0
