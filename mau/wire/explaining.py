"""What an exception of the libraries means: one of the three errors that a peer can be the cause of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from mau.errors import IdentityError, PeerMisbehaved, PeerUnreachable
from mau.wire.tls import identity_error


@contextmanager
def explaining() -> Iterator[None]:
    """Around what only talks to the peer: an error of the disk that takes a file must stay one."""
    try:
        yield
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise _explained(error) from error


def _explained(error: Exception) -> PeerUnreachable | PeerMisbehaved | IdentityError:
    """What an exception of the libraries means."""
    identity = identity_error(error)
    if identity is not None:
        return IdentityError(f"somebody else is there: {identity}", identity.there)
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.InvalidURL | ValueError) and not isinstance(
        error, OSError
    ):
        return PeerMisbehaved("it does not speak HTTP as it should")
    if isinstance(error, TimeoutError):
        return PeerUnreachable("no answer in time")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return PeerUnreachable("its host name is not known")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return PeerUnreachable("no secure connection: nobody whom this system trusts vouches for that host")
    if isinstance(error, aiohttp.ClientSSLError):
        return PeerUnreachable("no secure connection: the handshake failed")
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return PeerUnreachable(f"no connection: {os.strerror(number) if number else 'it failed'}")
    return PeerUnreachable("the connection was lost")
