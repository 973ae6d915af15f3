"""`mau friend`: add, list, show, confirm, remove."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mau.account import Account
from mau.keyring import Keyring
from mau.openpgp import Certificate, SecretKey
from tests.cli.conftest import PASSPHRASE, Ended
from tests.cli.people import key_of, write_key
from tests.keyring.conftest import expired, grafted, place, revoked, weak, with_user_id

Run = Callable[..., Ended]


@pytest.fixture
def run(mau: Run, alice: Account) -> Run:
    """`mau` with Alice's passphrase."""

    def run(*words: str | Path, **more: Any) -> Ended:
        return mau(*words, passphrase=PASSPHRASE, **more)

    return run


@pytest.fixture
def bob(tmp_path: Path) -> Certificate:
    return key_of("Bob Builder")


def people(run: Run) -> dict[str, str]:
    """Name to status of everybody listed."""
    listed = json.loads(run("friend", "list", "--json").text)["people"]
    return {person["name"]: person["status"] for person in listed}


def test_add_shows_the_fingerprint_makes_a_friend_and_follows(
    run: Run, alice: Account, bob: Certificate, tmp_path: Path
) -> None:
    done = run("friend", "add", write_key(tmp_path, bob), "--yes", "--group", "work")
    assert done.code == 0, done.err
    assert done.out == b""
    digits = bob.fingerprint.hex.upper()
    assert " ".join(digits[at : at + 4] for at in range(0, 40, 4)) in done.err
    assert "Bob Builder <bob@example.org>" in done.err
    keyring = Keyring.load(alice)
    assert [(p.local_name, p.groups) for p in keyring.friends()] == [("Bob Builder", ("work",))]
    assert alice.root.follows(alice.fingerprint) == [bob.fingerprint]


def test_add_takes_a_binary_key_on_standard_input_and_a_name(
    run: Run, alice: Account, bob: Certificate
) -> None:
    done = run("friend", "add", "-", "--as", "Bobby", "--yes", "--no-follow", stdin=bytes(bob))
    assert done.code == 0, done.err
    assert people(run) == {"Bobby": "friend"}
    assert alice.root.follows(alice.fingerprint) == []


def test_add_asks_for_the_name_on_a_terminal(
    on_terminal: Run, alice: Account, bob: Certificate, tmp_path: Path
) -> None:
    done = on_terminal(
        "friend",
        "add",
        write_key(tmp_path, bob),
        env={"MAU_PASSPHRASE": PASSPHRASE},
        typed=[("Your name for them [Bob Builder]: ", "Bobby"), ("'Bobby'? [y/N]: ", "y")],
    )
    assert done.code == 0, done.err
    assert [person.local_name for person in Keyring.load(alice).friends()] == ["Bobby"]


def test_no_is_no(on_terminal: Run, alice: Account, bob: Certificate, tmp_path: Path) -> None:
    done = on_terminal(
        "friend",
        "add",
        write_key(tmp_path, bob),
        env={"MAU_PASSPHRASE": PASSPHRASE},
        typed=[("Your name for them [Bob Builder]: ", ""), ("'Bob Builder'? [y/N]: ", "n")],
    )
    assert done.code != 0
    assert Keyring.load(alice).people() == []
    assert alice.root.follows(alice.fingerprint) == []


def test_add_without_terminal_and_without_yes_does_nothing(
    run: Run, bob: Certificate, tmp_path: Path
) -> None:
    path = write_key(tmp_path, bob)
    for words in ([], ["--as", "Bob"]):
        done = run("friend", "add", path, *words)
        assert done.code == 2
        assert "--yes" in done.err
    assert people(run) == {}


def test_add_refuses_with_the_reason(run: Run, alice: Account, tmp_path: Path) -> None:
    key = SecretKey.generate("Eve", "eve@example.org")
    cases = [
        (key._data, "secret key"),
        (bytes(alice.certificate), "your own key"),
        (bytes(revoked(key)), "revoked"),
        (bytes(expired()), "expired"),
        (bytes(weak()), "too weak"),
        (b"hello", "not an OpenPGP"),
        (bytes(key.certificate) + bytes(alice.certificate), "2 are in there"),
    ]
    for data, reason in cases:
        done = run("friend", "add", "-", "--yes", "--as", "Eve", stdin=data)
        assert done.code == 6, reason
        assert reason in done.err
    assert people(run) == {}


def test_add_known_and_then_as_a_friend(run: Run, alice: Account, bob: Certificate, tmp_path: Path) -> None:
    path = write_key(tmp_path, bob)
    assert run("friend", "add", path, "--known", "--yes").code == 0
    assert people(run) == {"Bob Builder": "known"}
    assert alice.root.follows(alice.fingerprint) == []
    assert run("friend", "add", path, "--known", "--group", "work", "--yes").code == 2
    assert run("friend", "add", path, "--yes").code == 0
    assert people(run) == {"Bob Builder": "friend"}
    assert alice.root.follows(alice.fingerprint) == [bob.fingerprint]


def test_a_newer_copy_is_taken_in_and_told(run: Run, alice: Account) -> None:
    key = SecretKey.generate("Eve", "eve@example.org")
    run("friend", "add", "-", "--as", "Evie", "--yes", "--no-follow", stdin=bytes(key.certificate))
    done = run("friend", "add", "-", "--yes", stdin=bytes(with_user_id(key, "Eve \x1b[31mtwo", "e@x.org")))
    assert done.code == 0, done.err
    assert "'Evie'" in done.err
    assert "new user id" in done.err
    assert "\x1b" not in done.err
    assert people(run) == {"Evie": "friend"}
    assert alice.root.follows(alice.fingerprint) == []  # as it was left
    assert "nothing new" in run("friend", "add", "-", "--yes", stdin=bytes(key.certificate)).err
    assert "revoked" in run("friend", "add", "-", "--yes", stdin=bytes(revoked(key))).err
    assert "revoked" in run("friend", "list").text


def test_a_name_in_use_is_refused(run: Run, bob: Certificate, tmp_path: Path) -> None:
    run("friend", "add", write_key(tmp_path, bob), "--yes")
    other = write_key(tmp_path, key_of("Bob Builder"))
    done = run("friend", "add", other, "--yes")
    assert done.code == 2
    assert bob.fingerprint.hex in done.err
    assert run("friend", "add", other, "--yes", "--as", "deadbeef").code == 2


def test_a_contested_subkey_is_told(run: Run, tmp_path: Path) -> None:
    bob, mallory = (SecretKey.generate(name, f"{name}@x.org") for name in ("Bob", "Mallory"))
    run("friend", "add", "-", "--yes", stdin=bytes(bob.certificate))
    done = run("friend", "add", "-", "--yes", stdin=bytes(grafted(mallory, bob)))
    assert done.code == 0
    assert "also on the key of 'Bob'" in done.err


def test_list_and_show(run: Run, alice: Account, bob: Certificate, tmp_path: Path) -> None:
    assert "friend add" in run("friend", "list").err
    run("friend", "add", write_key(tmp_path, bob), "--yes", "--group", "work")
    listed = run("friend", "list")
    assert listed.text.split()[:3] == ["Bob", "Builder", bob.fingerprint.hex]
    assert "@work" in listed.text
    facts = json.loads(run("friend", "show", "bob builder", "--json").text)
    assert facts["fingerprint"] == bob.fingerprint.hex
    assert (facts["name"], facts["status"], facts["groups"]) == ("Bob Builder", "friend", ["work"])
    assert facts["following"] is True
    assert facts["differences"] == []
    shown = run("friend", "show", bob.fingerprint.hex[:8])
    assert "bob@example.org" in shown.text
    missing = run("friend", "show", "nobody")
    assert missing.code == 2
    assert "nobody" in missing.err


def test_what_another_program_put_there_is_listed_and_confirmed(
    run: Run, alice: Account, bob: Certificate, tmp_path: Path
) -> None:
    place(alice, bob)
    place(alice, bob, "work")
    place(alice, key_of("Carol"), "", b"not mine")
    listed = json.loads(run("friend", "list", "--json").text)
    assert [person["status"] for person in listed["people"]] == ["unconfirmed"]
    assert sorted(d["kind"] for d in listed["differences"]) == ["foreign", "unconfirmed", "unconfirmed"]
    assert "friend confirm" in run("friend", "list").err
    assert run("friend", "confirm", "--all").code == 2  # nobody to ask
    done = run("friend", "confirm", "--all", "--yes")
    assert done.code == 0, done.err
    assert "'Bob Builder'" in done.err
    keyring = Keyring.load(alice)
    assert [(p.local_name, p.groups) for p in keyring.friends()] == [("Bob Builder", ("work",))]


def test_confirm_one_with_a_name_and_rename(
    run: Run, alice: Account, bob: Certificate, tmp_path: Path
) -> None:
    place(alice, bob)
    assert run("friend", "confirm").code == 2
    assert run("friend", "confirm", "--all", "--as", "Bob").code == 2
    done = run("friend", "confirm", bob.fingerprint.hex[:10], "--as", "Bobby", "--yes")
    assert done.code == 0, done.err
    assert people(run) == {"Bobby": "friend"}
    assert run("friend", "confirm", "Bobby", "--as", "Robert", "--yes").code == 0
    assert people(run) == {"Robert": "friend"}
    assert "nothing to confirm" in run("friend", "confirm", "Robert").err


def test_who_cannot_be_confirmed_is_named_and_the_exit_code_says_so(run: Run, alice: Account) -> None:
    place(alice, expired())
    place(alice, key_of("Bob"))
    done = run("friend", "confirm", "--all", "--yes")
    assert done.code == 3
    assert "expired" in done.err
    assert people(run) == {"Bob": "friend", None: "unconfirmed"}


def test_a_vanished_friend_is_confirmed_as_gone(
    run: Run, alice: Account, bob: Certificate, tmp_path: Path
) -> None:
    run("friend", "add", write_key(tmp_path, bob), "--yes")
    alice.root.key_file(bob.fingerprint).unlink()
    assert "is gone" in run("friend", "list").err
    assert run("friend", "confirm", "Bob Builder", "--yes").code == 0
    assert json.loads(run("friend", "list", "--json").text)["differences"] == []


def test_a_rolled_back_statement_stops_what_writes_and_says_the_way_out(
    run: Run, alice: Account, bob: Certificate, tmp_path: Path
) -> None:
    run("friend", "add", write_key(tmp_path, bob), "--yes")
    backup = tmp_path / "backup"
    shutil.copytree(alice.root.path, backup)
    carol = key_of("Carol")
    run("friend", "add", write_key(tmp_path, carol), "--yes")
    shutil.rmtree(alice.root.path)
    backup.rename(alice.root.path)
    refused = run("friend", "add", write_key(tmp_path, carol), "--yes")
    assert refused.code == 6
    assert "friend confirm --all" in refused.err
    listed = json.loads(run("friend", "list", "--json").text)
    assert listed["problem"]
    assert [person["status"] for person in listed["people"]] == ["unconfirmed"]
    done = run("friend", "confirm", "--all", "--yes")
    assert done.code == 0, done.err
    assert people(run) == {"Bob Builder": "friend"}
    assert run("friend", "add", write_key(tmp_path, carol), "--yes").code == 0


def test_remove_forgets_the_key_keeps_the_posts_and_unfollows(
    run: Run, alice: Account, bob: Certificate, tmp_path: Path
) -> None:
    run("friend", "add", write_key(tmp_path, bob), "--yes", "--group", "work")
    post = alice.root.author_dir(bob.fingerprint) / "hello.json.pgp"
    post.write_bytes(b"...")
    assert run("friend", "remove", "Bob Builder").code == 2
    assert run("friend", "remove", "me", "--yes").code == 2
    done = run("friend", "remove", "Bob Builder", "--yes")
    assert done.code == 0, done.err
    assert "posts" in done.err
    assert people(run) == {}
    assert (alice.root.hidden_dir(bob.fingerprint) / "hello.json.pgp").read_bytes() == b"..."
    assert list(alice.root.key_files()) == []


def test_text_of_others_steers_no_terminal(run: Run, tmp_path: Path) -> None:
    evil = SecretKey.generate("Eve \x1b[2J\u202egpj", "eve@example.org").certificate
    outputs = [
        run("friend", "add", "-", "--as", "Eve", "--yes", stdin=bytes(evil)),
        run("friend", "list"),
        run("friend", "list", "--json"),
        run("friend", "show", "Eve"),
        run("friend", "show", "Eve", "--json"),
        run("friend", "remove", "Eve", "--yes"),
    ]
    for done in outputs:
        assert done.code == 0, done.err
        for text in (done.text, done.err):
            assert "\x1b" not in text
            assert "\u202e" not in text
