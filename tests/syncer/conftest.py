"""Alice and Bob, who are friends, and Carol, who is a friend of both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mau.account import Account
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from tests.syncer.peers import Person


@pytest.fixture(scope="session")
def keys() -> dict[str, SecretKey]:
    return {
        name: SecretKey.generate(name, f"{name}@example.org") for name in ("alice", "bob", "carol", "eve")
    }


@pytest.fixture
def person(tmp_path: Path, keys: dict[str, SecretKey]) -> Callable[[str], Person]:
    def make(name: str) -> Person:
        account = Account(Root(tmp_path / name), keys[name])
        account.root.ensure()
        account.root.author_dir(account.fingerprint).mkdir(mode=0o700)
        return Person(account, Keyring.load(account))

    return make


@pytest.fixture
def alice(person: Callable[[str], Person]) -> Person:
    return person("alice")


@pytest.fixture
def bob(person: Callable[[str], Person], alice: Person) -> Person:
    """Bob and Alice are friends; he follows her."""
    bob = person("bob")
    bob.knows(alice, "alice")
    alice.knows(bob, "bob")
    return bob


@pytest.fixture
def carol(person: Callable[[str], Person], alice: Person, bob: Person) -> Person:
    """Carol is a friend of both, and follows Alice."""
    carol = person("carol")
    carol.knows(alice, "alice")
    carol.knows(bob, "bob")
    alice.knows(carol, "carol")
    bob.knows(carol, "carol")
    return carol
