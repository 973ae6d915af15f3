"""What becomes of one's own posts once the key is revoked, and who says so (spec/threats.md)."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mau.account import Account
from mau.content.binding import PUBLIC
from mau.doctor.examining import examine
from mau.doctor.keys import judge_own
from mau.keyring import Keyring
from mau.openpgp import Certificate, SecretKey
from mau.openpgp.lifetime import Reason, extended, revoked
from mau.publish import publish_document
from mau.reader.open import open_post
from mau.server.server import Server
from mau.tree.layout import Root
from tests.publish.world import PASSPHRASE, YESTERDAY, World


@asynccontextmanager
async def asking(account: Account) -> AsyncIterator[Callable[[str], str]]:
    """What a stranger with curl gets of a host."""
    server = Server(account, Keyring.load(account))
    await server.start("127.0.0.1", 0)
    host, port = server.address

    def ask(path: str) -> str:
        url = f"https://{host}:{port}{path}"
        done = subprocess.run(["curl", "-sSk", url], capture_output=True, text=True, check=True, timeout=20)
        return done.stdout

    try:
        yield ask
    finally:
        await server.stop(1)


@pytest.mark.parametrize(
    ("reason", "shown"), [("compromised", False), ("retired", True), ("superseded", True)]
)
async def test_a_compromised_keys_posts_are_given_out_no_more_but_the_key_is(
    world: World, reason: Reason, shown: bool
) -> None:
    alice = world.alice
    publish_document(alice.account, alice.keyring, {"articleBody": "x"}, "x.json.pgp", PUBLIC)
    account = alice.account.change_key(PASSPHRASE, lambda key: revoked(key, reason))
    async with asking(account) as ask:
        listing = await asyncio.to_thread(ask, f"/p2p/{alice.fpr.hex}")
        key = await asyncio.to_thread(ask, f"/pks/lookup?op=get&search=0x{alice.fpr.hex}")
    assert ("x.json.pgp" in listing) == shown
    [finding] = judge_own(account.certificate, YESTERDAY + 86_400)
    assert ("none of your posts is given out" in finding.why) == (not shown)
    told = Certificate.parse(key.encode())
    assert (told.revoked, told.compromised) == (True, not shown), "that is how others learn of it"
    opened = open_post(account, Keyring.load(account), alice.fpr, "x.json.pgp")
    assert opened.problem is None, "what is held can be read"
    assert bool(opened.notes) == (not shown), "with a warning"


def test_an_own_key_that_expires_is_told(world: World) -> None:
    key = SecretKey.generate("Zoe", "zoe@example.org", created=YESTERDAY)
    soon = extended(key, YESTERDAY + 7200, now=YESTERDAY + 60).certificate
    assert judge_own(key.certificate, YESTERDAY + 100) == []
    assert judge_own(soon, YESTERDAY + 100)[0].what == "your key expires in 118 minutes"
    assert judge_own(soon, YESTERDAY + 7300)[0].what == "your key has expired"
    assert judge_own(key.certificate, YESTERDAY - 7200)[0].subject == "clock"


def test_where_no_tree_is_nothing_is_made(tmp_path: Path, world: World) -> None:
    place = tmp_path / "letters"
    place.mkdir()
    examine(Root(place), None, None)
    assert list(place.iterdir()) == []
