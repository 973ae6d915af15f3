"""Friends for the tests of commands."""

from __future__ import annotations

from pathlib import Path

from mau.openpgp import Certificate, SecretKey


def key_of(name: str) -> Certificate:
    """Somebody new."""
    return SecretKey.generate(name, f"{name.split(maxsplit=1)[0].lower()}@example.org").certificate


def write_key(directory: Path, certificate: Certificate) -> Path:
    """The armored key as a file."""
    path = directory / f"{certificate.fingerprint}.asc"
    path.write_text(certificate.armored())
    return path
