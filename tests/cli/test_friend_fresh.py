"""`mau friend refresh`, and how keys that change are shown."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mau.account import Account
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.openpgp.lifetime import extended, revoked
from mau.tree.layout import Root
from tests.cli.conftest import PASSPHRASE, Ended
from tests.keyring.conftest import with_subkey
from tests.syncer.peers import serving

Run = Callable[..., Ended]
NOW = int(time.time())


@pytest.fixture
def run(mau: Run, alice: Account) -> Run:
    """`mau` with Alice's passphrase."""

    def run(*words: str | Path, **more: Any) -> Ended:
        return mau(*words, passphrase=PASSPHRASE, **more)

    return run


@pytest.fixture
def bob() -> SecretKey:
    return SecretKey.generate("Bob", "bob@example.org", created=NOW - 5000)


def listed(run: Run) -> dict[str, Any]:
    return {person["name"]: person for person in json.loads(run("friend", "list", "--json").text)["people"]}


def test_list_and_show_mark_what_somebody_should_know(run: Run, alice: Account, bob: SecretKey) -> None:
    keyring = Keyring.load(alice)
    keys = {
        "Soon": extended(SecretKey.generate("A", "a@example.org", created=NOW - 9), NOW + 86_400),
        "Later": extended(SecretKey.generate("B", "b@example.org", created=NOW - 9), NOW + 90 * 86_400),
        "Gone": revoked(SecretKey.generate("C", "c@example.org", created=NOW - 9), "retired"),
    }
    for name, key in keys.items():
        keyring.add(key.certificate, name, known=name == "Gone")
    keyring.add(bob.certificate, "News")
    keyring.take_in(with_subkey(bob))
    facts = listed(run)
    assert {name for name, one in facts.items() if one["expires_soon"]} == {"Soon"}
    assert {name for name, one in facts.items() if one["revoked"]} == {"Gone"}
    assert {name for name, one in facts.items() if one["news"]} == {"News"}
    lines = {line.split()[0]: line for line in run("friend", "list").text.splitlines()}
    assert "expires 2" in lines["Soon"]
    assert "expires" not in lines["Later"]
    assert "revoked" in lines["Gone"]
    assert "has news to confirm" in lines["News"]
    assert "expires soon" in run("friend", "show", "Soon").err
    assert "new encryption key" in run("friend", "show", "News").err
    confirmed = run("friend", "confirm", "News", "--yes")
    assert confirmed.code == 0, confirmed.err
    assert "new encryption key" in confirmed.err
    assert listed(run)["News"]["news"] == []


async def test_refresh_asks_the_friend_and_tells_what_came(
    run: Run, alice: Account, bob: SecretKey, tmp_path: Path
) -> None:
    import asyncio

    from tests.syncer.peers import Person

    Keyring.load(alice).add(bob.certificate, "Bob")
    account = Account.create(Root(tmp_path / "bob"), bob, "a passphrase")
    account = account.change_key("a passphrase", lambda key: revoked(key, "compromised"))
    async with serving(Person(account, Keyring.load(account))) as (host, port):
        at = f"{host}:{port}"
        done = await asyncio.to_thread(run, "friend", "refresh", "Bob", "--at", at)
        assert done.code == 0, done.err
        assert "Bob: the key is revoked now" in done.err
        again = await asyncio.to_thread(run, "friend", "refresh", "--json")
        assert again.code == 0, again.err
    [facts] = json.loads(again.text)["people"]
    assert (facts["name"], facts["changes"], facts["error"]) == ("Bob", [], None)
    assert listed(run)["Bob"]["revoked"]
    away = run("friend", "refresh")
    assert away.code == 3
    assert "Bob" in away.err


def test_refresh_of_nobody_one_can_ask_is_an_error(run: Run, alice: Account, bob: SecretKey) -> None:
    Keyring.load(alice).add(bob.certificate, "Bob")
    assert run("friend", "refresh", "Bob").code == 5
    assert run("friend", "refresh").code == 0, "whose address is not known is no failure"
    assert run("friend", "refresh", "me").code == 2
    assert run("friend", "refresh", "--at", "localhost:1").code == 2
