"""The address book: where peers may be, and where they proved to be (spec/finding.md N1-N9).

Everybody uses it, so that the workers need not know each other; it knows none of them.
"""

from __future__ import annotations

from mau.addressbook.book import AddressBook
from mau.addressbook.known import (
    MAX_PER_PERSON,
    MAX_PER_SOURCE,
    MAX_ROUTES,
    MAX_STRANGERS,
    SOURCES,
    KnownAddress,
    Source,
    best_first,
    waits,
)
from mau.hostport import Address, format_address, parse_address

__all__ = [
    "MAX_PER_PERSON",
    "MAX_PER_SOURCE",
    "MAX_ROUTES",
    "MAX_STRANGERS",
    "SOURCES",
    "Address",
    "AddressBook",
    "KnownAddress",
    "Source",
    "best_first",
    "format_address",
    "parse_address",
    "waits",
]
