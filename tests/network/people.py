"""Accounts on hosts of a network, friends of each other, and `mau up` on them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable

from mau.account import Account
from mau.addressbook import AddressBook, KnownAddress
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.publish import publish_document
from tests.network.netns import Host
from tests.network.process import PATIENCE, Process


class Person:
    """Somebody with an account on a host. ``settings`` are lines of the configuration."""

    def __init__(self, host: Host, *settings: str) -> None:
        self.host = host
        self.account: Account = host.account()
        self.keyring = Keyring.load(self.account)
        self.settings(*settings)

    def settings(self, *lines: str) -> None:
        """Replace the configuration: each line ``TABLE.NAME = VALUE``."""
        place = self.host.home / "config" / "mau" / "config.toml"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("".join(f"{line}\n" for line in lines))
        place.chmod(0o600)

    @property
    def fpr(self) -> Fingerprint:
        return self.account.fingerprint

    def knows(self, *others: Person) -> None:
        """Make them friends, and follow them. Nothing is said of where they are."""
        for other in others:
            self.keyring.add(other.account.certificate, other.host.name)
            self.account.root.follow(other.fpr)

    def post(self, name: str, *to: Person) -> None:
        """Publish a few words for some friends."""
        audience = frozenset([self.fpr, *(one.fpr for one in to)])
        document = {"@type": "SocialMediaPosting", "articleBody": name}
        publish_document(self.account, self.keyring, document, f"{name}.json.pgp", audience)

    def has(self, author: Person, name: str) -> bool:
        return (self.account.root.author_dir(author.fpr) / f"{name}.json.pgp").exists()

    def up(self, *words: str) -> Process:
        """Start `mau up`; it is serving when this returns."""
        process = self.begin(*words)
        served(process)
        return process

    def begin(self, *words: str) -> Process:
        """Start `mau up`."""
        return self.host.start_mau("up", *words)

    def proven(self, other: Person) -> list[KnownAddress]:
        """Where that person proved to be, as the address book of this one has it."""
        with contextlib.closing(AddressBook(self.account.root)) as book:
            return [one for one in book.known(other.fpr) if one.last_proven is not None]


def served(process: Process) -> int:
    """Wait until `mau up` says where it listens; the port."""
    return int(process.expect(r":(\d+) [0-9a-f]{40}$")[1])


def friends(people: Iterable[Person]) -> None:
    """Make all of them friends of each other."""
    people = list(people)
    for one in people:
        one.knows(*(other for other in people if other is not one))


def until(holds: object, what: str, timeout: float = PATIENCE) -> float:
    """Wait until ``holds()`` is true; the seconds that it took."""
    assert callable(holds)
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < timeout, f"not in {timeout} s: {what}"
        time.sleep(0.02)
    return time.monotonic() - began
