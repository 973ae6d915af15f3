"""The listener for browsers: how it is reached, start and stop (spec/web.md W5-W9)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from mau.account import Account
from mau.errors import ConfigError
from mau.hostport import format_address, is_loopback, parse_web_listen
from mau.server.guard import Gate
from mau.server.listener import Listener
from mau.server.server import Server
from mau.web.app import WebApp
from mau.web.certificate import own_certificate
from mau.web.shelf import Shelf
from mau.wire.tls import web_server_context

_THREADS: Final = 2


class WebHost:
    """Shows the owner's public posts to browsers. `start`, `url`, `stop`; one start for each."""

    def __init__(
        self,
        account: Account,
        server: Server,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        plain: Literal["loopback", "anywhere"] = "loopback",
    ) -> None:
        """``certificate`` and ``key``: PEM files of the owner's. ``plain``: from where HTTP may be asked."""
        if (certificate is None) != (key is None):
            raise ConfigError("a certificate and its key belong together: set web.certificate and web.key")
        self._account = account
        self._files = certificate, key
        self._gate = server.gate
        self._plain = plain
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="mau-web")
        self._app = WebApp(Shelf(account, server.library), server.app, self._threads)
        self._listener: Listener | None = None
        self._scheme = ""

    async def start(self, where: str) -> None:
        """Listen at ``where``: HOST:PORT, or http://HOST:PORT without TLS. MauError when that fails."""
        scheme, (host, port) = parse_web_listen(where)
        if scheme == "http" and self._plain != "anywhere" and not is_loopback(host):
            raise ConfigError(
                f"http://{format_address((host, port))} would be plain HTTP on the network; leave out "
                "http://, or set web.plain to anywhere if a proxy in front of it does TLS"
            )
        context = None
        if scheme == "https":
            certificate, key = self._files
            if certificate is None or key is None:
                certificate = key = own_certificate(self._account.root, host)
            context = web_server_context(certificate, key)
        self._scheme = scheme
        self._listener = Listener(self._app, context, self._gate if context else _behind_proxy(self._gate))
        await self._listener.start(host, port)

    @property
    def url(self) -> str:
        """Where a browser finds it, while it listens."""
        if self._listener is None:
            return ""
        return f"{self._scheme}://{format_address(self._listener.address)}/"

    async def stop(self, grace: float = 5) -> None:
        """As `mau.server.server.Server.stop`."""
        if self._listener is not None:
            await self._listener.stop(grace)
        self._threads.shutdown(wait=False, cancel_futures=True)


def _behind_proxy(gate: Gate) -> Gate:
    """Limits where all visitors come from the address of a proxy, which sees to what a single one may."""
    limits = gate.limits
    shared = replace(
        limits,
        anonymous_address=limits.strangers,
        handshakes=limits.strangers,
        connections_per_address=limits.stranger_connections,
    )
    return Gate(shared, log=gate.log)
