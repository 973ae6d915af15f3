"""What each kind of connection is told before it begins: keys, versions, who is asked for a certificate."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from cryptography.x509 import load_der_x509_certificate
from OpenSSL import SSL, crypto

from mau.errors import ConfigError
from mau.fingerprint import Fingerprint
from mau.wire.identity import Identity, self_signed
from mau.wire.tls.connection import Connection

ALPN: Final = b"http/1.1"
_PARTIAL_WRITE: Final = 1  # SSL_MODE_ENABLE_PARTIAL_WRITE: a call for each record, where one does for many
TLSContext = ssl.SSLContext
"""For those who hold a context and have no other business with ``ssl``."""


def server_context(identity: Identity, addresses: Sequence[str] = ()) -> ssl.SSLContext:
    """Make the context of a server: it asks for a certificate, and a peer that shows none is anonymous.

    `addresses` ("HOST:PORT") are named in the certificate, for peers of the Go reference.
    """
    context = _Context(ssl.PROTOCOL_TLS_SERVER)
    context.prepare(_server_settings(identity, addresses), None)
    return context


def client_context(
    identity: Identity | None, expected: Fingerprint, addresses: Sequence[str] = ()
) -> ssl.SSLContext:
    """Make the context for connections to one peer; any other peer is refused before it learns who asks.

    `identity` None connects as a stranger. Contexts of one identity share what is costly to make, so make one
    for each expected peer: connections kept alive then never mix. `addresses` as of a server.
    """
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    context.prepare(_client_settings(identity, tuple(addresses)), expected)
    return context


def web_server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Make the context of a listener for browsers: ordinary TLS from 1.2 on; nobody is asked who he is.

    Both are files in PEM, and may be the same one. ConfigError when they are no certificate with its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([ALPN.decode()])
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        # An empty passphrase: else OpenSSL asks for one on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = "no certificate in PEM with its key, unlocked" if isinstance(error, ssl.SSLError) else error
        raise ConfigError(f"{str(certificate)!r} and {str(key)!r}: {reason}") from error
    return context


def web_client_context() -> ssl.SSLContext:
    """Make the context for a host on the web: the system's authorities say whether it is the one named."""
    return ssl.create_default_context()


class _Context(ssl.SSLContext):
    """A context that wraps with pyOpenSSL.

    What it inherits stays as strict as Python makes it and holds no certificate: whoever used another way of
    wrapping than ``wrap_bio`` would get no connection at all.
    """

    _settings: SSL.Context
    _expected: Fingerprint | None

    def prepare(self, settings: SSL.Context, expected: Fingerprint | None) -> None:
        self._settings = settings
        self._expected = expected

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Wrap one connection. Names prove nothing here and are not sent; no session is taken up again."""
        if server_side != (self.protocol == ssl.PROTOCOL_TLS_SERVER):
            raise ValueError("a context of a server serves servers only, and one of a client clients")
        return Connection(self, self._settings, self._expected, incoming, outgoing)


# --- what OpenSSL is told ----------------------------------------------------------------------------------


def _settings(method: int, identity: Identity | None, addresses: Sequence[str] = ()) -> SSL.Context:
    settings = SSL.Context(method)
    settings.set_min_proto_version(SSL.TLS1_3_VERSION)
    # Taking up an old session would skip the proof: none is kept. (OpenSSL still hands out tickets; they name
    # a session that nobody has.)
    settings.set_options(SSL.OP_NO_TICKET)
    settings.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    settings.set_mode(SSL.MODE_RELEASE_BUFFERS)  # an idle connection holds a quarter less memory
    settings.clear_mode(_PARTIAL_WRITE)
    # Every certificate passes here; Connection judges the leaf once its key is proven.
    settings.set_verify(SSL.VERIFY_PEER, _accept)
    settings.set_verify_depth(0)  # no work for what follows the leaf
    if identity is not None:
        settings.use_certificate(load_der_x509_certificate(self_signed(identity, addresses)))
        settings.use_privatekey(identity.private_key)
        settings.check_privatekey()
    return settings


def _server_settings(identity: Identity, addresses: Sequence[str]) -> SSL.Context:
    settings = _settings(SSL.TLS_SERVER_METHOD, identity, addresses)
    settings.set_alpn_select_callback(_choose_protocol)
    return settings


_known_clients: WeakKeyDictionary[Identity, dict[tuple[str, ...], SSL.Context]] = WeakKeyDictionary()
_MOST_KNOWN: Final = 8


def _client_settings(identity: Identity | None, addresses: tuple[str, ...]) -> SSL.Context:
    """Make what all clients of one identity share: its certificate costs a signature."""
    known = {} if identity is None else _known_clients.setdefault(identity, {})
    settings = known.get(addresses)
    if settings is None:
        settings = _settings(SSL.TLS_CLIENT_METHOD, identity, addresses)
        settings.set_alpn_protos([ALPN])
        if len(known) >= _MOST_KNOWN:  # whoever moves from network to network leaves addresses behind
            known.pop(next(iter(known)))
        known[addresses] = settings
    return settings


def _accept(
    _connection: SSL.Connection, _certificate: crypto.X509, _error: int, _depth: int, _ok: int
) -> bool:
    return True


def _choose_protocol(
    _connection: SSL.Connection, offered: list[bytes]
) -> bytes | SSL._NoOverlappingProtocols:
    # A client that offers others only is told nothing and may speak HTTP/1.1 all the same.
    return ALPN if ALPN in offered else SSL.NO_OVERLAPPING_PROTOCOLS
