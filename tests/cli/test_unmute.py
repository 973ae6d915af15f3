"""`mau unmute`: it is shown again."""

from __future__ import annotations

import json

import pytest

from tests.cli.inside import run
from tests.publish.world import World


def muted(world: World) -> list[str]:
    return [one["kind"] for one in json.loads(run(world.alice.account, "mute", "--json").out)]


def test_what_was_muted_is_shown_again(world: World) -> None:
    account = world.alice.account
    for words in (("carol",), ("#tea",), ("--words", "green kettle")):
        assert run(account, "mute", *words).code == 0
    assert run(account, "unmute", "carol").err == "Not muted any more: carol.\n"
    assert run(account, "unmute", "carol").err == "It was not muted: carol.\n"
    assert muted(world) == ["tag", "words"]
    assert run(account, "unmute", "--tag", "TEA").code == 0
    assert run(account, "unmute", "--words", "Green Kettle").code == 0
    assert muted(world) == []
    assert run(account, "mute", "bob").code == run(account, "mute", "#x").code == 0
    assert run(account, "unmute", "--all").code == 0
    assert muted(world) == []
    assert run(account, "unmute", "--all").err == "Nothing is muted.\n"


@pytest.mark.parametrize("words", [(), ("bob", "--all"), ("--tag", "a", "--words", "b")])
def test_one_thing_at_a_time(world: World, words: tuple[str, ...]) -> None:
    assert run(world.alice.account, "unmute", *words).error.startswith("UsageError")
