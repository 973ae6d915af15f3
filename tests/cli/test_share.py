"""`mau share`: any file, byte for byte."""

from __future__ import annotations

import os
import re

from mau.reader.open import open_post
from tests.cli.desk import Desk, desk, trees, world

__all__ = ["desk", "trees", "world"]


def test_a_private_file_says_nothing_in_its_name(desk: Desk) -> None:
    content = os.urandom(300_000)
    (desk.place / "Tax 2026.pdf").write_bytes(content)
    name = desk.name(desk.world.alice, "share", "--to", "bob", desk.place / "Tax 2026.pdf")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-[a-z0-9]{8}\.pgp", name)
    stored = desk.world.alice.account.posts().path / name
    assert b"Tax" not in stored.read_bytes()
    desk.world.bob.fetch(desk.world.alice, name)
    bob = desk.world.bob
    post = open_post(bob.account, bob.keyring, desk.world.alice.fpr, name)
    assert (post.opened.data, post.filename) == (content, "Tax 2026.pdf")
    assert post.statement.bound


def test_a_public_file_has_its_own_name(desk: Desk) -> None:
    (desk.place / "Holiday Photo.JPG").write_bytes(b"\xff\xd8\xff\xe0")
    share = ("share", "--public", desk.place / "Holiday Photo.JPG")
    done = desk.mau(desk.world.alice, *share)
    assert done.text == "holiday-photo.jpg.pgp\n"
    assert "'Holiday Photo.JPG' keeps what it may say about its making" in done.err
    assert desk.name(desk.world.alice, *share) == "holiday-photo-2.jpg.pgp"
    assert desk.name(desk.world.alice, *share, "--name", "me.jpg") == "me.jpg.pgp"


def test_what_is_no_file_is_refused(desk: Desk) -> None:
    done = desk.mau(desk.world.alice, "share", "--me", desk.place / "missing", code=1)
    assert "No such file" in done.err
    assert "directory" in desk.mau(desk.world.alice, "share", "--me", desk.place, code=1).err
    assert "is a device" in desk.mau(desk.world.alice, "share", "--me", "/dev/null", code=1).err
    (desk.place / "x").write_bytes(b"x")
    assert "for whom?" in desk.mau(desk.world.alice, "share", desk.place / "x", code=2).err


def test_an_empty_file_and_strange_names_pass(desk: Desk) -> None:
    for filename in (b"a\nb", b"\xff\xfe", "ü".encode()):
        path = os.fsencode(desk.place) + b"/" + filename
        with open(path, "wb"):  # noqa: PTH123 - a name that is no text
            pass
        facts = desk.json(desk.world.alice, "share", "--public", os.fsdecode(path))
        alice = desk.world.alice
        post = open_post(alice.account, alice.keyring, alice.fpr, facts["name"])
        assert post.opened.data == b""
        assert post.filename == (None if filename == b"\xff\xfe" else filename.decode())
