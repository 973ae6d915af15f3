"""A certificate for browsers: P-256, signed by itself (spec/web.md W6). It names nobody and proves nobody."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mau.errors import NoSuchPost, NotAFile
from mau.tree.layout import Root
from mau.tree.safe import read_bytes, write_bytes

_FILE: Final = "web.pem"
_LASTS: Final = timedelta(days=820)
"""Browsers take no longer ones."""
_RENEWED: Final = timedelta(days=180)
_LIMIT: Final = 64 * 1024


def own_certificate(root: Root, host: str, now: datetime | None = None) -> Path:
    """Where certificate and key lie, in one file; made when there is none for ``host`` that lasts a while."""
    now = now or datetime.now(UTC)
    path = root.state_dir("server") / _FILE
    if not _is_good(path, host, now):
        write_bytes(path, _make(host, now))
    return path


def _names(host: str) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    try:
        names.append(x509.IPAddress(ipaddress.ip_address(host)))
    except ValueError:
        if host and host != "localhost" and host.isascii():
            names.append(x509.DNSName(host))
    return names


def _is_good(path: Path, host: str, now: datetime) -> bool:
    try:
        data = read_bytes(path, _LIMIT)
        certificate = x509.load_pem_x509_certificate(data)
        key = load_pem_private_key(data, None)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (NoSuchPost, NotAFile, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    return (
        isinstance(key, ec.EllipticCurvePrivateKey)
        and key.public_key() == certificate.public_key()
        and list(names) == _names(host)
        and certificate.not_valid_before_utc <= now
        and now + _RENEWED < certificate.not_valid_after_utc
    )


def _make(host: str, now: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mau, public posts")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a visitor's clock may be behind
        .not_valid_after(now + _LASTS)
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM) + private
