"""Friends, groups and known keys: who may read, and how that is known (spec/keyring.md)."""

from mau.keyring.differences import Difference
from mau.keyring.names import name_key
from mau.keyring.person import News, Person, describe_changes, plain_name
from mau.keyring.resolve import full_fingerprint
from mau.keyring.ring import Keyring

__all__ = [
    "Difference",
    "Keyring",
    "News",
    "Person",
    "describe_changes",
    "full_fingerprint",
    "name_key",
    "plain_name",
]
