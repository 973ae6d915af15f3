"""/invite: who shows a token is put before the owner, and nobody learns more (http.yaml H90-H95)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from mau.errors import NotOffered, PeerUnreachable
from mau.fingerprint import Fingerprint
from mau.invite import book as rooms
from mau.invite.book import InviteBook
from mau.invite.facts import Invite, Request, new_token
from mau.invite.link import Link, format_link
from mau.openpgp import Certificate
from mau.server import invites
from mau.server.accesslog import AccessLog
from mau.wire.client import PeerClient, Timeouts
from mau.wire.invite import LINK_HEADER, MAX_KEY
from mau.wire.paths import invite_path
from tests.server.world import PATIENCE, Host, Reply, Someone, read_reply, serving

DAY = 86_400


def invite(of: Someone, *, seconds: int = DAY, uses: int = 1) -> str:
    with closing(InviteBook(of.account)) as book:
        return book.make(seconds=seconds, uses=uses, note="a note")[0]


def open_invites(of: Someone) -> list[Invite]:
    with closing(InviteBook(of.account)) as book:
        return book.invites()


def waiting(at: Someone) -> dict[Fingerprint, Request]:
    with closing(InviteBook(at.account)) as book:
        return dict(book.requests())


def key_of(who: Someone) -> bytes:
    return bytes(who.account.certificate)


async def put(
    host: Host,
    who: Someone | None,
    token: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    length: str | None = None,
    method: str = "PUT",
) -> Reply:
    lines = [f"{method} {invite_path(token)} HTTP/1.1", "Host: peer", "Connection: close"]
    lines += [f"Content-Length: {len(body) if length is None else length}"] if length != "" else []
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return read_reply(await host.raw(who, "\r\n".join([*lines, "", ""]).encode() + body), method)


def client(host: Host, who: Someone) -> PeerClient:
    return PeerClient(
        who.account.identity(), host.owner.fingerprint, host.host, host.port, timeouts=Timeouts(busy=0)
    )


# --- a guest -----------------------------------------------------------------------------------------------


async def test_a_guest_is_put_before_the_owner(host: Host, alice: Someone, mallory: Someone) -> None:
    token = invite(alice)
    link = format_link(Link(mallory.fingerprint, "Mal", (("127.0.0.1", 4711),)))
    async with client(host, mallory) as peer:
        await peer.show_invite(token, key_of(mallory), link)
        await peer.show_invite(token, key_of(mallory), link)  # for the answer may have been lost
    [(guest, request)] = waiting(alice).items()
    assert guest == mallory.fingerprint
    assert Certificate.parse(request.certificate) == mallory.account.certificate.without_others()
    assert (request.note, request.link) == ("a note", Link(guest, "Mal", (("127.0.0.1", 4711),)))
    assert abs(request.asked - time.time()) < PATIENCE
    assert open_invites(alice) == []
    # Nobody is a friend before the owner says so.
    assert not alice.keyring.is_friend(mallory.fingerprint)
    assert (await host.list(mallory)).names == []


async def test_an_armored_key_is_taken_too(host: Host, alice: Someone, mallory: Someone) -> None:
    reply = await put(host, mallory, invite(alice), mallory.account.certificate.armored().encode())
    assert (reply.status, reply.body) == (204, b"")
    assert mallory.fingerprint in waiting(alice)


async def test_the_key_is_asked_for_only_once_the_token_counted(
    host: Host, alice: Someone, mallory: Someone
) -> None:
    reader, writer = await host.connect(mallory)
    body = key_of(mallory)
    head = f"PUT {invite_path(invite(alice))} HTTP/1.1\r\nHost: peer\r\nExpect: 100-continue\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
        # The connection goes on, for other requests too.
        writer.write(b"GET / HTTP/1.1\r\nHost: peer\r\nConnection: close\r\n\r\n")
        assert (await reader.read(-1)).startswith(b"HTTP/1.1 404 ")
    writer.close()


async def test_a_friend_who_shows_it_waits_for_nothing(host: Host, alice: Someone, bob: Someone) -> None:
    assert (await put(host, bob, invite(alice), key_of(bob))).status == 204
    assert waiting(alice) == {}
    assert open_invites(alice) == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (
            "mau:/p2p/{own}?name=Mal%1B%E2%80%AE&at=8.8.8.8:1",
            Link(Fingerprint(bytes(20)), "Mal", (("8.8.8.8", 1),)),
        ),
        ("mau:/p2p/{other}?name=Bob&at=8.8.8.8:1", Link(Fingerprint(bytes(20)))),
        ("nonsense", Link(Fingerprint(bytes(20)))),
        ("mau:/p2p/{own}?invite=AAAAAAAAAAAAAAAAAAAAAA", Link(Fingerprint(bytes(20)))),
    ],
)
async def test_of_what_a_guest_says_only_what_is_about_the_guest_counts(
    host: Host, alice: Someone, bob: Someone, mallory: Someone, sent: str, kept: Link
) -> None:
    header = sent.format(own=mallory.fingerprint.hex, other=bob.fingerprint.hex)
    assert (await put(host, mallory, invite(alice), key_of(mallory), {LINK_HEADER: header})).status == 204
    found = waiting(alice)[mallory.fingerprint].link
    assert (found.name, found.addresses, found.token) == (kept.name, kept.addresses, None)
    assert found.fingerprint == mallory.fingerprint


# --- what does not count -----------------------------------------------------------------------------------


async def test_every_token_that_does_not_count_looks_alike(
    host: Host, alice: Someone, carol: Someone, mallory: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, expired, revoked = invite(alice), invite(alice, seconds=1), invite(alice)
    async with client(host, mallory) as peer:
        await peer.show_invite(used, key_of(mallory))
    with closing(InviteBook(alice.account)) as book:
        book.revoke()  # the used one, too, is forgotten
    used = invite(alice)
    async with client(host, mallory) as peer:
        await peer.show_invite(used, key_of(mallory))
    invite(alice)  # one that counts is there, too
    later = time.time() + 2
    monkeypatch.setattr(time, "time", lambda: later)
    replies = [
        await put(host, carol, token, key_of(carol))
        for token in (used, expired, revoked, new_token(), "x", "..")
    ]
    # Without the body, or with one that is wrong: nothing of it is looked at.
    replies += [await put(host, carol, new_token(), b"", length=length) for length in ("99999999", "", "7")]
    assert {reply.status for reply in replies} == {404}
    heads = [{name: value for name, value in reply.headers.items() if name != "Date"} for reply in replies]
    assert all(head == heads[0] for head in heads)
    assert len({json.dumps(reply.json, sort_keys=True) for reply in replies}) == 1
    async with client(host, carol) as peer:
        with pytest.raises(NotOffered):
            await peer.show_invite(used, key_of(carol))
    assert set(waiting(alice)) == {mallory.fingerprint}
    assert [one.left for one in open_invites(alice)] == [1]


async def test_who_proves_nothing_is_told_nothing_of_tokens(
    host: Host, alice: Someone, mallory: Someone
) -> None:
    good, bad = invite(alice), new_token()
    replies = [await put(host, None, token, key_of(mallory)) for token in (good, bad)]
    assert [reply.status for reply in replies] == [403, 403]
    assert replies[0].json == replies[1].json
    assert waiting(alice) == {}


async def test_the_owner_is_no_guest(host: Host, alice: Someone) -> None:
    assert (await put(host, alice, invite(alice), key_of(alice))).status == 404


async def test_nobody_asks_in_the_name_of_another(
    host: Host, alice: Someone, bob: Someone, mallory: Someone
) -> None:
    token = invite(alice)
    reply = await put(host, mallory, token, key_of(bob))
    assert reply.status == 400
    assert waiting(alice) == {}
    assert len(open_invites(alice)) == 1  # the guest may try again


@pytest.mark.parametrize(
    "body", [b"", b"not a key", b"\x99\x00\x01\x04", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n"]
)
async def test_what_is_no_key_is_refused_and_costs_no_token(
    host: Host, alice: Someone, mallory: Someone, body: bytes
) -> None:
    assert (await put(host, mallory, invite(alice), body)).status == 400
    assert waiting(alice) == {}
    assert len(open_invites(alice)) == 1


async def test_a_secret_key_is_refused_and_not_kept(host: Host, alice: Someone, mallory: Someone) -> None:
    assert (await put(host, mallory, invite(alice), mallory.account.key.transferable)).status == 400
    assert waiting(alice) == {}


async def test_a_key_has_bounds(host: Host, alice: Someone, mallory: Someone) -> None:
    token = invite(alice)
    assert (await put(host, mallory, token, b"", length=str(MAX_KEY + 1))).status == 413
    assert (await put(host, mallory, token, b"", length="")).status == 411
    chunked = {"Transfer-Encoding": "chunked"}
    assert (await put(host, mallory, token, b"0\r\n\r\n", chunked, length="")).status == 411
    assert (await put(host, mallory, token, b"x" * MAX_KEY)).status == 400
    assert len(open_invites(alice)) == 1


async def test_a_key_that_drips_is_not_waited_for(
    host: Host, alice: Someone, mallory: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invites, "_BODY_SECONDS", 0.2)
    reply = await put(host, mallory, invite(alice), b"\x99", length="500")
    assert reply.status == 408
    assert waiting(alice) == {}


async def test_nothing_is_got_there_and_nothing_else_is_put(host: Host, alice: Someone, bob: Someone) -> None:
    token = invite(alice)
    for method in ("GET", "HEAD", "POST", "DELETE"):
        reply = await put(host, bob, token, b"", method=method)
        assert (reply.status, reply.headers["Allow"]) == (405, "PUT")
    for path in (f"/p2p/{alice.fingerprint.hex}", "/kad/ping", "/", "/invites/x"):
        reply = await host.ask(bob, path, method="PUT")
        assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")
    assert len(open_invites(alice)) == 1


# --- bounds ------------------------------------------------------------------------------------------------


async def test_of_those_who_come_at_once_one_is_taken(
    alice: Someone, carol: Someone, bob: Someone, mallory: Someone
) -> None:
    alice.keyring.remove(bob.fingerprint)
    alice.keyring.remove(carol.fingerprint)
    token = invite(alice)
    async with serving(alice) as host:
        replies = await asyncio.gather(*(put(host, one, token, key_of(one)) for one in (bob, carol, mallory)))
    assert sorted(reply.status for reply in replies) == [204, 404, 404]
    assert len(waiting(alice)) == 1


async def test_too_many_who_wait_are_told_to_come_later(
    host: Host, alice: Someone, mallory: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "MAX_WAITING", 0)
    token = invite(alice)
    reply = await put(host, mallory, token, key_of(mallory))
    assert reply.status == 429
    assert int(reply.headers["Retry-After"]) > 0
    async with client(host, mallory) as peer:
        with pytest.raises(PeerUnreachable):
            await peer.show_invite(token, key_of(mallory))
    monkeypatch.setattr(rooms, "MAX_WAITING", 1)
    assert (await put(host, mallory, token, key_of(mallory))).status == 204


async def test_one_network_asks_ten_times_a_day(
    host: Host, alice: Someone, bob: Someone, mallory: Someone
) -> None:
    tokens = [invite(alice) for _ in range(12)]
    answers = [(await put(host, mallory, token, key_of(mallory))).status for token in tokens]
    assert answers == [204] * 10 + [429] * 2
    assert (
        await put(host, mallory, new_token(), key_of(mallory))
    ).status == 404  # that says nothing of tokens
    assert (await put(host, bob, tokens[11], key_of(bob))).status == 204  # a friend


async def test_no_token_is_written_into_the_access_log(
    alice: Someone, mallory: Someone, tmp_path: Path
) -> None:
    token = invite(alice)
    log = AccessLog(str(tmp_path / "log"))
    async with serving(alice, access_log=log) as host:
        await put(host, mallory, token, key_of(mallory))
        await host.ask(mallory, f"/%69nvite/{token}", method="PUT")
        await host.ask(mallory, f"https://peer/invite/{token}", method="PUT")
    await asyncio.to_thread(log.close)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["path"] for line in lines] == ["/invite/"] * 3
    assert token not in (tmp_path / "log").read_text()
