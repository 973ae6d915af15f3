"""The exchanges recorded with the Go reference, played to our server: same account, same bytes sent."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncIterator
from email import message_from_bytes
from pathlib import Path

import pytest

from mau.account import Account
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.tree.layout import Root
from tests.server.world import Host, Reply, Someone, read_reply, serving

VECTORS = Path(__file__).parent.parent / "vectors" / "v2-ed25519"
HTTP = VECTORS / "http"
OLDEST_FIRST = ("self.json", "tobob.json", "toboth.json", "versioned.json", "pic é 1.bin")

# Answered as the reference answers: status and body, the framing of several parts apart.
SAME_BYTES = ("get_bob", "get_utf8", "get_ims", "get_range", "get_range_suffix", "version_bob")
SAME_LISTING = (
    "list_bob",
    "list_carol",
    "list_nocert",
    "list_query",
    "list_ims_zero",
    "list_ims_future",
    "list_unknown_fpr",
    "list_bob_own_fpr",
    "http10",
)
SAME_STATUS = (
    "list_POST",
    "list_oddhex",
    "list_uppercase",
    "list_ims_garbage",
    "get_dotdot",
    "get_missing",
    "get_noext",
    "get_dot",
    "get_backslash",
    "get_range_bad",
    "version_missing",
    "p2p_root",
    "root",
)
# Answered otherwise, on purpose: the status that we give, and why.
OTHERWISE = {
    "get_HEAD": (200, "HEAD works"),
    "list_HEAD": (200, "HEAD works"),
    "get_carol_denied": (404, "what one may not read looks as if it were not there"),
    "get_nocert": (404, "what one may not read looks as if it were not there"),
    "version_nocert": (404, "what one may not read looks as if it were not there"),
    "version_dir": (404, "the directory of versions is nothing to get"),
    "version_ext": (200, "all four spellings of a version are served"),
    "version_plural": (200, "all four spellings of a version are served"),
    "list_trailing_slash": (200, "a slash after the fingerprint changes nothing"),
    "list_alice_self": (200, "the owner sees everything of his own"),
    "get_dotdot_raw": (400, "no redirects: a path is right or it is not"),
    "p2p_noslash": (404, "no redirects: a path is right or it is not"),
}


def recorded(prefix: str = "") -> set[str]:
    """The exchanges there are; those of Kademlia belong to another server than this one."""
    return {path.stem for path in HTTP.glob(f"{prefix}*.req") if not path.stem.startswith("kad_")}


def test_every_exchange_has_its_place() -> None:
    placed = [*SAME_BYTES, *SAME_LISTING, *SAME_STATUS, *OTHERWISE, "get_range_multi"]
    assert len(placed) == len(set(placed))
    assert set(placed) == recorded()


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Someone]:
    """Alice, with the friends confirmed that the reference gave her; Bob; Carol."""
    place = tmp_path_factory.mktemp("vectors")
    shutil.copytree(VECTORS / "accounts", place, dirs_exist_ok=True)
    told = json.loads((VECTORS / "accounts.json").read_text())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(place / "state"))
        opened = {who: Account.open(Root(place / who), told[who]["passphrase"]) for who in told}
        keyring = Keyring.load(opened["alice"])
        keyring.confirm_all({opened[who].fingerprint: who for who in ("bob", "carol")})
        found = {who: Someone(account, Keyring.load(account)) for who, account in opened.items()}
    for number, name in enumerate(OLDEST_FIRST):
        os.utime(found["alice"].own(name), (10**9 + number, 10**9 + number))
    return found


@pytest.fixture
async def host(accounts: dict[str, Someone], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Host]:
    monkeypatch.setenv("XDG_STATE_HOME", str(accounts["alice"].account.root.path.parent / "state"))
    async with serving(accounts["alice"]) as host:
        yield host


async def replay(host: Host, accounts: dict[str, Someone], exchange: str) -> tuple[Reply, Reply]:
    """(ours, theirs)"""
    request, method = recorded_request(exchange)
    certificate = json.loads((HTTP / f"{exchange}.json").read_text())["client_cert"]
    who = accounts[certificate.partition(".")[0]] if certificate else None
    ours = read_reply(await host.raw(who, request), method)
    return ours, read_reply((HTTP / f"{exchange}.resp").read_bytes(), method)


def recorded_request(exchange: str) -> tuple[bytes, str]:
    request = (HTTP / f"{exchange}.req").read_bytes()
    return request, request.partition(b" ")[0].decode()


@pytest.mark.parametrize("exchange", SAME_BYTES)
async def test_files_are_the_same(host: Host, accounts: dict[str, Someone], exchange: str) -> None:
    ours, theirs = await replay(host, accounts, exchange)
    assert (ours.status, ours.body) == (theirs.status, theirs.body)
    for name in ("Content-Range", "Accept-Ranges", "Content-Type", "Content-Length"):
        assert ours.headers[name] == theirs.headers[name]


@pytest.mark.parametrize("exchange", SAME_LISTING)
async def test_listings_say_at_least_the_same(
    host: Host, accounts: dict[str, Someone], exchange: str
) -> None:
    ours, theirs = await replay(host, accounts, exchange)
    assert ours.status == theirs.status
    assert [{key: item[key] for key in ("path", "size", "sum")} for item in ours.json] == theirs.json


@pytest.mark.parametrize("exchange", SAME_STATUS)
async def test_what_is_wrong_is_wrong_for_both(
    host: Host, accounts: dict[str, Someone], exchange: str
) -> None:
    ours, theirs = await replay(host, accounts, exchange)
    assert ours.status == theirs.status
    assert ours.headers["Content-Range"] == theirs.headers["Content-Range"]
    assert ours.headers["Content-Type"] == "application/problem+json"
    assert ours.json["status"] == ours.status


async def test_several_parts_are_the_same(host: Host, accounts: dict[str, Someone]) -> None:
    ours, theirs = await replay(host, accounts, "get_range_multi")
    found = []
    for reply in (ours, theirs):
        kind = reply.headers["Content-Type"].encode()
        message = message_from_bytes(b"Content-Type: " + kind + b"\r\n\r\n" + reply.body)
        parts = message.get_payload()
        assert isinstance(parts, list)
        found.append([(part["Content-Range"], part.get_payload(decode=True)) for part in parts])  # type: ignore[union-attr, index]
    assert found[0] == found[1]
    assert ours.status == theirs.status == 206


@pytest.mark.parametrize("exchange", OTHERWISE)
async def test_where_we_answer_otherwise(host: Host, accounts: dict[str, Someone], exchange: str) -> None:
    ours, theirs = await replay(host, accounts, exchange)
    assert ours.status == OTHERWISE[exchange][0]
    if exchange.startswith("version_") and ours.status == 200:
        assert ours.body == read_reply((HTTP / "version_bob.resp").read_bytes()).body
    if exchange == "list_alice_self":
        assert theirs.json == []
        assert [name for name in ours.names if name != "keyring.json"] == list(OLDEST_FIRST)


def test_the_vectors_are_those_we_know(accounts: dict[str, Someone]) -> None:
    told = json.loads((VECTORS / "accounts.json").read_text())
    for who, someone in accounts.items():
        assert someone.fingerprint == Fingerprint.parse(told[who]["fpr"])
