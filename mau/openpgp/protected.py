"""The encrypted container of a message: SEIPD version 1 (RFC 4880 section 5.13), streaming both ways.

PGPy and pysequoia both do this in memory only, or without showing the signature inside. The primitives are
those of ``cryptography`` (AES in CFB mode, SHA-1 as the modification detection code that the format fixes);
gpg and pysequoia check in the tests what is written here, and the other way round.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from mau.errors import MalformedPost, NoIntegrity
from mau.openpgp.packets import CHUNK, Body

try:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # before cryptography 47 it stood among the ordinary modes
    from cryptography.hazmat.primitives.ciphers.modes import CFB

__all__ = ["CFB", "KEY_LENGTHS", "Unprotected", "chunks", "protect"]

_MDC_HEADER = b"\xd3\x14"
_MDC_LENGTH = 22
CAST5 = 3
KEY_LENGTHS = {CAST5: 16, 7: 16, 8: 24, 9: 32}
"""Ciphers that are read, by their number (RFC 4880 section 9.2), and the length of their keys in bytes.

CAST5 is what the older generation of the Go reference writes; only AES is ever written.
"""


def _cipher(number: int, key: bytes) -> tuple[Cipher[Any], int]:
    if number == CAST5:
        from cryptography.hazmat.decrepit.ciphers import algorithms as old

        return Cipher(old.CAST5(key), CFB(bytes(8))), 8
    return Cipher(AES(key), CFB(bytes(16))), 16


class Unprotected:
    """The plain packets inside a protected body; nothing is to be believed before ``finish`` returned."""

    def __init__(self, body: Body, number: int, key: bytes) -> None:
        """The version byte must have been read from ``body`` already."""
        cipher, self._block = _cipher(number, key)
        self._decrypt = cipher.decryptor()
        self._body = body
        self._hash = hashlib.sha1(usedforsecurity=False)
        self._held = b""
        self._prefix = self._block + 2
        self._ended = False

    def read(self, most: int) -> bytes:
        """Some plain bytes, none at the end; the last 22 bytes are kept back and checked at the end."""
        while not self._ended:
            sealed = self._body.some(max(most, _MDC_LENGTH))
            if not sealed:
                self._end()
                break
            held = self._held + self._decrypt.update(sealed)
            if self._prefix:
                if len(held) < self._prefix + _MDC_LENGTH:
                    self._held = held
                    continue
                self._hash.update(held[: self._prefix])
                held, self._prefix = held[self._prefix :], 0
            plain, self._held = held[:-_MDC_LENGTH], held[-_MDC_LENGTH:]
            if plain:
                self._hash.update(plain)
                return plain
        return b""

    def _end(self) -> None:
        self._ended = True
        if self._prefix or len(self._held) != _MDC_LENGTH:
            raise MalformedPost("the message is cut off")
        self._hash.update(_MDC_HEADER)
        fits = hmac.compare_digest(self._hash.digest(), self._held[2:])
        if self._held[:2] != _MDC_HEADER or not fits:
            raise NoIntegrity("the message was changed after it was encrypted")

    def finish(self) -> None:
        """Check that all was read and nothing was changed; MalformedPost, NoIntegrity."""
        if self.read(1):
            raise MalformedPost("something follows the message")


def protect(number: int, key: bytes, packets: Iterator[bytes]) -> Iterator[bytes]:
    """The body of a SEIPD version 1 packet around plain packets, in chunks."""
    cipher, block = _cipher(number, key)
    encrypt = cipher.encryptor().update
    prefix = os.urandom(block)
    prefix += prefix[-2:]
    digest = hashlib.sha1(prefix, usedforsecurity=False)
    yield b"\x01" + encrypt(prefix)
    for plain in packets:
        digest.update(plain)
        yield encrypt(plain)
    digest.update(_MDC_HEADER)
    yield encrypt(_MDC_HEADER + digest.digest())


def chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Everything that ``read`` gives, a chunk at a time."""
    while chunk := read(CHUNK):
        yield chunk
