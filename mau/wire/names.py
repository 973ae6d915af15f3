"""What a certificate says of an address: the first of its subject alternative names (spec/tls.md).

Nothing here is proven. Peers of the Go reference write where they can be reached there, and so do we; the
one who reads it looks for himself who answers.
"""

from __future__ import annotations

from typing import Final

from mau.errors import AddressMalformed
from mau.hostport import Address, parse_address
from mau.wire.der import DerError, enter, read_certificate

_ALTERNATIVE_NAMES: Final = bytes.fromhex("0603551d11")  # the object identifier 2.5.29.17, with its tag
_SEQUENCE, _OCTETS, _EXTENSIONS, _DNS_NAME = 0x30, 0x04, 0xA3, 0x82
_LONGEST: Final = 300


def claimed_address(der: bytes) -> Address | None:
    """The address that a certificate names first, if the first name is one; None for anything else."""
    name = first_name(der)
    if name is None or ":" not in name:
        return None
    try:
        return parse_address(name)
    except AddressMalformed:
        return None


def first_name(der: bytes) -> str | None:
    """The first DNS name of a certificate; None when there is none, or it cannot be read."""
    try:
        rest = read_certificate(der).rest
        at, end = enter(rest, 0, len(rest), _EXTENSIONS)
        at, end = enter(rest, at, end, _SEQUENCE)
        while at < end:
            start, at = enter(rest, at, end, _SEQUENCE)
            if rest[start : start + len(_ALTERNATIVE_NAMES)] == _ALTERNATIVE_NAMES:
                return _first_of(rest, start + len(_ALTERNATIVE_NAMES), at)
    except (DerError, UnicodeError):
        pass
    return None


def _first_of(der: bytes, at: int, end: int) -> str | None:
    critical = b"\x01\x01\xff"
    if der[at : at + len(critical)] == critical:
        at += len(critical)
    at, end = enter(der, at, end, _OCTETS)
    at, end = enter(der, at, end, _SEQUENCE)
    while at < end:
        tag = der[at]
        start, at = enter(der, at, end, tag)
        if tag == _DNS_NAME:
            return der[start:at].decode("ascii") if at - start <= _LONGEST else None
    return None
