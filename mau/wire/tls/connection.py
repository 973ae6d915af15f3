"""One connection: pyOpenSSL behind the face of ``ssl.SSLObject``.

OpenSSL proves that the other end has the key in its certificate; whose key that is, `mau.wire.identity`
decides, inside ``do_handshake()``, before anything is sent that answers the other end's proof.

Every failure is an ``ssl.SSLError`` (`mau.wire.tls.failures`).
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from typing import TYPE_CHECKING, Any, Final

from OpenSSL import SSL, crypto

from mau.errors import IdentityError
from mau.fingerprint import Fingerprint
from mau.wire.identity import fingerprint_and_key_of
from mau.wire.tls.failures import IdentityRefused, reasons, translated, want_read

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_RECORD: Final = 16 * 1024  # the most that one record of TLS holds
_CHUNK: Final = 64 * 1024  # what passes between the buffers at once: stays in the processor's cache
PORTION: Final = 6 * _RECORD
"""Bytes that are encrypted at once. For more, memory is mapped each time, which costs more than a cipher."""
_AROUND: Final = 1024  # more than six records have around them
_BAD_SIGNATURE: Final = "bad signature"  # SSL_R_BAD_SIGNATURE


def peer_fingerprint(transport: asyncio.BaseTransport | None) -> Fingerprint | None:
    """Tell who the other end of `transport` proved to be; None for a stranger (no certificate, or no TLS).

    Ask while the connection is open, best when it is made: of a closed one nothing is known any more.
    """
    try:
        connection = None if transport is None else transport.get_extra_info("ssl_object")
    except AttributeError:  # asyncio's TLS transport, closed twice
        return None
    return connection.peer if isinstance(connection, Connection) else None


def peer_certificate(transport: asyncio.BaseTransport | None) -> bytes | None:
    """The certificate (DER) of the other end of `transport`, once it proved to have its key; else None."""
    try:
        connection = None if transport is None else transport.get_extra_info("ssl_object")
    except AttributeError:
        return None
    if not isinstance(connection, Connection) or connection.peer is None:
        return None
    der: bytes | None = connection.getpeercert(binary_form=True)
    return der


def receive_little(transport: asyncio.BaseTransport, size: int) -> None:
    """Let a connection on which only small things come have ``size`` bytes to receive into.

    asyncio has 256 KiB of zeros ready for each connection, five times as much as all the rest that one needs
    while it waits. It offers no way to say so, hence this; where it keeps them otherwise, nothing happens.
    """
    protocol: Any = getattr(transport, "_ssl_protocol", None)
    if isinstance(getattr(protocol, "_ssl_buffer", None), bytearray):
        protocol.max_size = size
        protocol._ssl_buffer = bytearray(size)
        protocol._ssl_buffer_view = memoryview(protocol._ssl_buffer)


class Connection(ssl.SSLObject):
    """One connection over two memory buffers; what of ``ssl.SSLObject`` asyncio needs."""

    def __init__(
        self,
        context: ssl.SSLContext,
        settings: SSL.Context,
        expected: Fingerprint | None,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
    ) -> None:
        self._context = context
        self._expected = expected
        self._incoming = incoming
        self._outgoing = outgoing
        self._is_server = context.protocol == ssl.PROTOCOL_TLS_SERVER
        # Reading and writing before this is set would let OpenSSL finish a handshake that nobody judged.
        self._proven = False
        self._ended = False
        self._dry = False  # OpenSSL has read all that came: asking it again costs more than looking
        self._peer: Fingerprint | None = None
        self._certificate: bytes | None = None
        self._lent = False  # to an `Outlet`: what OpenSSL made goes out with `sealed()`, and no other way
        self._turn = threading.Lock()  # whose, while it is lent: OpenSSL allows one thread at a time
        self._tls = SSL.Connection(settings, None)
        if self._is_server:
            self._tls.set_accept_state()
        else:
            self._tls.set_connect_state()

    @property
    def peer(self) -> Fingerprint | None:
        """Who the other end proved to be; None for a stranger, and as long as nothing is proven."""
        return self._peer

    # --- handshake -----------------------------------------------------------------------------------------

    def do_handshake(self) -> None:
        """Go on with the handshake; SSLWantReadError when it needs more, IdentityRefused for a wrong peer."""
        while True:
            try:
                self._tls.do_handshake()
                break
            except SSL.WantReadError:
                if not self._pull():
                    # What waits here before the end is a greeting: certificates of clients go out at the end.
                    self._flush()
                    raise want_read() from None
            except SSL.Error as error:
                self._discard()
                if _BAD_SIGNATURE in reasons(error):
                    raise IdentityRefused(IdentityError("it does not have the key it shows")) from error
                raise translated(error) from error
        try:
            self._peer = self._prove()
        except IdentityError as error:
            self._discard()
            raise IdentityRefused(error) from error
        self._proven = True
        self._flush()

    def _prove(self) -> Fingerprint | None:
        """Say whose key the other end has proven to have (spec/tls.md T8-T14)."""
        leaf = self._tls.get_peer_certificate()
        if leaf is None:
            if self._is_server:
                return None
            raise IdentityError("it showed no certificate")
        try:
            der = crypto.dump_certificate(crypto.FILETYPE_ASN1, leaf)
            used = crypto.dump_publickey(crypto.FILETYPE_ASN1, leaf.get_pubkey())
        except (crypto.Error, SSL.Error, ValueError, TypeError) as error:
            raise IdentityError("its certificate cannot be read") from error
        found, key = fingerprint_and_key_of(der)
        # Two readers of one certificate: what was proven is the key that OpenSSL read.
        if key != used:
            raise IdentityError("its certificate can be read in two ways")
        if self._expected is not None and found != self._expected:
            raise IdentityError(f"it is {found}, not {self._expected}", found)
        self._certificate = der
        return found

    # --- data ----------------------------------------------------------------------------------------------

    def read(self, len: int = 1024, buffer: WriteableBuffer | None = None) -> Any:  # noqa: A002 - ssl's word
        """Return the data of one record at most, or fill `buffer` and return the count.

        Empty, or 0, is the peer's end of data. SSLWantReadError when nothing is there yet.
        """
        self._check_proven()
        if lent := self._lent:  # only then is another thread there
            self._turn.acquire()
        try:
            if self._dry and not self._pull():
                raise want_read()
            while True:
                try:
                    if buffer is None:
                        return self._tls.recv(min(len, _RECORD))
                    return self._tls.recv_into(buffer, min(len, _RECORD))
                except SSL.WantReadError:
                    if not self._pull():
                        self._flush()  # an answer to a change of keys
                        self._dry = True
                        raise want_read() from None
                except SSL.ZeroReturnError:
                    return b"" if buffer is None else 0
                except SSL.Error as error:
                    raise translated(error) from error
        finally:
            if lent:
                self._turn.release()

    def write(self, data: ReadableBuffer) -> int:
        """Encrypt all of `data`; the memory buffer takes everything, so nothing is ever left over."""
        self._check_proven()
        if self._lent:
            raise ssl.SSLError(ssl.SSL_ERROR_SSL, "the connection is lent")
        view = memoryview(data).cast("B")
        for start in range(0, view.nbytes, PORTION):
            self._outgoing.write(self._encrypt(view[start : start + PORTION]))
        return view.nbytes

    def unwrap(self) -> None:
        """Say the end, and wait for the peer's: SSLWantReadError until it came."""
        self._check_proven()
        with self._turn:
            try:
                while True:
                    try:
                        # One call says our end, a further one looks for the peer's.
                        if self._tls.shutdown() or self._tls.shutdown():
                            return
                    except SSL.WantReadError:
                        if not self._pull():
                            raise want_read() from None
            except SSL.Error as error:
                raise translated(error) from error
            finally:
                self._flush()

    def pending(self) -> int:
        """Count the bytes that can be read: decrypted ones, and ciphertext that has not been looked at."""
        with self._turn:
            return self._tls.pending() + self._incoming.pending

    # --- lent to an outlet ---------------------------------------------------------------------------------

    def lend(self) -> None:
        """From now on ciphertext is not put into the outgoing buffer, but waits for `sealed`."""
        self._check_proven()
        with self._turn:
            self._lent = True

    def give_back(self) -> None:
        """Ciphertext goes into the outgoing buffer again, what still waits with the next of it."""
        with self._turn:
            self._lent = False

    def sealed(self, data: memoryview) -> bytes:
        """Encrypt `data`, at most PORTION bytes, and return all ciphertext that there is. In any thread."""
        with self._turn:
            return self._encrypt(data)

    # --- what is known of it -------------------------------------------------------------------------------

    @property
    def context(self) -> ssl.SSLContext:  # type: ignore[override]
        return self._context

    @property
    def server_side(self) -> bool:
        return self._is_server

    def getpeercert(self, binary_form: bool = False) -> Any:
        """Return the peer's certificate in DER; otherwise an empty dict, for its words prove nothing."""
        if binary_form:
            return self._certificate
        return None if self._certificate is None else {}

    def cipher(self) -> tuple[str, str, int] | None:
        tls = self._tls
        name, version, bits = tls.get_cipher_name(), tls.get_cipher_version(), tls.get_cipher_bits()
        return None if name is None or version is None or bits is None else (name, version, bits)

    def version(self) -> str | None:
        return self._tls.get_protocol_version_name() if self._proven else None

    def selected_alpn_protocol(self) -> str | None:
        return self._tls.get_alpn_proto_negotiated().decode("ascii") or None

    def compression(self) -> None:
        return None

    # --- between the buffers -------------------------------------------------------------------------------

    def _check_proven(self) -> None:
        if not self._proven:
            raise ssl.SSLError(ssl.SSL_ERROR_SSL, "the handshake is not finished")

    def _pull(self) -> bool:
        """Hand ciphertext that came to OpenSSL; False when there is none."""
        data = self._incoming.read(_CHUNK)
        if data:
            self._tls.bio_write(data)
            self._dry = False
            return True
        if self._incoming.eof and not self._ended:
            self._ended = True
            self._dry = False
            self._tls.bio_shutdown()
            return True
        return False

    def _flush(self) -> None:
        """Hand ciphertext that OpenSSL made to the outgoing buffer."""
        if self._lent:
            return
        while data := self._made():
            self._outgoing.write(data)
            if len(data) < _CHUNK:
                return

    def _encrypt(self, data: memoryview) -> bytes:
        """Return `data`, at most PORTION bytes, as ciphertext, after what OpenSSL wanted to say already."""
        size = len(data) + _AROUND
        try:
            self._tls.sendall(data)
            made = self._tls.bio_read(size)
        except SSL.Error as error:
            raise translated(error) from error
        if len(made) < size:
            return made
        return b"".join([made, *iter(self._made, b"")])

    def _discard(self) -> None:
        """Forget what OpenSSL would send: a peer that is refused learns nothing more."""
        while self._made():
            pass

    def _made(self) -> bytes:
        try:
            return self._tls.bio_read(_CHUNK)
        except SSL.Error:  # nothing there
            return b""
