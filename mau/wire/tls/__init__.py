"""Connections on which both ends have proven who they are (spec/tls.md). The only room that imports ssl.

Python's ``ssl`` cannot ask for a client certificate and accept one that no authority has signed. So the
contexts here are ``ssl.SSLContext`` for whoever holds them (asyncio, aiohttp), but the connections that they
wrap are driven by pyOpenSSL over the same two memory buffers::

    ciphertext from the socket -> incoming -> pyOpenSSL -> read()
    write() -> pyOpenSSL -> outgoing -> ciphertext to the socket

What is large leaves through an `Outlet`, from pyOpenSSL straight to the socket.
"""

from mau.wire.tls.connection import peer_certificate, peer_fingerprint, receive_little
from mau.wire.tls.contexts import (
    ALPN,
    TLSContext,
    client_context,
    server_context,
    web_client_context,
    web_server_context,
)
from mau.wire.tls.failures import IdentityRefused, identity_error
from mau.wire.tls.outlet import Outlet

__all__ = [
    "ALPN",
    "IdentityRefused",
    "Outlet",
    "TLSContext",
    "client_context",
    "identity_error",
    "peer_certificate",
    "peer_fingerprint",
    "receive_little",
    "server_context",
    "web_client_context",
    "web_server_context",
]
