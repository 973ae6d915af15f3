"""The keyring statement: who my friends are, what I call them, where they belong (spec/keyring.md K2). Pure.

A JSON-LD document for me alone. A key file makes somebody a friend or a member only when it stands in here.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mau.errors import InvalidFingerprint, KeyringDamaged, UsageError
from mau.fingerprint import Fingerprint
from mau.keyring.names import check_stated_name, name_key
from mau.tree.names import KEYRING_NAME, KNOWN_GROUP

FRIENDS = ""
"""The place of a friend's key file that lies directly in ``.mau/``."""
KNOWN = KNOWN_GROUP
"""The place of keys that are held to verify with; no group."""

_CONTEXT = "https://schema.org"
_TYPE = "https://mau.invalid/ns#Keyring"
_CONTENT = "https://mau.invalid/ns#keyring"
_SHA256 = re.compile(r"[0-9a-f]{64}")
MAX_COUNTER = 1 << 52
"""No counter gets so far; any program reads it as a whole number."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One person: the key that was confirmed (binary) and the key file at each place.

    `places` maps "" (friend), a group, or "known" to the sha256 of the key file there, in hex. `reported` is
    the key with what its owner published since and nobody confirmed yet (K11), empty when that is nothing.
    """

    fingerprint: Fingerprint
    local_name: str
    key: bytes = field(repr=False)
    places: Mapping[str, str]
    reported: bytes = field(default=b"", repr=False)

    @property
    def is_friend(self) -> bool:
        """Stated as a friend: anywhere else than among the known keys."""
        return any(place != KNOWN for place in self.places)


@dataclass(frozen=True, slots=True)
class Statement:
    """Everybody who was confirmed. The counter grows by one with each change; 0 = there is none yet."""

    counter: int = 0
    entries: Mapping[Fingerprint, Entry] = field(default_factory=dict)

    def changed(self, entries: Iterable[Entry], *, above: int = 0) -> Statement:
        """The next statement; its counter is higher than this one's and than `above`."""
        kept = {entry.fingerprint: entry for entry in entries if entry.places}
        return Statement(max(self.counter, above) + 1, kept)


def dump(statement: Statement, own: Fingerprint) -> bytes:
    """The document that is signed, encrypted to `own` alone and stored as the tree's `KEYRING_NAME`."""
    me = f"mau:/p2p/{own.hex}"
    people = [
        {
            "fingerprint": entry.fingerprint.hex,
            "name": entry.local_name,
            "key": base64.b64encode(entry.key).decode("ascii"),
            "places": dict(sorted(entry.places.items())),
            **({"reported": base64.b64encode(entry.reported).decode("ascii")} if entry.reported else {}),
        }
        for entry in sorted(statement.entries.values(), key=lambda entry: entry.fingerprint)
    ]
    document = {
        "@context": _CONTEXT,
        "@id": f"{me}/{KEYRING_NAME}",
        "@type": _TYPE,
        "audience": [{"@id": me}],
        _CONTENT: {"@type": "@json", "@value": {"counter": statement.counter, "people": people}},
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def load(data: bytes, own: Fingerprint) -> Statement:
    """Read what `dump` wrote for the same account; KeyringDamaged for anything else."""
    me = f"mau:/p2p/{own.hex}"
    try:
        document = json.loads(data)
        if document["@id"] != f"{me}/{KEYRING_NAME}" or document["audience"] != [{"@id": me}]:
            raise KeyringDamaged("the keyring statement was written for another place or audience")
        if document["@type"] != _TYPE:
            raise KeyringDamaged("the file in the keyring statement's place is no keyring statement")
        content = document[_CONTENT]["@value"]
        counter = content["counter"]
        entries = [_entry(item, own) for item in content["people"]]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise KeyringDamaged(f"the keyring statement cannot be read ({type(error).__name__})") from None
    except (UsageError, InvalidFingerprint) as error:
        raise KeyringDamaged(f"the keyring statement cannot be read ({error})") from None
    if type(counter) is not int or not 0 < counter <= MAX_COUNTER:
        raise KeyringDamaged("the keyring statement has no counter")
    by_fingerprint = {entry.fingerprint: entry for entry in entries}
    names = {name_key(entry.local_name) for entry in entries}
    if len(by_fingerprint) != len(entries) or len(names) != len(entries):
        raise KeyringDamaged("the keyring statement names somebody twice")
    return Statement(counter, by_fingerprint)


def _entry(item: Any, own: Fingerprint) -> Entry:
    fingerprint = Fingerprint.parse(item["fingerprint"])
    if fingerprint == own:
        raise ValueError("own key")
    places = item["places"]
    if not isinstance(places, dict) or not places:
        raise ValueError("places")
    for sha256 in places.values():
        if not _SHA256.fullmatch(sha256):
            raise ValueError("sha256")
    key = base64.b64decode(item["key"], validate=True)
    reported = base64.b64decode(item.get("reported", ""), validate=True)
    return Entry(fingerprint, check_stated_name(item["name"]), key, places, reported)
