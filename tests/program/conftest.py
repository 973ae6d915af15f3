"""Alice and her friends, each with an account that a program has open."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

import mau
from tests.imports.conftest import web
from tests.publish.world import PASSPHRASE, World, trees, world

__all__ = ["trees", "web", "world"]


@pytest.fixture
async def alice(world: World) -> AsyncIterator[mau.Me]:
    async with mau.open_account(world.alice.account.root.path, passphrase=PASSPHRASE) as me:
        yield me


@pytest.fixture
async def bob(world: World) -> AsyncIterator[mau.Me]:
    async with mau.open_account(world.bob.account.root.path, passphrase=PASSPHRASE) as me:
        yield me
