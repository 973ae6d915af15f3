"""Keys over HKP: the owner's for everybody, an author's for whom something of his is here, no other."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mau.content.binding import PUBLIC
from mau.errors import PeerMisbehaved
from mau.fingerprint import Fingerprint
from mau.openpgp import Certificate, SecretKey
from mau.server import people as server_people
from mau.server.visibility import Relay
from mau.wire.client import PeerClient
from mau.wire.paths import key_path
from tests.server.world import Host, Reply, Someone, audience, make_someone, serving

PATIENCE = 30.0
NOBODY = Fingerprint(bytes(20))


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server looks at the keyring at every request, not once a second."""
    monkeypatch.setattr(server_people, "_CHECK_EVERY", 0.0)


async def key_of(host: Host, who: Someone | None, owner: Fingerprint) -> Certificate | None:
    reply = await host.ask(who, key_path(owner))
    if reply.status == 404:
        return None
    assert reply.status == 200, reply.raw
    return Certificate.parse(reply.body)


async def test_everybody_gets_the_owners_key(
    host: Host, alice: Someone, bob: Someone, mallory: Someone
) -> None:
    for who in (None, mallory, bob, alice):
        reply = await host.ask(who, key_path(alice.fingerprint))
        assert reply.status == 200
        assert reply.headers["Content-Type"] == "application/pgp-keys"
        assert reply.headers["ETag"] == f'"{hashlib.sha256(reply.body).hexdigest()}"'
        assert reply.headers["Cache-Control"] == "private, no-cache"
        assert reply.body.startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
        assert bytes(Certificate.parse(reply.body)) == bytes(alice.account.certificate)


@pytest.mark.parametrize(
    ("relay", "for_carol", "for_strangers"),
    [("none", False, False), ("friends", True, False), ("public", True, True)],
)
async def test_an_authors_key_goes_with_what_may_be_read(
    alice: Someone,
    bob: Someone,
    carol: Someone,
    mallory: Someone,
    relay: Relay,
    for_carol: bool,
    for_strangers: bool,
) -> None:
    alice.holds(bob, "public", bob.message(b"1", None, name="public", audience=PUBLIC))
    async with serving(alice, relay) as host:
        for who, expected in (
            (carol, for_carol),
            (mallory, for_strangers),
            (None, for_strangers),
            (bob, True),
            (alice, True),
        ):
            assert (await key_of(host, who, bob.fingerprint) is not None) == expected


async def test_a_friend_of_whom_nothing_is_here_is_not_betrayed(
    host: Host, alice: Someone, bob: Someone, carol: Someone
) -> None:
    assert {person.local_name for person in alice.keyring.friends()} == {"bob", "carol"}
    for who in (None, bob, alice):
        assert await key_of(host, who, carol.fingerprint) is None
    alice.holds(
        carol, "private", carol.message(b"1", [carol, alice], name="private", audience=audience(carol))
    )
    assert await key_of(host, bob, carol.fingerprint) is None
    path = carol.message(b"2", [carol, bob], name="for-bob", audience=audience(carol, bob))
    alice.holds(carol, "for-bob", path, hidden=True)
    assert await key_of(host, bob, carol.fingerprint) == carol.account.certificate
    alice.account.root.hidden_dir(carol.fingerprint).joinpath("for-bob.pgp").unlink()
    assert await key_of(host, bob, carol.fingerprint) is None


async def test_posts_of_somebody_whose_key_is_not_held_bring_none(
    alice: Someone, bob: Someone, mallory: Someone
) -> None:
    message = mallory.message(b"1", [mallory, bob], name="x", audience=audience(mallory, bob))
    alice.holds(mallory, "x", message)
    async with serving(alice) as host:
        assert (await host.list(bob, mallory)).names == ["x"]
        assert await key_of(host, bob, mallory.fingerprint) is None


@pytest.mark.parametrize("name", ["Zoë 佐", "\u202eeoZ\x1b[2J", "a" * 2000])
async def test_a_key_is_given_out_whatever_its_holder_is_called(
    alice: Someone, carol: Someone, tmp_path: Path, name: str
) -> None:
    zoe = make_someone(tmp_path, "zoe", SecretKey.generate(name, "zoe@example.org"))
    alice.keyring.add(zoe.account.certificate, "zoe")
    alice.holds(zoe, "x", zoe.message(b"1", None, name="x", audience=PUBLIC))
    async with serving(alice) as host:
        reply = await host.ask(carol, key_path(zoe.fingerprint))
    assert reply.body.isascii()
    assert Certificate.parse(reply.body) == zoe.account.certificate


def test_a_key_of_gpg_stays_as_it_is(gpg_home: list[str]) -> None:
    gpg(gpg_home, "--quick-gen-key", "Dora <dora@example.org>", "rsa3072", "cert,sign", "1y")
    [found] = [
        line.split(":")[9]
        for line in gpg(gpg_home, "--with-colons", "--list-keys").decode().splitlines()
        if line.startswith("fpr")
    ]
    for usage in ("encr", "sign"):
        gpg(gpg_home, "--quick-add-key", found, "rsa2048" if usage == "encr" else "ed25519", usage)
    gpg(gpg_home, "--quick-add-uid", found, "Dora the second <d2@example.org>")
    gpg(gpg_home, "--quick-revoke-uid", found, "Dora the second <d2@example.org>")
    exported = gpg(gpg_home, "--export", found)
    dora = Certificate.parse(exported)
    assert bytes(dora.without_others()) == bytes(dora)
    assert dora.without_others().encryption_keyids == dora.encryption_keyids != frozenset()


async def test_not_there_and_not_for_you_are_one_answer(
    host: Host, alice: Someone, bob: Someone, carol: Someone
) -> None:
    alice.holds(carol, "x", carol.message(b"1", [carol, alice], name="x", audience=audience(carol, alice)))

    def shape(reply: Reply) -> tuple[int, bytes, list[str]]:
        return reply.status, reply.body, sorted(name for name in reply.headers if name != "Date")

    for who in (None, bob):
        for method in ("GET", "HEAD"):
            for headers in ({}, {"If-None-Match": "*"}, {"If-Match": '"x"'}, {"Range": "bytes=0-1"}):
                missing = await host.ask(who, key_path(NOBODY), headers, method)
                hidden = await host.ask(who, key_path(carol.fingerprint), headers, method)
                assert shape(missing) == shape(hidden)
                assert missing.status == 404


async def test_they_take_the_same_time(host: Host, alice: Someone, bob: Someone, carol: Someone) -> None:
    alice.holds(carol, "x", carol.message(b"1", [carol, alice], name="x", audience=audience(carol, alice)))
    reader, writer = await host.connect(bob)
    taken: dict[Fingerprint, list[float]] = {NOBODY: [], carol.fingerprint: []}
    for _ in range(20):
        for fingerprint, times in taken.items():
            began = time.perf_counter()
            writer.write(f"GET {key_path(fingerprint)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
            times.append(time.perf_counter() - began)
    writer.close()
    missing, hidden = (sorted(times)[10] for times in taken.values())
    assert abs(missing - hidden) < 0.004


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("op=get&search=0x{FPR}", 200),
        ("op=get&search=0X{FPR}", 200),
        ("search=0x{fpr}&op=get", 200),
        ("op=get&options=mr&search=0x{fpr}&fingerprint=on&exact=on", 200),
        ("op=get&search=%30%78{fpr}", 200),
        ("op=get&search={fpr}", 404),
        ("op=get&search=alice%40example.org", 404),
        ("op=get&search=Alice", 404),
        ("op=get&search=", 404),
        ("op=get&search=0x{keyid}", 404),
        ("op=get&search=0x{fpr}00", 404),
        ("op=get&search=0x{fpr}%0a", 404),
        ("op=get&search=%ff%zz", 404),
        ("op=index&search=0x{fpr}", 501),
        ("op=vindex&search=Alice", 501),
        ("op=stats&search=", 501),
        ("op=GET&search=0x{fpr}", 501),
        ("", 400),
        ("op=get", 400),
        ("search=0x{fpr}", 400),
        ("op=get&op=get&search=0x{fpr}", 400),
        ("op=get&search=0x{fpr}&search=0x{fpr}", 400),
        ("op=get&search=0x{fpr}" + "&a=b" * 16, 400),
    ],
)
async def test_only_whole_fingerprints_are_looked_for(
    host: Host, alice: Someone, query: str, status: int
) -> None:
    digits = alice.fingerprint.hex
    asked = query.format(fpr=digits, FPR=digits.upper(), keyid=digits[-16:])
    for method in ("GET", "HEAD"):
        reply = await host.ask(None, f"/pks/lookup?{asked}", method=method)
        assert reply.status == status, reply.raw
        assert status == 200 or b"example.org" not in reply.body


@pytest.mark.parametrize(
    "path", ["/pks", "/pks/", "/pks/lookup/", "/pks/add", "/pks//lookup", "/pks/%6cookup"]
)
async def test_other_paths_of_key_servers_are_not_there(host: Host, alice: Someone, path: str) -> None:
    assert (await host.ask(None, f"{path}?op=get&search=0x{alice.fingerprint}")).status == 404
    posted = await host.ask(None, path, method="POST")
    assert (posted.status, posted.headers["Allow"]) == (405, "GET, HEAD")


async def test_conditions_hold_for_keys(host: Host, alice: Someone) -> None:
    path = key_path(alice.fingerprint)
    tag = (await host.ask(None, path)).headers["ETag"]
    for headers, status in (
        ({"If-None-Match": tag}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Match": tag}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 200),
        ({"If-Unmodified-Since": "Mon, 01 Jan 0001 00:00:00 GMT"}, 200),
        ({"Range": "bytes=0-1"}, 200),
    ):
        assert (await host.ask(None, path, headers)).status == status, headers


async def test_a_removed_key_is_given_out_no_more(alice: Someone, bob: Someone, carol: Someone) -> None:
    alice.holds(bob, "x", bob.message(b"1", None, name="x", audience=PUBLIC))
    async with serving(alice) as host:
        assert await key_of(host, carol, bob.fingerprint) is not None
        alice.keyring.remove(bob.fingerprint)
        assert await key_of(host, carol, bob.fingerprint) is None


# --- as other programs ask ---------------------------------------------------------------------------------


@pytest.fixture
def gpg_home() -> Iterator[list[str]]:
    with TemporaryDirectory(prefix="gpg") as home:
        Path(home).chmod(0o700)
        # Else it measures how many rounds take it 100 ms.
        (Path(home) / "gpg-agent.conf").write_text("s2k-count 65536\n")
        yield [
            "gpg",
            "--homedir",
            home,
            "--batch",
            "--yes",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
        ]
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False, timeout=PATIENCE)


def gpg(home: list[str], *words: str, given: bytes = b"") -> bytes:
    return subprocess.run(
        [*home, *words], input=given, capture_output=True, timeout=PATIENCE, check=True
    ).stdout


async def test_curl_fetches_what_gpg_takes(host: Host, alice: Someone, gpg_home: list[str]) -> None:
    url = f"https://{host.host}:{host.port}{key_path(alice.fingerprint)}"
    process = await asyncio.create_subprocess_exec("curl", "-sSkf", url, stdout=asyncio.subprocess.PIPE)
    key, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0
    await asyncio.to_thread(gpg, gpg_home, "--import", given=key)
    listed = await asyncio.to_thread(gpg, gpg_home, "--with-colons", "--list-keys")
    assert f"fpr:::::::::{alice.fingerprint.hex.upper()}:" in listed.decode()


async def test_what_others_certified_is_not_passed_on(
    alice: Someone, bob: Someone, carol: Someone, gpg_home: list[str]
) -> None:
    gpg(gpg_home, "--quick-gen-key", "Dora <dora@example.org>", "ed25519", "cert,sign", "never")
    gpg(gpg_home, "--import", given=bytes(bob.account.certificate))
    gpg(gpg_home, "--quick-lsign-key", bob.fingerprint.hex)
    certified = gpg(gpg_home, "--export-options", "export-local-sigs", "--export", bob.fingerprint.hex)
    assert len(certified) > len(bytes(bob.account.certificate))
    alice.keyring.add(Certificate.parse(certified), "bob")
    alice.holds(bob, "x", bob.message(b"1", None, name="x", audience=PUBLIC))
    async with serving(alice) as host:
        given = await key_of(host, carol, bob.fingerprint)
    assert given == bob.account.certificate


async def test_the_client_asks_for_keys(host: Host, alice: Someone, bob: Someone) -> None:
    async with PeerClient(None, alice.fingerprint, host.host, host.port) as peer:
        assert Certificate.parse(await peer.key(alice.fingerprint)) == alice.account.certificate
        with pytest.raises(PeerMisbehaved, match="404"):
            await peer.key(bob.fingerprint)
        with pytest.raises(PeerMisbehaved, match="more than 100"):
            await peer.key(alice.fingerprint, limit=100)
