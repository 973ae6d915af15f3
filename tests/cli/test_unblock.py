"""`mau unblock`: everything is as it was."""

from __future__ import annotations

from mau.marks import blocked
from tests.cli.inside import run
from tests.publish.world import World


def test_who_was_blocked_is_none_any_more(world: World) -> None:
    account = world.alice.account
    assert run(account, "unblock", "bob").err == "bob is not blocked.\n"
    assert run(account, "block", "bob").code == 0
    assert run(account, "unblock", "bob").err == "bob is not blocked any more.\n"
    assert not blocked(account)
    assert run(account, "unblock", "nobody").error.startswith("UnknownWho")
