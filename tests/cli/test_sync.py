"""`mau sync`: what people see of it, and how it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mau.account import Account
from mau.deletion.publishing import delete_post
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.server.server import Server
from mau.tree.layout import Root
from mau.web.host import WebHost
from tests.syncer.peers import Liar, Person, lying, piece, serving

Mau = Callable[..., Any]


@pytest.fixture(scope="module")
def friends_keys() -> tuple[SecretKey, SecretKey]:
    return SecretKey.generate("Zoe", "zoe@example.org"), SecretKey.generate("Yan", "yan@example.org")


@pytest.fixture
def me(alice: Account) -> Person:
    return Person(alice, Keyring.load(alice))


@pytest.fixture
def zoe(me: Person, tmp_path: Path, friends_keys: tuple[SecretKey, SecretKey]) -> Person:
    """A friend whom I follow."""
    return _friend(me, tmp_path, friends_keys[0], "zoe")


@pytest.fixture
def yan(me: Person, tmp_path: Path, friends_keys: tuple[SecretKey, SecretKey]) -> Person:
    """Another one."""
    return _friend(me, tmp_path, friends_keys[1], "yan")


def _friend(me: Person, place: Path, key: SecretKey, name: str) -> Person:
    account = Account(Root(place / name), key)
    account.root.ensure()
    account.root.author_dir(account.fingerprint).mkdir(mode=0o700)
    friend = Person(account, Keyring.load(account))
    me.knows(friend, name)
    friend.knows(me, "me-there")
    return friend


async def run(mau: Mau, *words: str) -> Any:
    from tests.cli.conftest import PASSPHRASE

    return await asyncio.to_thread(mau, "sync", *words, passphrase=PASSPHRASE)


def at(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


async def test_the_address_is_said_once(mau: Mau, me: Person, zoe: Person) -> None:
    zoe.post("x.json.pgp", "hello", me)
    async with serving(zoe) as address:
        first = await run(mau, "zoe", "--at", at(address))
        assert (first.code, first.text) == (0, "zoe: 1 new, 0 held already\n")
        zoe.post("y.json.pgp", "again", me)
        everybody = await run(mau)
        assert (everybody.code, everybody.text) == (0, "zoe: 1 new, 1 held already\n")
        full = await run(mau, "zoe", "--full")
        assert full.text == "zoe: 0 new, 2 held already\n"
    assert me.held(zoe).keys() == {"x.json.pgp", "y.json.pgp"}


async def test_the_report_as_json(mau: Mau, me: Person, zoe: Person) -> None:
    sha256 = zoe.post("x.json.pgp", "hello", me)
    liar = Liar(zoe)
    liar.offer("x.json.pgp", (zoe.root.author_dir(zoe.fpr) / "x.json.pgp").read_bytes())
    liar.offer("junk.pgp", b"junk")
    liar.offer("lost.pgp", b"lost")
    del liar.files["lost.pgp"]
    async with lying(liar) as address:
        done = await run(mau, "zoe", "--json", "--at", at(address))
        assert done.code == 3
        [report] = json.loads(done.out)["reports"]
        again = await run(mau, "zoe", "--json")
    assert report["author"] == report["peer"] == zoe.fpr.hex
    assert report["name"] == "zoe"
    assert report["address"] == at(address)
    assert report["fetched"] == ["x.json.pgp"]
    assert [(one["name"], one["error"]) for one in report["refused"]] == [("junk.pgp", "MalformedPost")]
    assert [(one["name"], one["error"]) for one in report["failed"]] == [("lost.pgp", "NotOffered")]
    assert report["deferred"] == report["beyond_reach"] == []
    assert report["problem"] is None
    assert json.loads(again.out)["reports"][0]["refused_before"] == 1
    assert me.held(zoe) == {"x.json.pgp": sha256}


async def test_what_did_not_come_is_named_without_its_control_characters(
    mau: Mau, me: Person, zoe: Person
) -> None:
    liar = Liar(zoe)
    liar.offer("good.json.pgp", piece(zoe, "good.json.pgp", to=None))
    liar.offer("\x1b[31mred\u202e.pgp", b"junk")
    for number in range(30):
        liar.offer(f"junk-{number}.pgp", b"junk")
    async with lying(liar) as address:
        done = await run(mau, "zoe", "--at", at(address))
    assert done.code == 3
    assert done.text == "zoe: 1 new, 0 held already\n"
    assert "\x1b" not in done.err
    assert "\\x1b[31mred\\u202e.pgp" in done.err
    assert "more; --json lists them all" in done.err
    assert "not everything came (31 files)" in done.err


async def test_nobody_there_nobody_known_somebody_else(
    mau: Mau, me: Person, zoe: Person, yan: Person
) -> None:
    unknown = await run(mau, "zoe")
    assert unknown.code == 5
    assert "--at HOST:PORT" in unknown.err
    silent = await run(mau, "zoe", "--at", "127.0.0.1:1")
    assert silent.code == 5
    assert "127.0.0.1:1" in silent.err
    liar = Liar(yan, author=zoe.fpr)
    async with lying(liar) as address:
        other = await run(mau, "zoe", "--at", at(address))
    assert other.code == 6
    assert liar.asked == []
    as_json = await run(mau, "zoe", "--json")
    assert as_json.code == 5
    assert json.loads(as_json.out)["reports"][0]["problem"]["error"] == "PeerNotFound"


async def test_one_who_is_away_does_not_keep_the_others(
    mau: Mau, me: Person, zoe: Person, yan: Person
) -> None:
    zoe.post("x.json.pgp", "hello", me)
    yan.post("y.json.pgp", "hello", me)
    async with serving(zoe) as one:
        async with serving(yan) as other:
            await run(mau, "yan", "--at", at(other))
        await run(mau, "zoe", "--at", at(one))
        zoe.post("x2.json.pgp", "hello", me)
        done = await run(mau)
    assert done.code == 3
    assert done.text == "zoe: 1 new, 1 held already\n"
    assert "yan: " in done.err
    assert (await run(mau)).code == 5


async def test_somebody_without_an_address_is_no_failure_of_the_rest(
    mau: Mau, me: Person, zoe: Person, yan: Person
) -> None:
    async with serving(zoe) as address:
        await run(mau, "zoe", "--at", at(address))
        done = await run(mau)
    assert done.code == 0
    assert "yan: no address is known" in done.err


async def test_posts_come_by_way_of_a_friend(mau: Mau, me: Person, zoe: Person, yan: Person) -> None:
    yan.keyring.add(zoe.account.certificate, "zoe")
    yan.root.follow(zoe.fpr)
    data = piece(zoe, "x.json.pgp", to=None)
    (yan.root.author_dir(zoe.fpr) / "x.json.pgp").write_bytes(data)
    async with serving(yan) as address:
        done = await run(mau, "zoe", "--via", "yan", "--at", at(address))
        assert (done.code, done.text) == (0, "zoe (from yan): 1 new, 0 held already\n")
        assert (await run(mau, "zoe", "--via", "yan")).text == "zoe (from yan): 0 new, 1 held already\n"


@pytest.mark.parametrize(
    "words",
    [
        ("zoe", "--at", "nowhere"),
        ("zoe", "--at", "host:99999"),
        ("--at", "127.0.0.1:1"),
        ("--via", "zoe"),
        ("me",),
        ("nobody",),
    ],
)
async def test_words_that_do_not_fit(mau: Mau, me: Person, zoe: Person, words: tuple[str, ...]) -> None:
    assert (await run(mau, *words)).code == 2


async def test_only_those_whom_i_follow_are_synced(mau: Mau, me: Person, zoe: Person) -> None:
    me.root.unfollow(zoe.fpr)
    done = await run(mau, "zoe", "--at", "127.0.0.1:1")
    assert done.code == 2
    assert "mau follow" in done.err
    nobody = await run(mau)
    assert nobody.code == 0
    assert "nobody" in nobody.err


async def test_a_terminal_shows_how_far_it_is(on_terminal: Mau, mau: Mau, me: Person, zoe: Person) -> None:
    from tests.cli.conftest import PASSPHRASE

    zoe.post("x.json.pgp", "hello", me)
    async with serving(zoe) as address:
        words = ("sync", "zoe", "--at", at(address))
        shown = await asyncio.to_thread(on_terminal, *words, env={"MAU_PASSPHRASE": PASSPHRASE})
        assert shown.code == 0
        assert "/1 files" in shown.err
        assert "zoe: 1 new" in shown.err
        elsewhere = await run(mau, "zoe")
    assert "files" not in elsewhere.err


# --- from the web ------------------------------------------------------------------------------------------


async def test_public_posts_come_from_the_web(mau: Mau, me: Person, zoe: Person) -> None:
    zoe.post("x.json.pgp", "hello", public=True)
    server = Server(zoe.account, zoe.keyring)
    host = WebHost(zoe.account, server)
    await host.start("http://127.0.0.1:0")
    url = host.url
    try:
        first = await run(mau, "zoe", "--at", url)
        assert (first.code, first.text) == (0, f"zoe (from {url}): 1 new, 0 held already\n")
        told = json.loads((await run(mau, "zoe", "--at", url, "--json")).text)["reports"][0]
        assert (told["peer"], told["site"], told["same"]) == (None, url, 1)
    finally:
        await host.stop(1)
        await server.stop(1)
    unreachable = await run(mau, "zoe", "--at", url)
    assert unreachable.code == 5
    assert "no connection" in unreachable.err
    assert (await run(mau, "zoe")).code == 5  # nothing was remembered as her address
    assert me.held(zoe).keys() == {"x.json.pgp"}


@pytest.mark.parametrize(
    "words",
    [
        ["--at", "https://example.org/", "--at", "127.0.0.1:1"],
        ["--at", "https://example.org/", "--via", "zoe"],
        ["--at", "http://example.org/"],
        ["--at", "https://user@example.org/"],
    ],
)
async def test_an_address_of_the_web_stands_alone(mau: Mau, zoe: Person, words: list[str]) -> None:
    assert (await run(mau, "zoe", *words)).code == 2


async def test_what_its_author_deleted_goes_as_the_setting_says(
    mau: Mau, me: Person, zoe: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    zoe.post("x.json.pgp", "hello", me)
    zoe.post("y.json.pgp", "again", me)
    zoe.post("z.json.pgp", "stays", me)
    async with serving(zoe) as address:
        await run(mau, "zoe", "--at", at(address))
        kept = me.held(zoe)
        delete_post(zoe.account, zoe.keyring, "x.json.pgp")
        done = await run(mau, "zoe")
        assert done.text == "zoe: 1 new, 2 held already, 1 deleted by their author\n"
        assert me.versions(zoe, "x.json.pgp") == {kept["x.json.pgp"]}
        mau("config", "set", "delete.received", "remove")
        delete_post(zoe.account, zoe.keyring, "y.json.pgp")
        [report] = json.loads((await run(mau, "zoe", "--json")).text)["reports"]
        assert report["deleted"] == ["y.json.pgp"]
        assert me.versions(zoe, "y.json.pgp") == set()
    assert "z.json.pgp" in me.held(zoe)
    assert not {"x.json.pgp", "y.json.pgp"} & me.held(zoe).keys()
