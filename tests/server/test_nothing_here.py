"""What is not there and what is not for the visitor get the same bytes, and only posts are served at all."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from pathlib import Path

import pytest

from mau.content.binding import PUBLIC
from mau.wire.paths import file_path, version_path
from tests.server.world import Host, Someone, audience, serving

NOTHING = "0" * 64
CONDITIONS = {
    "If-Match": '"x"',
    "If-None-Match": "*",
    "If-Modified-Since": "nonsense",
    "If-Unmodified-Since": "Sun Nov  6 08:49:37 1994",
    "If-Range": '"x"',
    "Range": "bytes=999999999-",
}


def furnish(alice: Someone, bob: Someone, mallory: Someone) -> dict[str, str]:
    """Everything that Carol may not read, and what there is nothing of: a path for each kind."""
    for_bob = audience(alice, bob)
    old = alice.publish("for bob", b"1", for_bob).read_bytes()
    new = alice.publish("for bob", b"2" * 100_000, for_bob).read_bytes()
    mine = alice.own("x").parent
    (mine / "draft").write_bytes(b"a plain draft")
    (mine / "draft.pgp").write_bytes(b"a plain draft")
    alice.publish("real", b"x", PUBLIC)
    (mine / "link.pgp").symlink_to(mine / "real.pgp")
    (mine / "dangling.pgp").symlink_to(mine / "nowhere.pgp")
    os.mkfifo(mine / "fifo.pgp")
    (mine / "directory.pgp").mkdir()
    (mine / ".hidden.pgp").write_bytes(new)
    (mine / "upper.PGP").write_bytes((mine / "real.pgp").read_bytes())
    stolen = bob.message(b"x", [alice, bob])
    alice.holds(bob, "of bob", stolen)
    alice.holds(bob, "of bob, hidden", stolen, hidden=True)
    alice.holds(mallory, "of mallory", mallory.message(b"x", [alice, mallory]))
    me, hashes = alice.fingerprint, [hashlib.sha256(content).hexdigest() for content in (old, new)]
    # Of somebody whom the owner neither knows nor holds anything of.
    nobody = type(me)(hashlib.sha1(b"nobody", usedforsecurity=False).digest())
    return {
        "missing": file_path(me, "missing.pgp"),
        "not a recipient": file_path(me, "for bob.pgp"),
        "an older version, not a recipient": version_path(me, "for bob.pgp", hashes[0]),
        "the current version, not a recipient": version_path(me, "for bob.pgp", hashes[1]),
        "no such version": version_path(me, "for bob.pgp", NOTHING),
        "no such version of what is public": version_path(me, "real.pgp", NOTHING),
        "no such version of what is missing": version_path(me, "missing.pgp", NOTHING),
        "the keyring": file_path(me, "keyring.json.pgp"),
        "no message": file_path(me, "draft.pgp"),
        "a draft": f"/p2p/{me}/draft",
        "a link": file_path(me, "link.pgp"),
        "a link to nothing": file_path(me, "dangling.pgp"),
        "a pipe": file_path(me, "fifo.pgp"),
        "a directory": file_path(me, "directory.pgp"),
        "a hidden name": file_path(me, ".hidden.pgp"),
        "an unknown author": file_path(nobody, "missing.pgp"),
        "another author, not a recipient": file_path(bob.fingerprint, "of bob.pgp"),
        "a hidden author, not a recipient": file_path(bob.fingerprint, "of bob, hidden.pgp"),
        "another author, missing": file_path(bob.fingerprint, "missing.pgp"),
        "an author who is not relayed": file_path(mallory.fingerprint, "of mallory.pgp"),
        "a key file": f"/p2p/{me}/{bob.fingerprint}.pgp",
        "the account": f"/p2p/{me}/account.pgp",
        "another case of the ending": f"/p2p/{me}/upper.PGP",
        "another case of a name": file_path(me, "REAL.pgp"),
        "a dot after the name": f"/p2p/{me}/real.pgp.",
        "a space after the name": f"/p2p/{me}/real.pgp%20",
        "what lies beside the versions": f"/p2p/{me}/for%20bob.pgp.versions",
        "a path outside": "/etc/passwd",
        "a key of somebody else": f"/pks/lookup?op=get&search=0x{bob.fingerprint}",
        "a key of nobody": f"/pks/lookup?op=get&search=0x{nobody}",
    }


async def refusal(host: Host, who: Someone | None, path: str, headers: dict[str, str], method: str) -> bytes:
    raw = (await host.ask(who, path, headers, method)).raw
    assert raw.startswith(b"HTTP/1.1 404 "), (path, raw)
    return re.sub(rb"\r\nDate: [^\r]*", b"", raw)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_all_kinds_of_no_are_the_same_bytes(
    alice: Someone, bob: Someone, carol: Someone, mallory: Someone, method: str
) -> None:
    paths = furnish(alice, bob, mallory)
    async with serving(alice) as host:
        for who in (carol, mallory, None):
            answers = {
                (await refusal(host, who, path, headers, method)): kind
                for headers in ({}, CONDITIONS)
                for kind, path in paths.items()
                if str(who and who.fingerprint) not in path  # what oneself wrote is for oneself
            }
            assert len(answers) == 1, answers
        # The same paths are answered to those whom they are for, so the comparison above says something.
        for kind in (
            "not a recipient",
            "an older version, not a recipient",
            "another author, not a recipient",
        ):
            assert (await host.ask(bob, paths[kind], method=method)).status == 200


async def test_what_a_friend_got_a_moment_ago_is_at_hand_for_nobody_else(
    alice: Someone, bob: Someone, carol: Someone
) -> None:
    path = file_path(alice.fingerprint, "for bob.pgp")
    content = alice.publish("for bob", b"x", audience(alice, bob)).read_bytes()
    async with serving(alice) as host:
        missing = await refusal(host, carol, file_path(alice.fingerprint, "missing.pgp"), {}, "GET")
        for _ in range(3):
            assert (await host.ask(bob, path)).body == content
            for who in (carol, None):
                assert await refusal(host, who, path, {}, "GET") == missing
        alice.own("for bob").unlink()
        assert await refusal(host, bob, path, {}, "GET") == missing


async def test_only_regular_files_with_the_name_of_a_post_are_served(
    alice: Someone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = alice.publish("real", b"x", PUBLIC)
    content, mine = public.read_bytes(), public.parent
    (tmp_path / "outside.pgp").write_bytes(alice.publish("outside", b"y", PUBLIC).read_bytes())
    alice.own("outside").unlink()
    (mine / "linked.pgp").symlink_to(public)
    (mine / "to outside.pgp").symlink_to(tmp_path / "outside.pgp")
    os.mkfifo(mine / "fifo.pgp")
    (mine / "directory.pgp").mkdir()
    (mine / "directory.pgp" / "inside.pgp").write_bytes(content)
    (mine / "real.pgp.versions").mkdir()
    (mine / "real.pgp.versions" / f"{NOTHING}.pgp").symlink_to(public)
    monkeypatch.chdir(mine)
    with socket.socket(socket.AF_UNIX) as end:
        end.bind("socket.pgp")  # the path of a socket has at most 108 bytes
    names = ["linked", "to outside", "fifo", "directory", "socket"]
    try:
        os.mknod(mine / "device.pgp", 0o20600, os.makedev(1, 3))
        names.append("device")
    except OSError:
        pass  # only the superuser makes devices
    os.link(public, mine / "hard.pgp")
    async with serving(alice) as host:
        assert (await host.get(None, "real")).body == content
        for name in names:
            assert (await host.get(None, name)).status == 404
        assert (await host.ask(None, version_path(alice.fingerprint, "real.pgp", NOTHING))).status == 404
        # One file under two names is a file; that it states the other one makes it its author's alone.
        assert (await host.get(None, "hard")).status == 404
        assert (await host.get(alice, "hard")).body == content
        listed = (await host.list(alice)).names
        assert set(listed) & {*names, "real", "hard"} == {"real", "hard"}
        for trick in (
            "..%2freal.pgp", "%2e%2e/real.pgp", "./real.pgp", "real.pgp/", "directory.pgp/inside.pgp",
            "real.pgp%00", "real%2epgp%00.pgp", "//real.pgp", "real.pgp/.", "%5creal.pgp",
            "real.pgp;x", "re%61l.PGP",
        ):  # fmt: skip
            reply = await host.ask(alice, f"/p2p/{alice.fingerprint}/{trick}")
            assert reply.status in (400, 404), trick
        assert (await host.ask(alice, f"/p2p/{alice.fingerprint}/re%61l.pgp")).body == content


async def test_a_name_in_another_normal_form_is_another_name(alice: Someone) -> None:
    alice.publish("thé", b"x", PUBLIC)
    async with serving(alice) as host:
        assert (await host.get(None, "thé")).status == 200
        assert (await host.get(None, "the\u0301")).status == 404
