"""TLS 1.3 by hand, as far as an attacker needs it: whoever writes every message himself may write wrong ones.

One suite (TLS_AES_128_GCM_SHA256) and one group (X25519). References are to RFC 8446.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import socket
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ALERT, HANDSHAKE, DATA = 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, ENCRYPTED_EXTENSIONS, CERTIFICATE = 1, 2, 8, 11
CERTIFICATE_REQUEST, CERTIFICATE_VERIFY, FINISHED = 13, 15, 20
ED25519, ECDSA_P256, RSA_PSS = 0x0807, 0x0403, 0x0804
SERVER_LABEL, CLIENT_LABEL = b"TLS 1.3, server CertificateVerify", b"TLS 1.3, client CertificateVerify"

_SUITE = bytes.fromhex("1301")
_GROUP = bytes.fromhex("001d")
_VERSION = bytes.fromhex("0304")


def vector(size: int, data: bytes) -> bytes:
    return len(data).to_bytes(size, "big") + data


def extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "big") + vector(2, data)


def _expand(secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
    """HKDF-Expand-Label (section 7.1), for at most one block."""
    info = size.to_bytes(2, "big") + vector(1, b"tls13 " + label) + vector(1, context) + b"\x01"
    return hmac.digest(secret, info, "sha256")[:size]


class Keys:
    """One direction's keys and counter of records."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self.cipher = AESGCM(_expand(secret, b"key", b"", 16))
        self.iv = int.from_bytes(_expand(secret, b"iv", b"", 12), "big")
        self.count = 0

    def nonce(self) -> bytes:
        self.count += 1
        return (self.iv ^ (self.count - 1)).to_bytes(12, "big")


class Handmade:
    """One end of a connection. ``seen`` holds (type, body) of every handshake message and piece of data."""

    def __init__(self, raw: socket.socket, *, server: bool) -> None:
        self.raw = raw
        self.file = raw.makefile("rb")
        self.server = server
        self.transcript = b""
        self.reading: Keys | None = None
        self.writing: Keys | None = None
        self.key = X25519PrivateKey.generate()
        self.share = self.key.public_key().public_bytes_raw()
        self.session_id = os.urandom(32)
        self.master = b""
        self.secrets: tuple[bytes, bytes] = (b"", b"")  # of the client, of the server

    # --- records -------------------------------------------------------------------------------------------

    def send(self, kind: int, data: bytes) -> None:
        if self.writing is not None:
            inner = data + bytes((kind,))
            head = bytes((DATA, 3, 3)) + (len(inner) + 16).to_bytes(2, "big")
            self.raw.sendall(head + self.writing.cipher.encrypt(self.writing.nonce(), inner, head))
        else:
            self.raw.sendall(bytes((kind, 3, 3)) + vector(2, data))

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Yield what the other end sends, as long as it makes sense."""
        with contextlib.suppress(OSError):
            while len(head := self.file.read(5)) == 5:
                kind, data = head[0], self.file.read(int.from_bytes(head[3:], "big"))
                if self.reading is not None and kind == DATA:
                    inner = self.reading.cipher.decrypt(self.reading.nonce(), data, head).rstrip(b"\0")
                    kind, data = inner[-1], inner[:-1]
                if kind == ALERT:
                    return
                if kind in {HANDSHAKE, DATA}:
                    yield kind, data

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """Yield handshake messages, as (type, body), and pieces of data, as (0, data)."""
        buffer = b""
        for kind, data in self.records():
            if kind == DATA:
                yield 0, data
                continue
            buffer += data
            while len(buffer) >= 4 and len(buffer) >= (end := 4 + int.from_bytes(buffer[1:4], "big")):
                message, buffer = buffer[:end], buffer[end:]
                self.transcript += message
                yield message[0], message[4:]

    # --- messages ------------------------------------------------------------------------------------------

    def say(self, kind: int, body: bytes) -> None:
        message = bytes((kind,)) + vector(3, body)
        self.transcript += message
        self.send(HANDSHAKE, message)

    def hash(self) -> bytes:
        return hashlib.sha256(self.transcript).digest()

    def greet(self, *, share: bytes | None = None, more: bytes = b"") -> None:
        """Say ClientHello, or ServerHello after the client's, and take up the keys of the handshake."""
        share = share or self.share
        if self.server:
            hello = next(body for kind, body in self.messages() if kind == CLIENT_HELLO)
            self.session_id = hello[35 : 35 + hello[34]]
            theirs = self._share_of(hello)
            extensions = extension(43, _VERSION) + extension(51, _GROUP + vector(2, share)) + more
            head = b"\x03\x03" + os.urandom(32) + vector(1, self.session_id) + _SUITE + b"\0"
            self.say(SERVER_HELLO, head + vector(2, extensions))
        else:
            schemes = b"".join(scheme.to_bytes(2, "big") for scheme in (ED25519, ECDSA_P256, RSA_PSS))
            extensions = (
                extension(43, vector(1, _VERSION))
                + extension(10, vector(2, _GROUP))
                + extension(51, vector(2, _GROUP + vector(2, share)))
                + extension(13, vector(2, schemes))
                + more
            )
            head = b"\x03\x03" + os.urandom(32) + vector(1, self.session_id) + vector(2, _SUITE) + b"\x01\0"
            self.say(CLIENT_HELLO, head + vector(2, extensions))
            answer = next(body for kind, body in self.messages() if kind == SERVER_HELLO)
            theirs = self._share_of(answer)
        try:
            common = self.key.exchange(X25519PublicKey.from_public_bytes(theirs))
        except ValueError:
            common = bytes(32)
        self._take_up(bytes(32) if share != self.share else common)

    def _share_of(self, hello: bytes) -> bytes:
        """Find the X25519 share: the group, the length 32, the share."""
        mark = _GROUP + b"\x00\x20"
        at = hello.index(mark) + len(mark)
        return hello[at : at + 32]

    def _take_up(self, common: bytes) -> None:
        empty = hashlib.sha256(b"").digest()
        early = hmac.digest(bytes(32), bytes(32), "sha256")
        secret = hmac.digest(_expand(early, b"derived", empty, 32), common, "sha256")
        self.master = hmac.digest(_expand(secret, b"derived", empty, 32), bytes(32), "sha256")
        client, server = (_expand(secret, label + b" hs traffic", self.hash(), 32) for label in (b"c", b"s"))
        self.secrets = (client, server)
        self.writing, self.reading = Keys(self.own(self.secrets)), Keys(self.others(self.secrets))

    def own(self, pair: tuple[bytes, bytes]) -> bytes:
        return pair[self.server]

    def others(self, pair: tuple[bytes, bytes]) -> bytes:
        return pair[not self.server]

    def data_secrets(self) -> tuple[bytes, bytes]:
        """Derive the secrets of the data: right after the server's Finished."""
        return (
            _expand(self.master, b"c ap traffic", self.hash(), 32),
            _expand(self.master, b"s ap traffic", self.hash(), 32),
        )

    def certificates(self, chain: list[bytes]) -> None:
        entries = b"".join(vector(3, der) + vector(2, b"") for der in chain)
        self.say(CERTIFICATE, vector(1, b"") + vector(3, entries))

    def content(self, *, label: bytes | None = None, digest: bytes | None = None) -> bytes:
        """Return what a CertificateVerify signs (section 4.4.3)."""
        label = label or (SERVER_LABEL if self.server else CLIENT_LABEL)
        return b" " * 64 + label + b"\0" + (digest or self.hash())

    def verify(self, signature: bytes, scheme: int = ED25519) -> None:
        self.say(CERTIFICATE_VERIFY, scheme.to_bytes(2, "big") + vector(2, signature))

    def signed(self, key: Any, **details: Any) -> None:
        self.verify(key.sign(self.content(**details)))

    def finished(self, *, wrong: bool = False) -> None:
        key = _expand(self.own(self.secrets), b"finished", b"", 32)
        self.say(FINISHED, hmac.digest(key, self.hash() + b"x" * wrong, "sha256"))
