"""Alice, Bob and Carol. Alice is a friend of both, they are friends of Alice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mau.openpgp import SecretKey
from tests.server.world import Host, Someone, make_someone, serving

NAMES = ("alice", "bob", "carol", "mallory")


@pytest.fixture(scope="session")
def keys() -> dict[str, SecretKey]:
    return {name: SecretKey.generate(name.title(), f"{name}@example.org") for name in NAMES}


@pytest.fixture
def people(tmp_path: Path, keys: dict[str, SecretKey]) -> dict[str, Someone]:
    found = {name: make_someone(tmp_path, name, key) for name, key in keys.items()}
    for name in ("bob", "carol"):
        found["alice"].keyring.add(found[name].account.certificate, name)
        found[name].keyring.add(found["alice"].account.certificate, "alice")
    return found


@pytest.fixture
def alice(people: dict[str, Someone]) -> Someone:
    return people["alice"]


@pytest.fixture
def bob(people: dict[str, Someone]) -> Someone:
    return people["bob"]


@pytest.fixture
def carol(people: dict[str, Someone]) -> Someone:
    return people["carol"]


@pytest.fixture
def mallory(people: dict[str, Someone]) -> Someone:
    """Has an account, and is nobody's friend."""
    return people["mallory"]


@pytest.fixture
async def host(alice: Someone) -> AsyncIterator[Host]:
    async with serving(alice) as host:
        yield host
