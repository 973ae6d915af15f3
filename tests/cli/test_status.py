"""`mau status`, and `mau sync --watch` whose status it is."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mau.account import Account
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.openpgp.lifetime import revoked
from tests.cli.conftest import PASSPHRASE
from tests.cli.test_sync import _friend, at
from tests.syncer.peers import Liar, Person, lying, piece, serving

Mau = Callable[..., Any]
PATIENCE = 30.0


@pytest.fixture(scope="module")
def zoes_key() -> SecretKey:
    return SecretKey.generate("Zoe", "zoe@example.org")


@pytest.fixture
def me(alice: Account) -> Person:
    return Person(alice, Keyring.load(alice))


@pytest.fixture
def zoe(me: Person, tmp_path: Path, zoes_key: SecretKey) -> Person:
    return _friend(me, tmp_path, zoes_key, "zoe")


async def run(mau: Mau, *words: str) -> Any:
    return await asyncio.to_thread(mau, *words, passphrase=PASSPHRASE)


@asynccontextmanager
async def following(me: Person, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`mau sync --watch` as a process of its own, ended by SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "mau_cli.main",
        "sync",
        "--watch",
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ
        | {
            "MAU_DIR": str(me.root.path),
            "MAU_PASSPHRASE": PASSPHRASE,
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await process.wait()


async def test_nobody_followed_is_said(mau: Mau, me: Person) -> None:
    done = await run(mau, "status")
    assert (done.code, done.text) == (0, "")
    assert "You follow nobody yet" in done.err


async def test_a_friend_before_and_after_a_sync(mau: Mau, me: Person, zoe: Person) -> None:
    assert "zoe: not watched" in (await run(mau, "status")).text
    assert "never reached" in (await run(mau, "status")).text
    zoe.post("x.json.pgp", "hello", me)
    async with serving(zoe) as address:
        await run(mau, "sync", "zoe", "--at", at(address))
        [friend] = json.loads((await run(mau, "status", "--json")).out)["friends"]
        assert (friend["name"], friend["address"], friend["error"]) == ("zoe", at(address), "")
        assert friend["last_contact"] > 0
    await run(mau, "sync", "zoe")
    [friend] = json.loads((await run(mau, "status", "--json")).out)["friends"]
    assert friend["failures"] == 1
    assert at(address) in friend["error"]
    assert friend["last_contact"] > 0


async def test_what_was_refused_and_deferred_is_told_with_its_reason(
    mau: Mau, me: Person, zoe: Person
) -> None:
    liar = Liar(zoe)
    liar.offer("junk\x1b[31m.pgp", b"junk")
    liar.offer("lost.pgp", piece(zoe, "lost.pgp", to=None))
    del liar.files["lost.pgp"]
    async with lying(liar) as address:
        await run(mau, "sync", "zoe", "--at", at(address))
        done = await run(mau, "status")
    assert "  refused: junk\\x1b[31m.pgp" in done.text
    assert "  deferred: lost.pgp" in done.text


async def test_own_files_that_nobody_is_shown_are_named(mau: Mau, me: Person) -> None:
    me.post("good.json.pgp", "hello", public=True)
    me.post("signed-so.json.pgp", "hello", public=True)
    own = me.root.author_dir(me.fpr)
    (own / "signed-so.json.pgp").rename(own / "called-so.json.pgp")
    (own / "half.json.pgp").write_bytes(b"{")
    for _ in range(2):  # the second time from what was found out the first
        found = json.loads((await run(mau, "status", "--json")).out)["own"]
        assert [(one["name"], one["error"]) for one in found] == [
            ("called-so.json.pgp", "Renamed"),
            ("half.json.pgp", "MalformedPost"),
        ]
    text = (await run(mau, "status")).text
    assert "yours, shown to nobody: half.json.pgp" in text
    assert "good.json" not in text


async def test_a_process_that_follows_until_a_signal(mau: Mau, me: Person, zoe: Person) -> None:
    zoe.post("first.json.pgp", "hello", me)
    async with serving(zoe) as address:
        await run(mau, "sync", "zoe", "--at", at(address))
        async with following(me, "--json") as process:
            assert process.stdout is not None
            async with asyncio.timeout(PATIENCE):
                before = json.loads(await process.stdout.readline())
                assert (before["author"], before["problem"]) == (zoe.fpr.hex, None)
                zoe.post("second.json.pgp", "news", me)
                news: dict[str, Any] = {"fetched": []}
                while not news["fetched"]:
                    news = json.loads(await process.stdout.readline())
            assert news["fetched"] == ["second.json.pgp"]
        assert process.returncode == 0
    assert me.held(zoe).keys() == {"first.json.pgp", "second.json.pgp"}
    assert "zoe: not watched" in (await run(mau, "status")).text


async def test_watch_stands_alone(mau: Mau, me: Person, zoe: Person) -> None:
    assert (await run(mau, "sync", "zoe", "--watch")).code == 2


async def test_own_posts_that_went_or_came_back_by_hand_are_named(mau: Mau, me: Person) -> None:
    for text in ("one", "two"):
        me.post("gone.json.pgp", text, public=True)
        me.post("back.json.pgp", text, public=True)
    own = me.root.author_dir(me.fpr)
    (own / "gone.json.pgp").unlink()
    data = (own / "back.json.pgp").read_bytes()
    assert (await run(mau, "delete", "back.json", "--yes")).code == 0
    (own / "back.json.pgp").write_bytes(data)
    found = json.loads((await run(mau, "status", "--json")).out)
    assert [(one["name"], one["error"]) for one in found["own"]] == [("back.json.pgp", "Deleted")]
    assert found["removed_here"] == ["gone.json.pgp"]
    assert "1 of your posts were removed here" in (await run(mau, "status")).err


def test_status_says_that_the_key_is_revoked(mau: Mau, alice: Account) -> None:
    alice.change_key(PASSPHRASE, lambda key: revoked(key, "compromised"))
    done = mau("status", passphrase=PASSPHRASE)
    assert "your key is revoked as compromised" in done.err
    assert "none of your posts is given out" in done.err
    told = mau("status", "--json", passphrase=PASSPHRASE).text
    assert "revoked as compromised" in told
