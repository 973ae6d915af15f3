"""What others call a file is no path, no option and no riddle here."""

from __future__ import annotations

import unicodedata
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.attachments.naming import file_name


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("photo.jpg", "photo.jpg"),
        ("Ein Photo \u00e4.jpg", "Ein Photo \u00e4.jpg"),
        ("../../.ssh/authorized_keys", "ssh authorized_keys"),
        ("..", "k3v9.jpg"),
        ("", "k3v9.jpg"),
        (".bashrc", "bashrc"),
        ("-rf", "rf"),
        ("a/b\\c", "abc"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\x00\x1b[31mb.png", "a[31mb.png"),
        ("con..  ", "con"),
        ("x" * 300 + ".jpeg", "x" * 175 + ".jpeg"),
    ],
)
def test_a_name_is_made_harmless(called: str, name: str) -> None:
    assert file_name(called, "k3v9", "image/jpeg") == name.replace("ssh authorized", "sshauthorized")


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert file_name("a.b.jpg", "x", "", {"a.b.jpg", "a.b-2.jpg"}) == "a.b-3.jpg"
    assert file_name("notes", "x", "", {"notes"}) == "notes-2"


@given(st.text(), st.text())
def test_whatever_it_is_called_it_is_one_visible_segment(called: str, stem: str) -> None:
    name = file_name(called, stem, "image/png")
    assert name == PurePath(name).name
    assert name[0] not in ".- "
    assert len(name.encode()) <= 255
    assert all(unicodedata.category(one)[0] != "C" for one in name)
    assert file_name(name, stem, "image/png") == name
