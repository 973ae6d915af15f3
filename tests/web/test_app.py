"""A real listener, asked with curl: over HTTP, and over TLS with certificates that prove nobody."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from xml.etree import ElementTree

import pytest

from mau.content.binding import PUBLIC
from mau.errors import ConfigError
from mau.openpgp import Certificate
from mau.server.server import Server
from mau.server.visibility import Relay
from mau.web.host import WebHost
from mau.web.page import POLICY
from tests.server.world import Someone, audience

ATOM = "{http://www.w3.org/2005/Atom}"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Browser:
    url: str

    async def get(self, path: str, *words: str) -> Reply:
        return await asyncio.to_thread(self._get, path, words)

    def _get(self, path: str, words: tuple[str, ...]) -> Reply:
        shown = () if "-I" in words else ("-D", "-")
        command = ["curl", "-sSk", "--path-as-is", "--max-time", "20", *shown, *words, self.url + path]
        out = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
        head, _, body = out.partition(b"\r\n\r\n")
        status, _, fields = head.decode().partition("\r\n")
        return Reply(int(status.split()[1]), message_from_string(fields), body)


@asynccontextmanager
async def showing(
    owner: Someone, where: str = "http://127.0.0.1:0", relay: Relay = "friends", **options: Any
) -> AsyncIterator[Browser]:
    server = Server(owner.account, owner.keyring, relay=relay)
    host = WebHost(owner.account, server, **options)
    await server.start("127.0.0.1", 0)
    try:
        await host.start(where)
        yield Browser(host.url.removesuffix("/"))
    finally:
        await host.stop(1)
        await server.stop(1)


async def test_only_what_is_public_is_shown(alice: Someone, bob: Someone) -> None:
    alice.post("hello-everybody", PUBLIC)
    alice.post("hello-bob", audience(alice, bob))
    alice.publish("notes.txt", b"<b>words</b>", PUBLIC)
    alice.own("stripped").write_bytes(
        alice.message(b"secret", None, name="stripped", audience=audience(alice, bob))
    )
    alice.own("draft").write_text("plain")
    async with showing(alice) as browser:
        page = await browser.get("/")
        assert page.status == 200
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert page.headers["Content-Security-Policy"] == POLICY
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "hello-everybody" in page.text
        assert "&lt;b&gt;words" in page.text
        for word in ("hello-bob", "secret", "draft", "keyring"):
            assert word not in page.text
        listed = json.loads((await browser.get(f"/p2p/{alice.fingerprint}/index.json")).body)
        assert {item["name"] for item in listed} == {"hello-everybody.pgp", "notes.txt.pgp"}
        for name in ("hello-bob", "stripped", "draft", "nothing", "keyring.json"):
            missing = await browser.get(f"/posts/{name}.html")
            file = await browser.get(f"/p2p/{alice.fingerprint}/{name}.pgp")
            assert (missing.status, file.status) == (404, 404)
            assert b"secret" not in missing.body + file.body


async def test_each_post_has_a_page_with_its_document_and_its_file(alice: Someone) -> None:
    path = alice.post("hello ü?", PUBLIC)
    async with showing(alice) as browser:
        page = await browser.get("/posts/hello%20%C3%BC%3F.html")
        assert page.status == 200
        start = '<script type="application/ld+json">'
        [_, rest] = page.text.split(start)
        assert (
            json.loads(rest.partition("</script>")[0])["@id"]
            == f"mau:/p2p/{alice.fingerprint}/hello%20%C3%BC%3F.pgp"
        )
        file = await browser.get(f"/p2p/{alice.fingerprint}/hello%20%C3%BC%3F.pgp")
        assert file.body == path.read_bytes()
        part = await browser.get(f"/p2p/{alice.fingerprint}/hello%20%C3%BC%3F.pgp", "-r", "1-3")
        assert (part.status, part.body) == (206, path.read_bytes()[1:4])


async def test_a_removed_post_is_gone_at_once(alice: Someone) -> None:
    path = alice.post("short-lived", PUBLIC)
    async with showing(alice) as browser:
        assert (await browser.get("/posts/short-lived.html")).status == 200
        assert "short-lived" in (await browser.get("/")).text
        path.unlink()
        assert (await browser.get("/posts/short-lived.html")).status == 404
        assert (await browser.get(f"/p2p/{alice.fingerprint}/short-lived.pgp")).status == 404
        until = time.monotonic() + 10  # it says a second
        while "short-lived" in (await browser.get("/")).text:
            assert time.monotonic() < until


async def test_pages_are_newest_first_and_end(alice: Someone) -> None:
    for number in range(23):
        alice.post(f"number-{number}", PUBLIC)
    async with showing(alice) as browser:
        first, second = (await browser.get("/")).text, (await browser.get("/?page=2")).text
        assert first.count("<article>") == 20
        assert second.count("<article>") == 3
        assert (await browser.get("/index.html?page=1&x=y")).text == first
        for query in (
            "page=3",
            "page=0",
            "page=-1",
            "page=01",
            "page=x",
            "page=1&page=2",
            "page=",
            "&" * 40 + "page=2",
        ):
            assert (await browser.get(f"/?{query}")).status == 404
        feed = ElementTree.fromstring((await browser.get("/feed.atom")).body)  # noqa: S314 - our own
        times = [entry.findtext(f"{ATOM}updated") for entry in feed.findall(f"{ATOM}entry")]
        assert len(times) == 23
        assert times == sorted(times, key=str, reverse=True)


async def test_what_a_page_links_is_there(alice: Someone) -> None:
    alice.post("two words", PUBLIC)
    async with showing(alice) as browser:
        for page in ("/", "/posts/two%20words.html"):
            text = (await browser.get(page)).text
            links = [part.partition('"')[0] for part in text.split('href="')[1:]]
            assert links
            for link in links:
                assert (await browser.get(urljoin(page, link))).status == 200


async def test_the_key_is_the_owners(alice: Someone, bob: Someone) -> None:
    async with showing(alice) as browser:
        for path in ("/key.asc", f"/pks/lookup?op=get&search=0x{alice.fingerprint}"):
            reply = await browser.get(path)
            assert reply.headers["Content-Type"] == "application/pgp-keys"
            assert Certificate.parse(reply.body).fingerprint == alice.fingerprint
        assert (await browser.get(f"/pks/lookup?op=get&search=0x{bob.fingerprint}")).status == 404


async def test_nothing_of_others_is_shown_whatever_is_relayed(alice: Someone, bob: Someone) -> None:
    alice.holds(bob, "public", bob.message(b"x", None, name="public", audience=PUBLIC))
    async with showing(alice, relay="public") as browser:
        for path in ("", "/", "/index.json", "/public.pgp"):
            assert (await browser.get(f"/p2p/{bob.fingerprint}{path}")).status == 404


async def test_an_unbound_post_is_shown_and_not_offered_to_followers(alice: Someone) -> None:
    alice.own("old").write_bytes(alice.message(b"by another program", None))
    async with showing(alice) as browser:
        assert "by another program" in (await browser.get("/")).text
        assert (await browser.get(f"/p2p/{alice.fingerprint}/index.json")).body == b"[]"


async def test_tags_save_what_is_known(alice: Someone) -> None:
    alice.post("hello", PUBLIC)
    async with showing(alice) as browser:
        for path in ("/", "/posts/hello.html", "/feed.atom", "/key.asc"):
            tag = (await browser.get(path)).headers["ETag"]
            again = await browser.get(path, "-H", f"If-None-Match: {tag}")
            assert (again.status, again.body) == (304, b"")
            assert (await browser.get(path, "-H", f'If-Match: {tag[:-2]}x"')).status == 412


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "//",
        "/posts/",
        "/posts/..%2f..%2f.mau%2faccount.html",
        "/posts/../.mau/account.pgp",
        "/posts/%00.html",
        "/posts/%ff.html",
        "/posts/a/b.html",
        "/posts/.html",
        "/feed.atom/",
        "/.mau/account.pgp",
        "/p2p/x",
        "/%2e%2e/",
    ],
)
async def test_where_nothing_is_a_page_says_so(alice: Someone, path: str) -> None:
    async with showing(alice) as browser:
        reply = await browser.get(path)
        assert reply.status == 404
        assert reply.headers["Content-Security-Policy"] == POLICY
        assert b"Not found" in reply.body


async def test_other_methods_and_head(alice: Someone) -> None:
    alice.post("hello", PUBLIC)
    async with showing(alice) as browser:
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            reply = await browser.get("/", "-X", method)
            assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")
        get, head = await browser.get("/"), await browser.get("/", "-I")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == str(len(get.body))
        missing = await browser.get("/nothing", "-I")
        assert (missing.status, missing.body) == (404, b"")


# --- how it is reached -------------------------------------------------------------------------------------


async def test_over_tls_with_a_certificate_of_its_own_that_stays(alice: Someone) -> None:
    alice.post("hello", PUBLIC)
    made = alice.account.root.state_dir("server") / "web.pem"
    assert not made.exists()
    async with showing(alice, "127.0.0.1:0") as browser:
        assert browser.url.startswith("https://127.0.0.1:")
        assert "hello" in (await browser.get("/")).text
        first = made.read_bytes()
        assert made.stat().st_mode & 0o777 == 0o600
        # Whoever trusts this certificate reaches it without a warning.
        trusting = ["curl", "-sS", "--cacert", str(made), browser.url + "/"]
        done = await asyncio.to_thread(subprocess.run, trusting, capture_output=True, check=True, timeout=30)
        assert b"hello" in done.stdout
        port = browser.url.rpartition(":")[2]
        client = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-showcerts"]
        said = (
            await asyncio.to_thread(
                subprocess.run, client, input=b"", capture_output=True, check=False, timeout=30
            )
        ).stdout.decode()
        assert "prime256v1" in said or "P-256" in said or "EC" in said
        assert alice.fingerprint.hex not in said.lower()
        assert "No client certificate CA names sent" in said
    async with showing(alice, "127.0.0.1:0"):
        assert made.read_bytes() == first
    made.unlink()
    async with showing(alice, "127.0.0.1:0"):
        assert made.read_bytes() != first


@pytest.fixture
def owners(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that another program made, and its key."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        [
            *make,
            "-keyout",
            key,
            "-out",
            certificate,
            "-subj",
            "/CN=x",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
        timeout=30,
    )
    return certificate, key


async def test_over_tls_with_the_owners_certificate(alice: Someone, owners: tuple[Path, Path]) -> None:
    certificate, key = owners
    async with showing(alice, "https://127.0.0.1:0", certificate=certificate, key=key) as browser:
        trusting = ["curl", "-sSf", "--cacert", str(certificate), browser.url + "/"]
        await asyncio.to_thread(subprocess.run, trusting, capture_output=True, check=True, timeout=30)
    assert not (alice.account.root.state_dir("server") / "web.pem").exists()
    with pytest.raises(ConfigError, match="certificate"):
        async with showing(alice, "127.0.0.1:0", certificate=key, key=key):
            pass
    with pytest.raises(ConfigError, match="belong together"):
        WebHost(alice.account, Server(alice.account, alice.keyring), certificate=certificate)


@pytest.mark.parametrize(
    "where", ["http://0.0.0.0:0", "http://:0", "http://192.0.2.1:0", "http://[::]:0", "http://x.org:1"]
)
async def test_plain_http_stays_on_this_machine(alice: Someone, where: str) -> None:
    with pytest.raises(ConfigError, match="plain HTTP"):
        async with showing(alice, where):
            pass


async def test_plain_http_elsewhere_when_it_is_said(alice: Someone) -> None:
    async with showing(alice, "http://0.0.0.0:0", plain="anywhere") as browser:
        assert (await Browser(browser.url.replace("0.0.0.0", "127.0.0.1")).get("/")).status == 200  # noqa: S104
