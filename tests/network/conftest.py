"""Tests in networks of their own: all of them where namespaces are allowed, none of them elsewhere.

Where they are allowed, a program that is missing is a failure. Where they are not, the end of the run says so
(tests/conftest.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network.kernel import not_allowed
from tests.network.netns import Network


@pytest.fixture(autouse=True)
def allowed() -> None:
    """Skips where the kernel lets us make no network namespaces."""
    if why := not_allowed():
        pytest.skip(f"no network namespaces: {why}")


@pytest.fixture
def net(tmp_path: Path, allowed: None) -> Iterator[Network]:
    """An empty network, which is gone after the test with all that ran in it."""
    with Network(tmp_path) as network:
        yield network
