"""Following somebody over the ordinary web: signatures prove what no host does."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mau.content.binding import PUBLIC
from mau.errors import AddressMalformed, PeerMisbehaved, PeerUnreachable
from mau.hostport import is_site, parse_site
from mau.syncer import Syncer, SyncReport
from mau.tree.posts import AuthorDir
from mau.web.shelf import Shelf, library_for
from mau.web.site import export_site
from mau.wire.client import Timeouts
from mau.wire.listing import Item, dump_listing
from tests.server.world import Someone, audience
from tests.web.test_app import showing


@pytest.fixture
def www(alice: Someone, tmp_path: Path) -> Callable[[], Path]:
    def export() -> Path:
        with library_for(alice.account, alice.keyring) as library:
            export_site(Shelf(alice.account, library), tmp_path / "www" / "~alice")
        return tmp_path / "www"

    return export


@contextmanager
def plain_server(directory: Path) -> Iterator[str]:
    """A web server that knows nothing of Mau."""
    command = [
        sys.executable,
        "-u",
        "-m",
        "http.server",
        "--bind",
        "127.0.0.1",
        "--directory",
        str(directory),
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().decode().split(" port ")[1].split()[0]
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


async def sync(who: Someone, author: Someone, site: str, **options: Any) -> SyncReport:
    who.account.root.follow(author.fingerprint)
    syncer = Syncer(who.account, who.keyring, timeouts=Timeouts(2, 2, 2))
    try:
        return await syncer.sync(author.fingerprint, site=site, **options)
    finally:
        syncer.close()


def held(who: Someone, author: Someone) -> dict[str, bytes]:
    posts = AuthorDir(who.account.root, author.fingerprint)
    return {name: (posts.path / name).read_bytes() for name in posts.names()}


async def test_from_static_files_of_any_web_server(
    alice: Someone, bob: Someone, www: Callable[[], Path]
) -> None:
    first, second = alice.post("hello ü?#", PUBLIC), alice.publish("notes.txt", b"words", PUBLIC)
    alice.post("for-bob", audience(alice, bob))
    with plain_server(await asyncio.to_thread(www)) as url:
        report = await sync(bob, alice, f"{url}/~alice/")
        assert report.whole
        assert report.site == f"{url}/~alice/"
        assert held(bob, alice) == {"hello ü?#.pgp": first.read_bytes(), "notes.txt.pgp": second.read_bytes()}
        again = await sync(bob, alice, f"{url}/~alice")
        assert (again.same, again.fetched, again.whole) == (2, [], True)
        old = first.read_bytes()
        alice.publish("notes.txt", b"other words", PUBLIC)
        await asyncio.to_thread(www)
        assert (await sync(bob, alice, f"{url}/~alice/")).fetched == ["notes.txt.pgp"]
        assert held(bob, alice) == {"hello ü?#.pgp": old, "notes.txt.pgp": second.read_bytes()}


async def test_from_the_listener_over_tls_that_the_system_trusts(
    alice: Someone, bob: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = alice.post("hello", PUBLIC)
    async with showing(alice, "127.0.0.1:0") as browser:
        strange = await sync(bob, alice, browser.url)
        assert isinstance(strange.problem, PeerUnreachable)
        assert "vouches" in str(strange.problem)
        assert held(bob, alice) == {}
        monkeypatch.setenv("SSL_CERT_FILE", str(alice.account.root.state_dir("server") / "web.pem"))
        assert (await sync(bob, alice, browser.url)).whole
        assert held(bob, alice) == {"hello.pgp": path.read_bytes()}
        elsewhere = await sync(bob, alice, browser.url.replace("127.0.0.1", "127.0.0.2"))
        assert isinstance(elsewhere.problem, PeerUnreachable)


# --- hosts that lie ----------------------------------------------------------------------------------------


@asynccontextmanager
async def lying(
    author: Someone, files: dict[str, bytes], **answers: web.StreamResponse
) -> AsyncIterator[str]:
    """A host that offers these files as the author's; ``answers`` by the last part of the path instead."""
    import hashlib

    items = [Item(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()]

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        last = request.path.rpartition("/")[2]
        if last.partition(".")[0] in answers:
            return answers[last.partition(".")[0]]
        if last == "index.json":
            return web.Response(body=dump_listing(author.fingerprint, items))
        return web.Response(body=files[last]) if last in files else web.Response(status=404)

    server = web.Server(answer)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_only_what_says_that_it_is_public_is_taken(
    alice: Someone, bob: Someone, carol: Someone
) -> None:
    files = {
        "good.pgp": alice.message(b"x", None, name="good", audience=PUBLIC),
        "unbound.pgp": alice.message(b"x", None),
        "unbound-for-bob.pgp": alice.message(b"x", [alice, bob]),
        "for-bob.pgp": alice.message(b"x", [alice, bob], name="for-bob", audience=audience(alice, bob)),
        "stripped.pgp": alice.message(b"x", None, name="stripped", audience=audience(alice, bob)),
        "renamed.pgp": alice.message(b"x", None, name="other", audience=PUBLIC),
        "by-carol.pgp": carol.message(b"x", None, name="by-carol", audience=PUBLIC),
        "noise.pgp": b"noise",
    }
    async with lying(alice, files) as site:
        report = await sync(bob, alice, site)
    assert held(bob, alice).keys() == {"good.pgp"}
    kinds = {trouble.name: trouble.kind for trouble in report.refused + report.deferred + report.failed}
    assert kinds.pop("by-carol.pgp") in ("UnknownSigner", "BadSignature")
    assert kinds == {
        "unbound.pgp": "UnboundFromRelay",
        "unbound-for-bob.pgp": "UnboundFromRelay",
        "for-bob.pgp": "UnboundFromRelay",
        "stripped.pgp": "Leaked",
        "renamed.pgp": "Renamed",
        "noise.pgp": "MalformedPost",
    }


async def test_an_older_content_replaces_nothing(alice: Someone, bob: Someone) -> None:
    path = alice.publish("notes.txt", b"first", PUBLIC)
    old = path.read_bytes()
    alice.publish("notes.txt", b"second", PUBLIC)
    new = path.read_bytes()
    async with lying(alice, {"notes.txt.pgp": new}) as site:
        await sync(bob, alice, site)
    async with lying(alice, {"notes.txt.pgp": old}) as site:
        report = await sync(bob, alice, site)
    assert [trouble.kind for trouble in report.refused] == ["RolledBack"]
    assert held(bob, alice) == {"notes.txt.pgp": new}


async def test_redirects_and_nonsense_end_it(alice: Someone, bob: Someone) -> None:
    good = {"good.pgp": alice.message(b"x", None, name="good", audience=PUBLIC)}
    async with lying(alice, good) as true_site:
        for wrong in (
            web.Response(status=302, headers={"Location": f"{true_site}p2p/{alice.fingerprint}/index.json"}),
            web.Response(status=404),
            web.Response(body=b"<html>"),
            web.Response(body=json.dumps({"a": 1}).encode()),
            web.Response(body=b"[]", headers={"Content-Encoding": "gzip"}),
        ):
            async with lying(alice, good, index=wrong) as site:
                report = await sync(bob, alice, site)
            assert isinstance(report.problem, PeerMisbehaved)
        redirected = web.Response(
            status=302, headers={"Location": f"{true_site}p2p/{alice.fingerprint}/good.pgp"}
        )
        async with lying(alice, good, good=redirected) as site:
            report = await sync(bob, alice, site)
        assert [trouble.kind for trouble in report.failed] == ["PeerMisbehaved"]
    assert held(bob, alice) == {}


# --- addresses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "site"),
    [
        ("https://example.org", "https://example.org/"),
        (" https://example.org:8443/~alice/mau ", "https://example.org:8443/~alice/mau/"),
        ("HTTPS://example.org/a%20b/", "HTTPS://example.org/a%20b/"),
        ("https://[2001:db8::1]/", "https://[2001:db8::1]/"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("http://localhost/x", "http://localhost/x/"),
        ("http://[::1]:80/", "http://[::1]:80/"),
    ],
)
def test_addresses_of_the_web(text: str, site: str) -> None:
    assert is_site(text)
    assert parse_site(text) == site


@pytest.mark.parametrize(
    "text",
    [
        "http://example.org/",
        "http://127.0.0.1.example.org/",
        "http://192.0.2.1/",
        "https://",
        "https:///x",
        "https://user@example.org/",
        "https://user:secret@example.org/",
        "https://example.org/?x",
        "https://example.org/#x",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://example.org/a b",
        "https://example.org/%zz",
        "https://example.org\\@127.0.0.1/",
        "ftp://example.org/",
        "example.org:8880",
    ],
)
def test_what_is_no_address_of_the_web(text: str) -> None:
    with pytest.raises(AddressMalformed):
        parse_site(text)
