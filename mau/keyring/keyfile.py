"""Key files: somebody's public key, encrypted to the account and signed by it (spec/keyring.md K1)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from mau.errors import KeyRefused, KeyUnusable, OwnKey
from mau.fingerprint import Fingerprint

if TYPE_CHECKING:
    from mau.openpgp import Certificate, SecretKey

MAX_KEY_FILE = 1 << 21
"""Bytes of a key file that are read; larger ones are refused."""


def read_key_file(data: bytes, key: SecretKey, expected: Fingerprint) -> Certificate:
    """The certificate in the bytes of a key file.

    ProofError with the reason unless it is encrypted to us, signed by us, and holds exactly the certificate
    that the file's name says.
    """
    from mau.openpgp import Certificate, open_message

    if expected == key.fingerprint:
        raise OwnKey("your own key is nobody's key file")
    opened = open_message(data, key=key, author=key.anchor, limit=MAX_KEY_FILE)
    if not opened.encrypted or opened.data is None:
        raise KeyUnusable("it is not encrypted to you")
    certificate = Certificate.parse(opened.data)
    if certificate.fingerprint != expected:
        raise KeyRefused(f"it holds the key {certificate.fingerprint}, not the one in its name")
    return certificate


def key_file(certificate: Certificate, key: SecretKey) -> bytes:
    """The bytes of the key file of a certificate."""
    from mau.openpgp import write_message

    out = io.BytesIO()
    write_message(out, bytes(certificate), key=key, recipients=[key.anchor], for_owner=True)
    return out.getvalue()
