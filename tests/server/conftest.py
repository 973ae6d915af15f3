"""Alice, Bob and Carol. Alice is a friend of both, they are friends of Alice."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mau.openpgp import SecretKey
from tests.server.world import Host, Someone, make_someone, open_someone, serving

NAMES = ("alice", "bob", "carol", "mallory")


@dataclass(frozen=True)
class Template:
    """Trees and state to copy: making an account takes a while, on purpose."""

    place: Path
    keys: dict[str, SecretKey]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    place = tmp_path_factory.mktemp("template")
    keys = {name: SecretKey.generate(name.title(), f"{name}@example.org") for name in NAMES}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(place / "state"))
        found = {name: make_someone(place, name, key) for name, key in keys.items()}
        for name in ("bob", "carol"):
            found["alice"].keyring.add(found[name].account.certificate, name)
            found[name].keyring.add(found["alice"].account.certificate, "alice")
    return Template(place, keys)


@pytest.fixture
def people(tmp_path: Path, template: Template, monkeypatch: pytest.MonkeyPatch) -> dict[str, Someone]:
    shutil.copytree(template.place, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return {name: open_someone(tmp_path, name, key) for name, key in template.keys.items()}


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
