"""`mau fetch`: what a limit keeps out, and what was removed, comes when it is asked for by name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.test_status import Mau, me, run, zoe, zoes_key
from tests.cli.test_sync import at
from tests.syncer.peers import Person, serving

__all__ = ["me", "zoe", "zoes_key"]


async def test_what_a_limit_keeps_out_is_named_and_can_be_fetched(
    mau: Mau, me: Person, zoe: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    zoe.post("large.json.pgp", os.urandom(20_000).hex(), me)
    zoe.post("small.json.pgp", "hello", me)
    await run(mau, "config", "set", "sync.max_file", "10 kB")
    async with serving(zoe) as address:
        done = await run(mau, "sync", "zoe", "--at", at(address))
        assert done.code == 3
        assert "large.json.pgp: it has" in done.err
        assert me.held(zoe).keys() == {"small.json.pgp"}
        status = await run(mau, "status")
        assert "behind by 1" in status.text
        assert "sync.max_file is 9.8 KiB" in status.text
        fetched = await run(mau, "fetch", "zoe", "large.json")
        assert (fetched.code, fetched.text) == (0, "large.json.pgp: fetched\n")
        assert me.held(zoe).keys() == {"small.json.pgp", "large.json.pgp"}
        assert "behind" not in (await run(mau, "status")).text
        assert (await run(mau, "fetch", "zoe", "large.json")).text == "large.json.pgp: held already\n"
        missing = await run(mau, "fetch", "zoe", "nothing")
        assert missing.code == 5
        assert "does not list" in missing.err


async def test_of_one_who_is_not_followed_it_lies_hidden(mau: Mau, me: Person, zoe: Person) -> None:
    zoe.post("x.json.pgp", "hello", me)
    me.root.unfollow(zoe.fpr)
    async with serving(zoe) as address:
        words = [f"mau://{at(address)}/p2p/{zoe.fpr}/x.json.pgp", "--json"]
        assert json.loads((await run(mau, "fetch", *words)).out)["fetched"] is True
        hidden = me.root.hidden_dir(zoe.fpr) / "x.json.pgp"
        assert hidden.exists()
        assert zoe.fpr not in me.root.follows(me.fpr)
        assert (await run(mau, "fetch", "zoe/x.json")).text == "x.json.pgp: held already\n"
        hidden.unlink()
        assert (await run(mau, "fetch", "zoe", "x.json")).text == "x.json.pgp: fetched\n"
        assert (await run(mau, "fetch", "zoe", "nothing")).code == 5


async def test_what_was_removed_comes_back(mau: Mau, me: Person, zoe: Person) -> None:
    zoe.post("x.json.pgp", "hello", me)
    zoe.post("y.json.pgp", "hello", me)
    async with serving(zoe) as address:
        await run(mau, "sync", "zoe", "--at", at(address))
        (me.root.author_dir(zoe.fpr) / "x.json.pgp").unlink()
        assert (await run(mau, "sync", "zoe", "--full")).code == 0
        assert "x.json.pgp" not in me.held(zoe)
        back = json.loads((await run(mau, "fetch", "zoe", "x.json", "--json")).out)
        assert back["fetched"] is True
        assert "x.json.pgp" in me.held(zoe)
