"""Files and versions: exact bytes, parts of them, conditions, and what is not given out."""

from __future__ import annotations

import hashlib
import os
import time
import zlib
from email import message_from_bytes
from pathlib import Path

import pytest

from mau.content.binding import PUBLIC
from mau.server.conditions import http_date
from mau.server.facts import IN_MEMORY
from mau.wire.paths import version_path
from tests.server.world import Host, Someone, audience, content_of, seconds_of


@pytest.fixture
def path(alice: Someone, bob: Someone) -> Path:
    return alice.publish("f.bin", os.urandom(5000), audience(alice, bob))


async def test_the_bytes_come_as_they_lie_there(host: Host, bob: Someone, path: Path) -> None:
    content = content_of(path)
    reply = await host.get(bob, "f.bin")
    assert (reply.status, reply.body) == (200, content)
    assert reply.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert reply.headers["Last-Modified"] == http_date(seconds_of(path))
    assert reply.headers["Accept-Ranges"] == "bytes"
    assert reply.headers["Content-Type"] == "application/octet-stream"
    assert "Content-Encoding" not in reply.headers


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 300_000, 3_000_000])
async def test_every_size_and_every_part_of_it(host: Host, alice: Someone, size: int) -> None:
    content = alice.publish("big", os.urandom(size), PUBLIC).read_bytes()
    assert (await host.get(None, "big")).body == content
    last = len(content) - 1
    for first, end in (
        (0, 0),
        (0, last),
        (last, last),
        (last // 2, last),
        (1, last - 1),
        (last // 3, last // 2),
    ):
        reply = await host.get(None, "big", {"Range": f"bytes={first}-{end}"})
        assert (reply.status, reply.body) == (206, content[first : end + 1])
        assert reply.headers["Content-Range"] == f"bytes {first}-{end}/{len(content)}"
        assert int(reply.headers["Content-Length"]) == end + 1 - first


async def test_the_end_and_beyond(host: Host, bob: Someone, path: Path) -> None:
    content = content_of(path)
    size = len(content)
    for header, part in (
        ("bytes=-5", content[-5:]),
        (f"bytes={size - 1}-", content[-1:]),
        ("bytes=0-99999999", content),
    ):
        reply = await host.get(bob, "f.bin", {"Range": header})
        assert (reply.status, reply.body) == (206, part)
    reply = await host.get(bob, "f.bin", {"Range": f"bytes={size}-"})
    assert reply.status == 416
    assert reply.headers["Content-Range"] == f"bytes */{size}"
    assert reply.headers["Content-Type"] == "application/problem+json"
    for nonsense in ("bytes=5-4", "lines=1-2", "bytes=x"):
        reply = await host.get(bob, "f.bin", {"Range": nonsense})
        assert (reply.status, reply.body) == (200, content)


@pytest.mark.parametrize("size", [2000, 1_000_000])
async def test_several_parts_come_framed(host: Host, alice: Someone, size: int) -> None:
    content = alice.publish("big", os.urandom(size), PUBLIC).read_bytes()
    reply = await host.get(None, "big", {"Range": f"bytes=0-1,5-{size - 600},-10"})
    assert reply.status == 206
    assert int(reply.headers["Content-Length"]) == len(reply.body)
    frame = b"Content-Type: " + reply.headers["Content-Type"].encode() + b"\r\n\r\n"
    parts = message_from_bytes(frame + reply.body).get_payload()
    assert isinstance(parts, list)
    expected = [(0, 2), (5, size - 599), (len(content) - 10, len(content))]
    assert [part["Content-Range"] for part in parts] == [  # type: ignore[index]
        f"bytes {first}-{end - 1}/{len(content)}" for first, end in expected
    ]
    boundary = reply.headers["Content-Type"].partition("boundary=")[2].encode()
    pieces = reply.body.split(b"\r\n--" + boundary)[1:-1]
    assert [piece.partition(b"\r\n\r\n")[2] for piece in pieces] == [content[a:b] for a, b in expected]


async def test_a_range_holds_for_the_same_content_only(host: Host, bob: Someone, path: Path) -> None:
    content = content_of(path)
    tag = f'"{hashlib.sha256(content).hexdigest()}"'
    date = http_date(seconds_of(path))
    for if_range, status in ((tag, 206), (f"W/{tag}", 200), ('"old"', 200), (date, 200), ("nonsense", 200)):
        reply = await host.get(bob, "f.bin", {"Range": "bytes=0-9", "If-Range": if_range})
        assert (reply.status, reply.body) == (status, content[:10] if status == 206 else content)
    # A condition comes before the range, and a range beyond the end does not matter when it is not honoured.
    reply = await host.get(bob, "f.bin", {"Range": "bytes=0-9", "If-None-Match": tag, "If-Range": tag})
    assert reply.status == 304
    reply = await host.get(bob, "f.bin", {"Range": "bytes=999999-", "If-Range": '"old"'})
    assert (reply.status, reply.body) == (200, content)
    reply = await host.get(bob, "f.bin", {"Range": "bytes=0-9", "If-Match": '"old"'})
    assert reply.status == 412


async def test_conditions(host: Host, bob: Someone, path: Path) -> None:
    tag = f'"{hashlib.sha256(content_of(path)).hexdigest()}"'
    modified = seconds_of(path)
    for headers, status in (
        ({"If-None-Match": tag}, 304),
        ({"If-None-Match": f'"x", W/{tag}'}, 304),
        ({"If-None-Match": '"x"'}, 200),
        ({"If-Match": tag}, 200),
        ({"If-Match": f"W/{tag}"}, 412),
        ({"If-Unmodified-Since": http_date(modified - 1)}, 412),
        ({"If-Unmodified-Since": http_date(modified)}, 200),
        ({"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "nonsense"}, 200),
    ):
        assert (await host.get(bob, "f.bin", headers)).status == status
    same = await host.get(bob, "f.bin", {"If-None-Match": tag})
    assert (same.body, same.headers["ETag"]) == (b"", tag)
    assert "Content-Length" not in same.headers


async def test_head_says_the_same_without_a_body(host: Host, bob: Someone, path: Path) -> None:
    whole = await host.get(bob, "f.bin")
    for headers in ({}, {"Range": "bytes=0-9"}):
        head = await host.get(bob, "f.bin", headers, method="HEAD")
        assert (head.status, head.body) == (200, b"")
        for name in ("ETag", "Last-Modified", "Content-Length", "Content-Type", "Accept-Ranges"):
            assert head.headers[name] == whole.headers[name]


# --- not there, not for you --------------------------------------------------------------------------------


async def test_missing_and_forbidden_are_the_same_answer(
    host: Host, alice: Someone, bob: Someone, carol: Someone, mallory: Someone, path: Path
) -> None:
    old = hashlib.sha256(content_of(path)).hexdigest()
    alice.publish("f.bin", b"newer", audience(alice, bob))
    paths = [
        f"/p2p/{alice.fingerprint}/f.bin.pgp",
        f"/p2p/{alice.fingerprint}/missing.pgp",
        f"/p2p/{alice.fingerprint}/f.bin.pgp.version/{old}",
        f"/p2p/{alice.fingerprint}/f.bin.pgp.version/{'0' * 64}",
        f"/p2p/{alice.fingerprint}/keyring.json.pgp",
        f"/p2p/{mallory.fingerprint}/x.pgp",
        f"/p2p/{alice.fingerprint}/account.pgp",
        f"/p2p/{alice.fingerprint}/{bob.fingerprint}.pgp",
    ]
    headers = {"If-None-Match": "*", "Range": "bytes=999999999-", "If-Match": '"x"', "If-Modified-Since": "x"}
    for who in (None, carol, mallory):
        answers = set()
        for one in paths:
            for asked in ({}, headers):
                reply = await host.ask(who, one, asked)
                told = sorted((k, v) for k, v in reply.headers.items() if k != "Date")
                answers.add((reply.status, reply.body, str(told)))
        assert len(answers) == 1
        assert answers.pop()[0] == 404


@pytest.mark.parametrize("mode", ["link", "fifo", "directory", "link to a directory above"])
async def test_only_regular_files_are_served(host: Host, alice: Someone, tmp_path: Path, mode: str) -> None:
    public = alice.publish("real", b"x", PUBLIC)
    target = alice.own("odd")
    match mode:
        case "link":
            target.symlink_to(public)
        case "fifo":
            os.mkfifo(target)
        case "directory":
            target.mkdir()
        case _:
            directory = public.parent
            directory.rename(tmp_path / "elsewhere")
            directory.symlink_to(tmp_path / "elsewhere")
            assert (await host.get(None, "real")).status == 404
            assert (await host.list(None)).names == []
            return
    assert (await host.get(None, "odd")).status == 404
    assert (await host.list(None)).names == ["real"]


async def test_what_is_no_post_is_for_nobody(host: Host, alice: Someone, bob: Someone) -> None:
    message = alice.message(b"secret", [alice, bob])
    for name, content in (
        ("plain", b"just text"),
        ("empty", b""),
        ("key", bytes(bob.account.certificate)),
        ("secret-key", alice.account.root.account_file.read_bytes()),
        ("cut", message[:50]),
        ("two", message + message),
        ("unsigned", b"\xcb\x08b\x00\x00\x00\x00\x00hi"),
    ):
        alice.own(name).write_bytes(content)
    for who in (None, bob):
        assert (await host.list(who)).names == []
        for name in ("plain", "empty", "key", "secret-key", "cut", "two", "unsigned"):
            assert (await host.get(who, name)).status == 404
    alice.own("account").write_bytes(alice.account.root.account_file.read_bytes())
    assert "account" not in (await host.list(alice)).names
    (alice.own("x").parent / "draft.txt").write_text("a plain draft")
    assert (await host.ask(alice, f"/p2p/{alice.fingerprint}/draft.txt")).status == 404


async def test_a_post_renamed_by_hand_is_not_published(host: Host, alice: Someone, bob: Someone) -> None:
    for name, readers in (("pub", PUBLIC), ("priv", audience(alice, bob))):
        alice.publish(name, b"x", readers).rename(alice.own(f"new-{name}"))
        alice.post(f"{name}.json", readers).rename(alice.own(f"new-{name}.json"))
    assert (await host.list(bob)).names == []
    for name in ("new-pub", "new-priv", "new-pub.json", "new-priv.json"):
        assert (await host.get(bob, name)).status == 404
        assert (await host.get(alice, name)).status == 200


async def test_a_private_post_without_its_envelope_is_not_served_as_public(
    host: Host, alice: Someone, bob: Someone
) -> None:
    private = alice.message(b"x", None, name="leak", audience=audience(alice, bob))
    alice.own("leak").write_bytes(private)
    for who in (None, bob):
        assert (await host.get(who, "leak")).status == 404


async def test_another_persons_signature_makes_nothing_public(
    host: Host, alice: Someone, bob: Someone
) -> None:
    alice.own("bobs").write_bytes(bob.message(b"x", None))
    assert (await host.get(None, "bobs")).status == 404


async def test_what_the_reference_writes_is_served(host: Host, alice: Someone, bob: Someone) -> None:
    alice.own("unbound").write_bytes(alice.message(b"x", [alice, bob]))
    alice.own("unbound-public").write_bytes(alice.message(b"x", None))
    assert set((await host.list(bob)).names) == {"unbound", "unbound-public"}
    assert (await host.list(None)).names == ["unbound-public"]


# --- versions ----------------------------------------------------------------------------------------------


async def test_versions_in_all_their_spellings(host: Host, alice: Someone, bob: Someone, path: Path) -> None:
    old = content_of(path)
    sha256 = hashlib.sha256(old).hexdigest()
    alice.publish("f.bin", b"newer", audience(alice, bob))
    new = content_of(path)
    for folder in ("version", "versions"):
        for ending in ("", ".pgp"):
            reply = await host.ask(bob, f"/p2p/{alice.fingerprint}/f.bin.pgp.{folder}/{sha256}{ending}")
            assert (reply.status, reply.body) == (200, old)
            assert reply.headers["ETag"] == f'"{sha256}"'
    current = version_path(alice.fingerprint, "f.bin.pgp", hashlib.sha256(new).hexdigest())
    assert (await host.ask(bob, current)).body == new
    part = await host.ask(bob, version_path(alice.fingerprint, "f.bin.pgp", sha256), {"Range": "bytes=1-3"})
    assert (part.status, part.body) == (206, old[1:4])


async def test_each_version_has_its_own_readers(
    host: Host, alice: Someone, bob: Someone, carol: Someone
) -> None:
    contents = []
    for readers in (PUBLIC, audience(alice, bob), audience(alice, carol)):
        contents.append(alice.publish("v", os.urandom(9), readers).read_bytes())
    for who, mine in ((None, {0}), (bob, {0, 1}), (carol, {0, 2}), (alice, {0, 1, 2})):
        for number, content in enumerate(contents):
            path = version_path(alice.fingerprint, "v.pgp", hashlib.sha256(content).hexdigest())
            assert (await host.ask(who, path)).status == (200 if number in mine else 404)


async def test_a_version_changed_by_hand_is_not_that_version(host: Host, alice: Someone) -> None:
    first = alice.publish("v", b"1", PUBLIC).read_bytes()
    alice.publish("v", b"2", PUBLIC)
    sha256 = hashlib.sha256(first).hexdigest()
    path = version_path(alice.fingerprint, "v.pgp", sha256)
    assert (await host.ask(None, path)).body == first
    [stored] = (alice.own("v").parent / "v.pgp.versions").iterdir()
    stored.write_bytes(alice.message(b"3", None))
    assert (await host.ask(None, path)).status == 404


async def test_versions_end_with_their_post(host: Host, alice: Someone) -> None:
    first = alice.publish("v", b"1", PUBLIC).read_bytes()
    alice.publish("v", b"2", PUBLIC)
    alice.own("v").unlink()
    path = version_path(alice.fingerprint, "v.pgp", hashlib.sha256(first).hexdigest())
    assert (await host.ask(None, path)).status == 404


async def test_a_large_public_post_of_another_program_is_proven_too(host: Host, alice: Someone) -> None:
    # Compressed by whoever wrote it, and larger than what is judged in memory.
    text = b"".join(b"%d " % number for number in range(4_000_000))
    alice.own("large").write_bytes(compressed(alice.message(text, None)))
    assert alice.own("large").stat().st_size > IN_MEMORY
    assert (await host.list(None)).names == ["large"]
    forged = alice.message(text, None)
    alice.own("forged").write_bytes(compressed(forged[:-1] + bytes([forged[-1] ^ 1])))
    assert (await host.get(None, "forged")).status == 404
    assert not list((alice.account.root.path / ".server").glob("tmp*"))


def compressed(message: bytes) -> bytes:
    """The same message in a compressed data packet (RFC 4880 section 5.6, zlib)."""
    body = b"\x02" + zlib.compress(message, 1)
    return b"\xc8\xff" + len(body).to_bytes(4, "big") + body


async def test_both_kinds_of_no_come_on_the_same_beat(
    host: Host, alice: Someone, bob: Someone, carol: Someone
) -> None:
    alice.publish("secret", os.urandom(50_000), audience(alice, bob))
    times: dict[str, list[float]] = {"secret": [], "missing": []}
    for _ in range(10):
        for name, took in times.items():
            reader, writer = await host.connect(carol)
            writer.write(f"GET /p2p/{alice.fingerprint}/{name}.pgp HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            started = time.perf_counter()
            assert b" 404 " in await reader.readline()
            took.append(time.perf_counter() - started)
            writer.close()
    assert min(times["secret"]) >= 0.004
    assert min(times["missing"]) >= 0.004


async def test_what_the_owner_cannot_open_is_for_its_recipients(
    host: Host, alice: Someone, bob: Someone, carol: Someone
) -> None:
    # As `gpg -s -e -r bob` makes it, which does not encrypt to the one who writes.
    alice.own("for-bob").write_bytes(bob.message(b"x", []))
    assert (await host.list(bob)).names == ["for-bob"]
    assert (await host.list(carol)).names == []
