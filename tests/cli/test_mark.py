"""`mau mark`: what counts as read."""

from __future__ import annotations

import pytest

from mau.content.binding import PUBLIC
from mau.marks import Marks
from mau.publish import publish_document
from mau.reader.reading import Reading
from mau_cli.marking import mark_shown
from tests.cli.inside import run, session_of
from tests.publish.world import Someone, World


def fetch(world: World, author: Someone, *names: str) -> None:
    for name in names:
        publish_document(author.account, author.keyring, {"articleBody": "x"}, f"{name}.json.pgp", PUBLIC)
        world.alice.fetch(author, f"{name}.json.pgp")


def unread(world: World) -> set[str]:
    alice = world.alice
    marks = Marks.load(alice.account)
    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        return {one.name.partition(".")[0] for one in reading.newest() if not marks.is_read(one)}


def test_single_posts_are_read_and_unread(world: World) -> None:
    fetch(world, world.bob, "one", "two", "three")
    account = world.alice.account
    assert unread(world) == {"one", "two", "three"}
    assert run(account, "mark", "bob/one", "two").err == "Marked as read: 2 posts.\n"
    assert unread(world) == {"three"}
    assert run(account, "mark", "--unread", "bob/one").err == "Marked as unread: 1 post.\n"
    assert unread(world) == {"one", "three"}


def test_all_that_is_there_is_read_and_what_comes_later_is_not_however_old(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    fetch(world, bob, "one", "two")
    publish_document(carol.account, carol.keyring, {"articleBody": "x"}, "old.json.pgp", PUBLIC)
    assert run(alice.account, "mark", "--all").code == 0
    assert unread(world) == set()
    alice.fetch(carol, "old.json.pgp")
    assert unread(world) == {"old"}
    assert run(alice.account, "mark", "--all", "--unread").code == 0
    assert unread(world) == {"one", "two", "old"}
    assert run(alice.account, "mark", "--all", "--from", "bob").code == 0
    assert unread(world) == {"old"}


def test_what_was_signed_until_a_time_is_read(world: World) -> None:
    fetch(world, world.bob, "one")
    assert run(world.alice.account, "mark", "--until", "2020-01-01").code == 0
    assert unread(world) == {"one"}
    assert run(world.alice.account, "mark", "--until", "2999-01-01").code == 0
    assert unread(world) == set()


@pytest.mark.parametrize(
    "words",
    [(), ("x", "--all"), ("--all", "--until", "2h"), ("--unread", "--until", "2h"), ("x", "--from", "bob")],
)
def test_what_is_meant_must_be_said(world: World, words: tuple[str, ...]) -> None:
    assert run(world.alice.account, "mark", *words).error.startswith("UsageError")


def test_what_a_command_has_shown_is_read_unless_a_setting_says_no(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(world, world.bob, "one", "two")
    alice = world.alice
    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        one, two = sorted(reading.newest(), key=lambda summary: summary.name)
    mark_shown(session_of(alice.account), [one])
    assert unread(world) == {"two"}
    monkeypatch.setenv("MAU_READER_MARK_READ", "false")
    mark_shown(session_of(alice.account), [two])
    assert unread(world) == {"two"}


def test_what_cannot_be_written_down_is_a_word_and_no_error(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(world, world.bob, "one")
    alice = world.alice
    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        shown = list(reading.newest())
    (alice.account.root.author_dir(alice.fpr) / "mau-read.json.pgp").mkdir()
    mark_shown(session_of(alice.account), shown)
    assert "could not be marked" in capsys.readouterr().err


def test_what_was_opened_is_read(world: World) -> None:
    fetch(world, world.bob, "one", "two")
    assert run(world.alice.account, "open", "bob", "one").code == 0
    assert unread(world) == {"two"}
    assert run(world.alice.account, "open", "bob", "two", "--json").code == 0
    assert unread(world) == {"two"}
