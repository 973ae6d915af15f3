"""Pages over TLS: only of hosts that an authority of this system vouches for, and never on without it."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mau.errors import PeerMisbehaved, PeerUnreachable
from mau.imports.fetching import fetch
from mau.web.certificate import own_certificate
from tests.publish.world import World


@dataclass(frozen=True)
class Secure:
    url: str
    certificate: Path


@pytest.fixture
def secure(world: World) -> Iterator[Secure]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/away":
                self.send_response(301)
                self.send_header("Location", f"http://127.0.0.1:{server.server_port}/")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<p>here")

        def log_message(self, *_: object) -> None:
            pass

    certificate = own_certificate(world.alice.account.root, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign, misc] - who does not trust it hangs up
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Secure(f"https://127.0.0.1:{server.server_port}", certificate)
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_host_that_nobody_vouches_for_is_not_read(secure: Secure) -> None:
    with pytest.raises(PeerUnreachable, match="vouches"):
        asyncio.run(fetch(secure.url))


def test_one_that_somebody_vouches_for_is(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.certificate))
    assert asyncio.run(fetch(secure.url)).body == b"<p>here"
    with pytest.raises(PeerMisbehaved, match="from https to http"):
        asyncio.run(fetch(f"{secure.url}/away"))
