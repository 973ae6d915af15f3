"""What is at hand is given out again as long as everything is as it was, and not a moment longer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mau.keyring import Keyring
from mau.server.athand import AtHand
from mau.server.files import OpenFile
from tests.server.world import Host, Someone, age, audience, content_of, serving


@pytest.fixture
async def host(alice: Someone) -> AsyncIterator[Host]:
    async with serving(alice) as host:
        yield host


@pytest.fixture
def path(alice: Someone, bob: Someone) -> Path:
    return alice.publish("f", b"first", audience(alice, bob))


def found(host: Host, who: Someone) -> OpenFile | None:
    """What is at hand of that file for somebody."""
    return host.server.app.at_hand.find(host.owner.fingerprint, "f.pgp", who.fingerprint)


async def asked(host: Host, who: Someone) -> bytes:
    """Ask until it is at hand (files that were changed a moment ago are not); the content."""
    async with asyncio.timeout(10):
        while True:
            reply = await host.get(who, "f")
            assert reply.status == 200
            at_hand = found(host, who)
            if at_hand is not None:
                assert at_hand.content == reply.body
                return reply.body
            await asyncio.sleep(0.01)


async def test_it_is_there_for_whom_it_was_and_for_nobody_else(
    host: Host, alice: Someone, bob: Someone, carol: Someone, mallory: Someone, path: Path
) -> None:
    assert await asked(host, bob) == content_of(path)
    for who in (carol, mallory):
        assert (await host.get(who, "f")).status == 404
        assert found(host, who) is None
    assert host.server.app.at_hand.find(alice.fingerprint, "f.pgp", None) is None
    # Its author may read it too, whoever asked first.
    assert await asked(host, alice) == content_of(path)


def change(how: str, path: Path, other: bytes, place: Path) -> None:
    """What may happen to a file; ``place`` is another directory."""
    status, before = path.stat(), path.read_bytes()
    match how:
        case "in place":
            path.write_bytes(other)
        case "replaced":
            (place / "other").write_bytes(other)
            (place / "other").rename(path)
        case "same size and times":
            path.write_bytes(bytes([*before[:-1], before[-1] ^ 1]))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        case "removed":
            path.unlink()
        case "a link":
            path.rename(place / "elsewhere.pgp")
            path.symlink_to(place / "elsewhere.pgp")
        case _:
            path.unlink()
            os.mkfifo(path)


@pytest.mark.parametrize(
    "how", ["in place", "replaced", "same size and times", "removed", "a link", "a pipe"]
)
async def test_a_file_that_was_changed_is_judged_anew(
    host: Host, alice: Someone, bob: Someone, path: Path, tmp_path: Path, how: str
) -> None:
    await asked(host, bob)
    other = alice.message(b"other", [alice, bob])
    change(how, path, other, tmp_path)
    assert found(host, bob) is None
    reply = await host.get(bob, "f")
    if how in ("in place", "replaced"):
        assert (reply.status, reply.body) == (200, other)
    else:
        assert reply.status == 404


async def test_a_directory_that_became_a_link_has_nothing(
    host: Host, bob: Someone, path: Path, tmp_path: Path
) -> None:
    await asked(host, bob)
    path.parent.rename(tmp_path / "elsewhere")
    path.parent.symlink_to(tmp_path / "elsewhere")
    assert found(host, bob) is None
    assert (await host.get(bob, "f")).status == 404


async def test_who_is_no_friend_any_more_gets_nothing_a_second_later(
    host: Host, alice: Someone, bob: Someone, path: Path
) -> None:
    await asked(host, bob)
    keyring = Keyring.load(alice.account)
    keyring.remove(bob.fingerprint)
    async with asyncio.timeout(10):
        while (await host.get(bob, "f")).status != 404:  # noqa: ASYNC110 - the server looks once a second
            await asyncio.sleep(0.05)
    assert found(host, bob) is None


async def test_what_was_not_asked_for_the_longest_makes_room(
    host: Host, alice: Someone, bob: Someone
) -> None:
    names = [f"n{number}" for number in range(4)]
    for name in names:
        age(alice.publish(name, os.urandom(1000), audience(alice, bob)), 100)
    files = [host.server.library.open(alice.fingerprint, f"{name}.pgp", bob.fingerprint) for name in names]
    size = max(file.size for file in files if file)
    shelf = AtHand(host.server.library, most=3 * size)

    def held() -> list[str]:
        return [name for name in names if shelf.find(alice.fingerprint, f"{name}.pgp", bob.fingerprint)]

    for file in files[:3]:
        assert file is not None
        shelf.keep(file)
    async with asyncio.timeout(10):
        while held() != names[:3]:  # a look at the keyring may be due
            await host.list(bob)
    assert shelf.find(alice.fingerprint, "n0.pgp", bob.fingerprint)
    assert files[3] is not None
    shelf.keep(files[3])
    for file in files:
        assert file is not None
        file.close()
    async with asyncio.timeout(10):
        while held() != ["n0", "n2", "n3"]:
            await host.list(bob)
