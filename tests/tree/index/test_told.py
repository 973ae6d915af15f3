"""What was told of a file at a clock stays true, and what another process noted is told (I21-I23)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mau.tree.index import Index
from mau.tree.layout import Root
from tests.tree.index.world import ALICE, PUBLIC, Told, examine


def test_a_content_of_which_another_was_seen_is_a_change(index: Index, alice: Path) -> None:
    for name in ("a", "b", "c"):
        (alice / f"{name}.pgp").write_bytes(PUBLIC)
    index.refresh()
    before = {entry.name: entry for entry in index.entries(ALICE)}
    index.outdate(ALICE, [before["a.pgp"]])
    after = index.entry(ALICE, "a.pgp")
    assert after is not None
    assert after.sha256 == before["a.pgp"].sha256
    assert after.clock > max(entry.clock for entry in before.values())
    index.outdate(ALICE, [before["a.pgp"]])  # of a clock that it has no more
    assert index.entry(ALICE, "a.pgp") == after
    (alice / "b.pgp").unlink()
    index.outdate(ALICE, [before["b.pgp"]])
    assert index.entry(ALICE, "b.pgp") is None
    order = [entry.name for entry in index.after(ALICE, (PUBLIC,), 0, 9).entries]
    assert order == ["c.pgp", "a.pgp"]


def test_a_removal_that_another_process_noted_is_told(root: Root, index: Index, alice: Path) -> None:
    told = Told()
    for name in ("a", "b"):
        (alice / f"{name}.pgp").write_bytes(PUBLIC)
    with Index.open(root, examine) as other:
        index.refresh()
        with index.subscribe(told):
            (alice / "a.pgp").unlink()
            other.refresh()
            index.refresh()
            assert told.heard == [(ALICE, False, None)]
            told.heard.clear()
            (alice / "c.pgp").write_bytes(PUBLIC)
            other.refresh()
            index.refresh()
            assert told.heard == [(ALICE, False, "c.pgp")]


@pytest.mark.parametrize(
    ("column", "value"),
    [("clock", 0), ("clock", -1), ("clock", "x"), ("name", "../a.pgp"), ("name", b"x"), ("sha256", b"x")],
)
def test_a_row_that_cannot_be_ours_is_damage(
    root: Root, index: Index, alice: Path, column: str, value: object
) -> None:
    (alice / "a.pgp").write_bytes(PUBLIC)
    index.refresh()
    generation = index.generation
    connection = sqlite3.connect(next((root.path / ".index").glob("*.db")))
    with connection:
        connection.execute(f"UPDATE file SET {column} = ?", (value,))  # noqa: S608 - ours
    connection.close()
    assert [entry.name for entry in index.entries(ALICE)] == ["a.pgp"]
    assert index.generation != generation
