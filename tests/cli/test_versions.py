"""`mau versions`: the older contents, oldest first."""

from __future__ import annotations

from mau.publish import publish_document
from tests.cli.desk import Desk, desk, trees, world

__all__ = ["desk", "trees", "world"]


def test_versions_are_listed_oldest_first(desk: Desk) -> None:
    alice = desk.world.alice
    sums = [
        publish_document(
            alice.account, alice.keyring, {"name": str(n)}, "x.json.pgp", desk.world.for_()
        ).sha256
        for n in range(3)
    ]
    lines = desk.mau(alice, "versions", "me", "x.json").text.splitlines()
    assert [line.split()[0] for line in lines] == sums[:2]
    facts = desk.json(alice, "versions", "me", "x")
    assert [one["sha256"] for one in facts] == sums[:2]
    assert all(one["size"] > 0 and one["mtime"].endswith("Z") for one in facts)


def test_a_post_without_versions(desk: Desk) -> None:
    alice = desk.world.alice
    publish_document(alice.account, alice.keyring, {}, "x.json.pgp", desk.world.for_())
    done = desk.mau(alice, "versions", "me/x")
    assert (done.out, done.err) == (b"", "x.json.pgp has no older versions.\n")
    assert desk.json(alice, "versions", "me", "x") == []
    desk.mau(alice, "versions", "me", "y", code=1)
