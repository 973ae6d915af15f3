"""Each thing that can be wrong around a tree is told; a sound one has nothing to tell (spec/backup.md D)."""

from __future__ import annotations

import dataclasses
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from mau.addressbook import AddressBook, KnownAddress
from mau.doctor.clock import WRITTEN, examine_clock, judge_clock
from mau.doctor.disk import ENOUGH, Disk, examine_disk, judge_disk
from mau.doctor.finding import DAY, HOUR, Finding
from mau.doctor.keys import examine_keys
from mau.doctor.network import examine_network, judge_addresses, judge_connected, own_addresses
from mau.doctor.permissions import examine_permissions, judge_permissions
from mau.doctor.system import examine_system, judge_files, judge_versions, judge_watches
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.openpgp.lifetime import extended
from mau.server.server import Server
from tests.publish.world import Someone, World, message

NOW = int(time.time())
SOUND = Disk(free=10 * ENOUGH, files=None, read_only=False, remote=False, exchanges=True)


def subjects(findings: list[Finding]) -> list[str]:
    for finding in findings:
        assert finding.what
        assert finding.why
        assert finding.todo
    return [finding.subject for finding in findings]


# --- clock -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "changed", "signed", "words"),
    [
        (NOW, NOW - DAY, NOW - DAY, ""),
        (NOW, NOW + 60, NOW + 29 * 60, ""),
        (NOW, 0, 0, ""),
        (0, NOW, NOW, "before Mau was written"),
        (WRITTEN - 1, 0, 0, "before Mau was written"),
        (NOW, NOW + HOUR, 0, "set back"),
        (NOW, 0, NOW + 2 * HOUR, "signed 2 hours ahead"),
        (NOW, NOW + 3 * DAY, 0, "3 days ahead"),
    ],
    ids=["well", "a little ahead", "new", "1970", "old", "set back", "hours", "days"],
)
def test_the_clock_is_compared_with_files_and_signatures(
    now: float, changed: float, signed: float, words: str
) -> None:
    findings = judge_clock(now, changed, signed)
    assert len(findings) == bool(words)
    assert all(words in finding.what for finding in findings)
    subjects(findings)


def test_times_are_read_from_the_tree(world: World) -> None:
    alice = world.alice
    root, account, keyring = alice.account.root, alice.account, alice.keyring
    assert examine_clock(root, account, keyring, time.time()) == []
    assert "set back" in examine_clock(root, account, keyring, time.time() - DAY)[0].what
    alice.put(alice, "ahead.pgp", message(alice.key, b"x", None, created=NOW + DAY))
    [finding] = examine_clock(root, account, keyring, time.time())
    assert "signed 24 hours ahead" in finding.what


# --- permissions -------------------------------------------------------------------------------------------


def test_what_others_can_read_or_write_is_told(world: World) -> None:
    root = world.alice.account.root
    assert examine_permissions(root, None) == []
    root.account_file.chmod(0o640)
    root.path.chmod(0o770)
    assert [finding.what.split(" ")[-1] for finding in examine_permissions(root, None)] == [
        repr(str(root.path)),
        repr(str(root.account_file)),
    ]


def test_whose_file_it_is_matters(tmp_path: Path) -> None:
    status = tmp_path.stat()
    assert judge_permissions("x", status, os.geteuid(), secret=False) == []
    other = judge_permissions("x", status, status.st_uid + 4321, secret=False)
    assert "belongs to the user" in other[0].what


# --- disk --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"free": ENOUGH - 1}, "1023 MiB left"),
        ({"free": 0}, "0 MiB left"),
        ({"files": 5}, "5 more files"),
        ({"read_only": True, "exchanges": False}, "read-only"),
        ({"remote": True, "exchanges": False}, "network file system"),
        ({"exchanges": False}, "cannot swap"),
    ],
)
def test_room_and_file_system_are_judged(change: dict[str, int], words: str) -> None:
    findings = judge_disk(dataclasses.replace(SOUND, **change))  # type: ignore[arg-type]
    assert len(findings) == bool(words)
    assert all(words in finding.what for finding in findings)
    subjects(findings)


def test_the_disk_of_a_tree_is_looked_at_and_nothing_is_left_there(world: World) -> None:
    root = world.alice.account.root
    assert "read-only" not in " ".join(finding.what for finding in examine_disk(root))
    assert not list(root.state_dir("reader").glob(".mau-*"))


# --- network -----------------------------------------------------------------------------------------------


async def network(someone: Someone, port: int, host: str = "127.0.0.1") -> list[str]:
    findings = await examine_network(
        someone.account.root, someone.account, someone.keyring, (host, port), NOW
    )
    subjects(findings)
    return [finding.what for finding in findings if "no address of" not in finding.what]


async def test_a_free_port_and_a_proof_over_loopback_are_nothing_to_tell(world: World) -> None:
    assert await network(world.alice, 0) == []


async def test_ones_own_server_may_have_the_port_and_nobody_else(world: World) -> None:
    server = Server(world.alice.account, world.alice.keyring)
    await server.start("127.0.0.1", 0)
    try:
        port = server.address[1]
        assert await network(world.alice, port) == []
        assert "another program listens" in (await network(world.bob, port))[0]
    finally:
        await server.stop()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        other.setblocking(False)
        port = other.getsockname()[1]
        accepted = threading.Thread(target=_hang_up, args=(other,))
        accepted.start()
        assert "another program listens" in (await network(world.alice, port))[0]
        accepted.join()


def _hang_up(listener: socket.socket) -> None:
    listener.setblocking(True)
    listener.accept()[0].close()


@pytest.mark.parametrize(
    ("addresses", "connected"),
    [
        ([], False),
        (["127.0.0.1", "127.0.1.1", "::1"], False),
        (["127.0.0.1", "192.168.1.7"], True),
        (["::1", "fe80::1"], True),
    ],
)
def test_a_machine_that_is_in_no_network_is_told(addresses: list[str], connected: bool) -> None:
    assert subjects(judge_connected(addresses)) == ([] if connected else ["network"])


def test_the_addresses_of_this_machine_are_known() -> None:
    """Wherever the tests run there is loopback, over which they speak."""
    assert "127.0.0.1" in own_addresses()


async def test_an_address_that_is_not_of_this_machine_is_told(world: World) -> None:
    assert "nothing can listen" in (await network(world.alice, 8880, "192.0.2.1"))[0]


def test_addresses_that_are_unknown_or_fail_are_told(world: World) -> None:
    then = NOW - 9 * DAY
    known = KnownAddress(world.bob.fpr, "192.0.2.1", 8880, "told", then, then, then, None, then, 0)
    assert judge_addresses("bob", [known], NOW) == []
    failing = dataclasses.replace(known, failures=3, last_failed=NOW)
    assert "9 days ago" in judge_addresses("bob", [failing], NOW)[0].what
    assert judge_addresses("bob", [failing, known], NOW) == []
    assert "no address" in judge_addresses("bob", [], NOW)[0].what
    hint = dataclasses.replace(known, first_proven=None, last_proven=None)
    assert judge_addresses("bob", [hint], NOW) == []
    assert "never reached" in judge_addresses("bob", [dataclasses.replace(hint, failures=1)], NOW)[0].what


async def test_the_address_book_is_read(world: World) -> None:
    alice = world.alice
    book = AddressBook(alice.account.root)
    book.proven(world.bob.fpr, "192.0.2.1", 8880)
    book.close()
    findings = await examine_network(alice.account.root, alice.account, alice.keyring, ("127.0.0.1", 0), NOW)
    assert [finding.what for finding in findings] == ["no address of 'carol' is known"]


# --- keys --------------------------------------------------------------------------------------------------


def keys(someone: Someone, now: float = NOW) -> list[str]:
    keyring = Keyring.load(someone.account, suspect=True)
    follows = someone.account.root.follows(someone.fpr)
    findings = examine_keys(someone.account, keyring, follows, now)
    subjects(findings)
    return [finding.what for finding in findings]


def test_friends_keys_that_expire_or_were_revoked_are_told(world: World) -> None:
    alice = world.alice
    assert keys(alice) == []
    key = extended(SecretKey.generate("Dave", "dave@example.org", created=NOW - DAY), NOW + 10 * DAY)
    alice.keyring.add(key.certificate, "dave")
    assert keys(alice) == ["the key of 'dave' expires in 10 days"]
    [words] = keys(alice, NOW + 11 * DAY)
    assert words.startswith("nothing can be written to 'dave': this key has expired")


def test_what_is_not_confirmed_and_who_is_followed_without_a_key_are_told(world: World) -> None:
    alice = world.alice
    (alice.account.root.mau / f"{world.carol.fpr.hex}.pgp").unlink()
    alice.account.root.follow(world.mallory.fpr)
    found = keys(alice)
    assert "is gone" in found[0]
    assert f"you follow {world.mallory.fpr}, and hold no key of theirs" in found
    (alice.place(alice) / "keyring.json.pgp").unlink()
    assert "is gone" in keys(alice)[0]


# --- system ------------------------------------------------------------------------------------------------


def test_versions_limits_and_watches_are_judged(world: World) -> None:
    pins = {"pysequoia": "1"}
    assert judge_versions((3, 12), (3, 5), pins, {"pysequoia": "1"}) == []
    assert subjects(judge_versions((3, 10), (1, 1), pins, {"pysequoia": "2"})) == ["system"] * 3
    assert "missing" in judge_versions((3, 13), (3, 0), pins, {})[0].what
    assert judge_watches(1000, 100) == []
    assert "watched" in judge_watches(1000, 1000)[0].what
    assert judge_files(4096) == []
    assert "open at once" in judge_files(64)[0].what
    assert all("Python" not in finding.what for finding in examine_system(world.alice.account.root))
