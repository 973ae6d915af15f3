"""A tree with one author, and its index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mau.tree.index import Index
from mau.tree.layout import Root
from tests.tree.index.world import ALICE, examine


@pytest.fixture
def root(tmp_path: Path) -> Root:
    found = Root(tmp_path / "Mau")
    found.ensure()
    found.follow(ALICE)
    return found


@pytest.fixture
def alice(root: Root) -> Path:
    return root.author_dir(ALICE)


@pytest.fixture
def index(root: Root) -> Iterator[Index]:
    with Index.open(root, examine) as opened:
        yield opened
