"""`mau export-site`: what it says, and where it does not write."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.account import Account
from mau.content.binding import PUBLIC
from mau.keyring import Keyring
from mau.publish import publish_file
from tests.cli.conftest import PASSPHRASE, Ended

Mau = Callable[..., Ended]


def test_it_writes_the_site_and_says_what_it_did(mau: Mau, alice: Account, tmp_path: Path) -> None:
    publish_file(alice, Keyring.load(alice), io.BytesIO(b"x"), "public.txt.pgp", PUBLIC)
    first = mau("export-site", tmp_path / "www", passphrase=PASSPHRASE)
    assert (first.code, first.text) == (0, "1 public posts: 6 files written, 0 as they were, 0 removed\n")
    assert "public.txt" in (tmp_path / "www" / "index.html").read_text()
    told = json.loads(mau("export-site", tmp_path / "www", "--json", passphrase=PASSPHRASE).out)
    assert (told["posts"], told["written"], told["same"]) == (1, [], 6)


@pytest.mark.parametrize("place", [".", "www", ".mau/x"])
def test_never_into_the_tree(mau: Mau, alice: Account, place: str) -> None:
    before = sorted(alice.root.path.rglob("*"))
    ended = mau("export-site", alice.root.path / place, passphrase=PASSPHRASE)
    assert ended.code == 2
    assert "inside your tree" in ended.err
    assert sorted(alice.root.path.rglob("*")) == before


def test_what_is_in_the_way_is_named(mau: Mau, alice: Account, tmp_path: Path) -> None:
    place = tmp_path / "www"
    place.mkdir()
    (place / "index.html").write_text("mine")
    ended = mau("export-site", place, passphrase=PASSPHRASE)
    assert ended.code == 1
    assert "index.html' is in the way" in ended.err
    assert [path.name for path in place.iterdir()] == ["index.html"]
