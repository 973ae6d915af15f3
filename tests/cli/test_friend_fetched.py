"""`mau friend add FPR`: keys from their owners, and from friends who hold posts of theirs."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mau.account import Account
from mau.addressbook import AddressBook
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from mau.wire.paths import key_path
from tests.cli.conftest import PASSPHRASE, Ended
from tests.syncer.peers import Liar, Person, lying, serving

Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def keys() -> tuple[SecretKey, SecretKey]:
    return SecretKey.generate("Zoe", "zoe@example.org"), SecretKey.generate("Yan", "yan@example.org")


def person(place: Path, key: SecretKey, name: str) -> Person:
    account = Account(Root(place / name), key)
    account.root.ensure()
    account.root.author_dir(account.fingerprint).mkdir(mode=0o700)
    return Person(account, Keyring.load(account))


@pytest.fixture
def me(alice: Account) -> Person:
    return Person(alice, Keyring.load(alice))


@pytest.fixture
def zoe(me: Person, tmp_path: Path, keys: tuple[SecretKey, SecretKey]) -> Person:
    """Nobody to me yet."""
    return person(tmp_path, keys[0], "zoe")


@pytest.fixture
def yan(zoe: Person, tmp_path: Path, keys: tuple[SecretKey, SecretKey]) -> Person:
    """A friend of Zoe's, who is nobody to me."""
    yan = person(tmp_path, keys[1], "yan")
    zoe.knows(yan, "yan")
    yan.knows(zoe, "zoe")
    return yan


@pytest.fixture
def unused_port() -> Iterator[int]:
    """Nobody listens there as long as the test lasts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def add(mau: Run) -> Callable[..., Awaitable[Ended]]:
    """`mau friend add`, beside the servers of a test."""

    async def run(*words: str | Path, **more: Any) -> Ended:
        return await asyncio.to_thread(mau, "friend", "add", *words, passphrase=PASSPHRASE, **more)

    return run


Add = Callable[..., Awaitable[Ended]]


def at(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


def people(me: Person) -> dict[str, str]:
    return {one.local_name: one.status for one in Keyring.load(me.account).people()}


def book(me: Person, fingerprint: Fingerprint) -> list[tuple[str, int]]:
    book = AddressBook(me.root)
    try:
        return book.addresses(fingerprint)
    finally:
        book.close()


# --- from the owner ----------------------------------------------------------------------------------------


async def test_a_key_is_fetched_shown_with_its_words_and_stored(add: Add, me: Person, zoe: Person) -> None:
    async with serving(zoe) as address:
        done = await add(zoe.fpr.hex, "--at", at(address), "--yes", "--as", "zoe")
    assert (done.code, done.out) == (0, b""), done.err
    words = zoe.fpr.words
    for start in (0, 5, 10):
        assert " ".join(words[start : start + 5]) in done.err
    assert "Zoe <zoe@example.org>" in done.err
    assert people(me) == {"zoe": "friend"}
    assert Keyring.load(me.account).resolve("zoe").certificate == zoe.account.certificate
    assert me.root.follows(me.fpr) == [zoe.fpr]
    assert book(me, zoe.fpr) == [address]


async def test_after_that_a_sync_needs_no_address(add: Add, mau: Run, me: Person, zoe: Person) -> None:
    zoe.knows(me, "alice")
    zoe.post("x.json.pgp", "hello", me)
    async with serving(zoe) as address:
        await add(zoe.fpr.hex, "--at", at(address), "--yes", "--as", "zoe")
        synced = await asyncio.to_thread(mau, "sync", passphrase=PASSPHRASE)
    assert synced.text == "zoe: 1 new, 0 held already\n", synced.err


@pytest.mark.parametrize(
    "spelling",
    [
        lambda fpr: " ".join(fpr.hex.upper()[i : i + 4] for i in range(0, 40, 4)),
        lambda fpr: ", ".join(word[:4].upper() for word in fpr.words),
    ],
)
async def test_the_fingerprint_may_be_written_in_any_way_and_in_words(
    add: Add, me: Person, zoe: Person, spelling: Callable[[Fingerprint], str]
) -> None:
    async with serving(zoe) as address:
        done = await add(spelling(zoe.fpr), "--at", at(address), "--yes")
    assert done.code == 0, done.err
    assert people(me) == {"Zoe": "friend"}


async def test_it_is_asked_before_anything_is_stored(
    add: Add, on_terminal: Run, me: Person, zoe: Person
) -> None:
    async with serving(zoe) as address:
        silent = await add(zoe.fpr.hex, "--at", at(address), "--as", "zoe")
        assert silent.code == 2
        assert "--yes" in silent.err
        for answer, status in (("n", {}), ("y", {"zoe": "friend"})):
            done = await asyncio.to_thread(
                on_terminal,
                "friend",
                "add",
                zoe.fpr.hex,
                "--at",
                at(address),
                "--as",
                "zoe",
                env={"MAU_PASSPHRASE": PASSPHRASE},
                typed=[("Take as a friend: 'zoe'? [y/N]: ", answer)],
            )
            assert zoe.fpr.words[14] in done.err
            assert "by another way" in done.err
            assert people(me) == status
            assert bool(book(me, zoe.fpr)) == bool(status)


async def test_the_first_address_that_proves_counts(
    add: Add, me: Person, zoe: Person, yan: Person, unused_port: int
) -> None:
    async with serving(zoe) as address, serving(yan) as wrong:
        done = await add(
            zoe.fpr.hex, "--at", f"127.0.0.1:{unused_port}", "--at", at(wrong), "--at", at(address), "--yes"
        )
    assert done.code == 0, done.err
    assert book(me, zoe.fpr) == [address]


async def test_somebody_else_at_the_address_is_no_friend(
    add: Add, me: Person, zoe: Person, yan: Person
) -> None:
    async with serving(yan) as address:
        done = await add(zoe.fpr.hex, "--at", at(address), "--yes")
    assert (done.code, done.out) == (6, b"")
    assert "somebody else is there" in done.err
    assert people(me) == {}
    assert book(me, zoe.fpr) == book(me, yan.fpr) == []


async def test_nobody_at_the_address_and_no_address(
    add: Add, me: Person, zoe: Person, unused_port: int
) -> None:
    done = await add(zoe.fpr.hex, "--at", f"127.0.0.1:{unused_port}", "--yes")
    assert done.code == 5
    assert "no connection" in done.err
    done = await add(zoe.fpr.hex, "--yes")
    assert done.code == 5
    assert "--at HOST:PORT" in done.err
    assert (await add(zoe.fpr.hex, "--at", "nonsense", "--yes")).code == 2
    assert people(me) == {}


@asynccontextmanager
async def giving(
    zoe: Person, answer: bytes | int, wanted: Fingerprint | None = None
) -> AsyncIterator[tuple[str, int]]:
    """Zoe's server, which answers a question for a key with these bytes or this status."""

    async def give(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=answer) if isinstance(answer, int) else web.Response(body=answer)

    async with lying(Liar(zoe, answers={key_path(wanted or zoe.fpr): give})) as address:
        yield address


async def test_what_is_given_must_be_the_key_with_that_fingerprint(
    add: Add, me: Person, zoe: Person, yan: Person
) -> None:
    for answer, code, words in (
        (yan.account.certificate.armored().encode(), 6, "another one"),
        (b"\x1b[2J" * 1000, 5, "not the key"),
    ):
        async with giving(zoe, answer) as address:
            done = await add(zoe.fpr.hex, "--at", at(address), "--yes")
        assert (done.code, done.out) == (code, b""), (answer, done.err)
        assert words in done.err
        assert "\x1b" not in done.err
        assert people(me) == {}
        assert book(me, zoe.fpr) == []


async def test_what_a_key_calls_itself_does_not_steer_the_terminal(
    add: Add, me: Person, tmp_path: Path
) -> None:
    evil = person(tmp_path, SecretKey.generate("Zoe\x1b[2J\u202e", "z@example.org"), "evil")
    async with serving(evil) as address:
        done = await add(evil.fpr.hex, "--at", at(address), "--yes", "--as", "evil")
    assert done.code == 0
    assert not any(one in done.err for one in "\x1b\u202e")


async def test_a_key_that_is_held_is_brought_up_to_date(add: Add, me: Person, zoe: Person) -> None:
    me.knows(zoe, "zoe")
    async with serving(zoe) as address:
        done = await add(zoe.fpr.hex, "--at", at(address), "--yes")
        again = await add(zoe.fpr.hex, "--yes")  # no address: what is held
    assert done.code == again.code == 0, done.err
    assert "nothing new" in done.err
    assert people(me) == {"zoe": "friend"}


# --- from a friend -----------------------------------------------------------------------------------------


def give_to(holder: Person, author: Person, reader: Person) -> str:
    """A post of the author's that the holder has, and that the reader may read there."""
    name = "for-a-friend.json.pgp"
    author.knows(reader, "reader")
    author.post(name, "hello", reader, holder)
    content = (author.root.author_dir(author.fpr) / name).read_bytes()
    holder.root.author_dir(author.fpr).mkdir(mode=0o700, exist_ok=True)
    (holder.root.author_dir(author.fpr) / name).write_bytes(content)
    return name


async def test_the_key_of_a_friends_friend_comes_from_the_friend_and_verifies(
    add: Add, mau: Run, me: Person, zoe: Person, yan: Person
) -> None:
    me.knows(zoe, "zoe")
    zoe.knows(me, "alice")
    name = give_to(zoe, yan, me)
    async with serving(zoe) as address:
        me.root.follow(yan.fpr)
        words = ("sync", yan.fpr.hex, "--via", "zoe", "--at", at(address))
        before = await asyncio.to_thread(mau, *words, passphrase=PASSPHRASE)
        assert before.code == 3
        assert "key of its author is not held" in before.err
        done = await add(yan.fpr.hex, "--via", "zoe", "--as", "yan", "--yes")
        assert done.code == 0, done.err
        assert people(me) == {"yan": "known", "zoe": "friend"}
        assert (me.root.mau / "known" / f"{yan.fpr}.pgp").is_file()
        after = await asyncio.to_thread(mau, *words, passphrase=PASSPHRASE)
    assert after.text == "yan (from zoe): 1 new, 0 held already\n", after.err
    opened = await asyncio.to_thread(mau, "open", "yan", name, passphrase=PASSPHRASE)
    assert (opened.code, "hello" in opened.text) == (0, True), opened.err


async def test_a_friend_gives_no_key_of_somebody_whose_posts_are_not_for_me(
    add: Add, me: Person, zoe: Person, yan: Person
) -> None:
    me.knows(zoe, "zoe")
    zoe.knows(me, "alice")
    async with serving(zoe) as address:
        done = await add(yan.fpr.hex, "--via", "zoe", "--at", at(address), "--yes")
        assert done.code == 5
        assert "404" in done.err
    assert people(me) == {"zoe": "friend"}


async def test_a_known_key_becomes_a_friends_when_asked(
    add: Add, me: Person, zoe: Person, yan: Person
) -> None:
    me.knows(zoe, "zoe")
    zoe.knows(me, "alice")
    give_to(zoe, yan, me)
    async with serving(zoe) as address:
        assert (await add(yan.fpr.hex, "--via", "zoe", "--at", at(address), "--yes")).code == 0
        assert book(me, zoe.fpr) == [address]
        assert book(me, yan.fpr) == []
    assert me.root.follows(me.fpr) == [zoe.fpr]
    assert (await add("Yan", "--yes")).code != 0  # a file of that name, which is not there
    assert (await add(yan.fpr.hex, "--yes")).code == 0
    assert people(me) == {"Yan": "friend", "zoe": "friend"}
    assert set(me.root.follows(me.fpr)) == {yan.fpr, zoe.fpr}


async def test_words_that_do_not_fit(add: Add, me: Person, zoe: Person, tmp_path: Path) -> None:
    me.knows(zoe, "zoe")
    fingerprint = "ab" * 20
    wrong = " ".join(["abandon"] * 15)
    for words, code, said in (
        ((tmp_path / "key.asc", "--at", "localhost:1"), 2, "fingerprint is needed"),
        ((fingerprint, "--via", "nobody"), 2, "nobody"),
        ((fingerprint, "--via", "me"), 2, "somebody else"),
        ((fingerprint, "--via", "zoe", "--group", "tea"), 2, "in no group"),
        ((me.fpr.hex, "--at", "localhost:1"), 6, "your own key"),
        ((wrong, "--at", "localhost:1"), 2, "one of the words is wrong"),
    ):
        done = await add(*words, "--yes")
        assert (done.code, said in done.err) == (code, True), done.err


# --- words -------------------------------------------------------------------------------------------------


def test_the_words_are_shown_and_understood(mau: Run, me: Person, zoe: Person, tmp_path: Path) -> None:
    me.knows(zoe, "zoe")
    words = " ".join(zoe.fpr.words)
    shown = mau("friend", "show", words.upper(), passphrase=PASSPHRASE)
    assert shown.code == 0, shown.err
    assert ["words", words] in [line.split(maxsplit=1) for line in shown.text.splitlines()]
    facts = json.loads(mau("friend", "show", "zoe", "--json", passphrase=PASSPHRASE).out)
    assert (facts["name"], facts["words"]) == ("zoe", words)
    misheard = " ".join([*zoe.fpr.words[1:], zoe.fpr.words[0]])
    assert mau("friend", "show", misheard, passphrase=PASSPHRASE).code == 2
    own = " ".join(me.fpr.words)
    assert own in mau("whoami", passphrase=PASSPHRASE).text
    assert own in mau("export", passphrase=PASSPHRASE).err
    assert own in mau("export", "-o", tmp_path / "alice.pgp", passphrase=PASSPHRASE).err
