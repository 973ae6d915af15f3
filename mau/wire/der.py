"""Read from a certificate the two fields that an identity is made of, and nothing else (X.690, RFC 5280).

A reader of our own because the bytes come from strangers before anything is proven: it accepts DER only,
follows no extension, and neither warns nor logs, whatever the certificate holds.
"""

from __future__ import annotations

import re
from calendar import timegm
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

MAX_CERTIFICATE: Final = 64 * 1024

_INTEGER, _UTC_TIME, _GENERALIZED_TIME, _SEQUENCE, _VERSION = 0x02, 0x17, 0x18, 0x30, 0xA0
_TIMES: Final = {
    _UTC_TIME: re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z"),
    _GENERALIZED_TIME: re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z"),
}
_SHORTEST: Final = 2  # a tag and a length
_LONG_LENGTH: Final = 0x80
_CENTURY_TURN: Final = 50  # RFC 5280 section 4.1.2.5.1: years of two digits from 50 on are of the 1900s


class DerError(ValueError):
    """Not a certificate in DER."""


@dataclass(frozen=True, slots=True)
class CertificateFields:
    """What counts: NotBefore in Unix seconds (may be negative), and the whole SubjectPublicKeyInfo.

    ``rest``: the bytes after that, extensions among them, unread; no identity is made of them.
    """

    not_before: int
    public_key_info: bytes
    rest: bytes = field(default=b"", compare=False)


def read_certificate(der: bytes) -> CertificateFields:
    """Walk to NotBefore and SubjectPublicKeyInfo. Raises DerError, and nothing else, for what is not DER."""
    if len(der) > MAX_CERTIFICATE:
        raise DerError("too long")
    certificate, end = enter(der, 0, len(der), _SEQUENCE)
    if end != len(der):
        raise DerError("something follows it")
    at, end = enter(der, certificate, end, _SEQUENCE)
    if der[at : at + 1] == bytes((_VERSION,)):
        at = enter(der, at, end, _VERSION)[1]
    at = enter(der, at, end, _INTEGER)[1]  # serial
    at = enter(der, at, end, _SEQUENCE)[1]  # signature algorithm
    at = enter(der, at, end, _SEQUENCE)[1]  # issuer
    validity, at = enter(der, at, end, _SEQUENCE)
    not_before = _time(der, validity, at)
    at = enter(der, at, end, _SEQUENCE)[1]  # subject
    key_end = enter(der, at, end, _SEQUENCE)[1]
    return CertificateFields(not_before, der[at:key_end], der[key_end:end])


def enter(der: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Return where the content of the element at `at` begins and ends; `tag` and `end` have to hold."""
    if end - at < _SHORTEST:
        raise DerError("it ends too early")
    if der[at] != tag:
        raise DerError("its fields are not those of a certificate")
    length = der[at + 1]
    start = at + 2
    if length >= _LONG_LENGTH:
        size = length - _LONG_LENGTH
        length = int.from_bytes(der[start : start + size], "big")
        # One way to write each length: no indefinite ones, none longer than needed.
        if size == 0 or length < _LONG_LENGTH or der[start] == 0:
            raise DerError("a length is not DER")
        start += size
    if length > end - start:
        raise DerError("it ends too early")
    return start, start + length


def _time(der: bytes, at: int, end: int) -> int:
    tag = der[at] if at < end else 0
    pattern = _TIMES.get(tag)
    if pattern is None:
        raise DerError("its NotBefore is not a time")
    start, stop = enter(der, at, end, tag)
    match = pattern.fullmatch(der[start:stop])
    if match is None:
        raise DerError("its NotBefore is not a time")
    year, month, day, hour, minute, second = (int(part) for part in match.groups())
    if tag == _UTC_TIME:
        year += 1900 if year >= _CENTURY_TURN else 2000
    try:
        return timegm(datetime(year, month, day, hour, minute, second).timetuple())
    except ValueError as error:
        raise DerError("its NotBefore is not a time") from error
