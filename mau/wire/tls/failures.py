"""What the failures of a connection mean, in the classes that asyncio and aiohttp know.

Every one is an ``ssl.SSLError``. A peer that is not who it should be is an `IdentityRefused`; libraries wrap
that into errors of their own, and `identity_error` finds it again.
"""

from __future__ import annotations

import ssl

from OpenSSL import SSL

from mau.errors import IdentityError


class IdentityRefused(ssl.SSLError):
    """The handshake ended because the peer is not who it should be; ``identity_error`` says why."""

    def __init__(self, error: IdentityError) -> None:
        super().__init__(ssl.SSL_ERROR_SSL, str(error))
        self.identity_error = error


def identity_error(error: BaseException) -> IdentityError | None:
    """Find the IdentityError behind an exception of asyncio or aiohttp; None when it was something else."""
    seen: set[int] = set()
    rest: BaseException | None = error
    while rest is not None and id(rest) not in seen:
        seen.add(id(rest))
        if isinstance(rest, IdentityRefused):
            return rest.identity_error
        if isinstance(rest, IdentityError):
            return rest
        # Not its context: what went wrong earlier, at another address, is not why this failed.
        rest = getattr(rest, "os_error", None) or rest.__cause__
    return None


def want_read() -> ssl.SSLWantReadError:
    """What says that more has to come first."""
    return ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "more of the connection is needed")


def translated(error: SSL.Error) -> ssl.SSLError:
    """Put an error of pyOpenSSL into the classes that asyncio and aiohttp know."""
    if isinstance(error, SSL.ZeroReturnError):
        return ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "the peer ended the connection")
    if isinstance(error, SSL.SysCallError):
        return ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "the connection ended in the middle")
    return ssl.SSLError(ssl.SSL_ERROR_SSL, ", ".join(reasons(error)) or "TLS failed")


def reasons(error: SSL.Error) -> list[str]:
    """List OpenSSL's own words for what went wrong; nothing in them comes from the peer."""
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return [str(entry[-1]) for entry in queue]
