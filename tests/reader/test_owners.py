"""A verdict lasts as long as the key ids that it rests on are the same people's (spec/reading.md RE9)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.binding import PUBLIC
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.reader import judging
from mau.reader.owners import pack, still_hold, unpack
from mau.reader.reading import Reading
from tests.publish.world import Someone, World, bound, message

NOW = int(time.time())
NAME = "m.json.pgp"
PEOPLE = st.none() | st.builds(Fingerprint, st.binary(min_size=20, max_size=20).filter(any))


def put(world: World, name: str, *to: Someone, meant: tuple[Someone, ...] = ()) -> None:
    """Bob writes for himself and those who are meant, and makes it readable for those that are named."""
    audience = frozenset(one.fpr for one in (world.bob, *(meant or to)))
    data = bound(world.bob, name, audience, f"words of {name}")
    world.alice.put(world.bob, name, message(world.bob.key, data, [world.bob, *to], created=NOW - 50))


def reading(world: World) -> Reading:
    return Reading(world.alice.account, world.alice.keyring)


def seen(held: Reading) -> tuple[list[str], dict[str, int], list[str]]:
    """(names of posts to show, what is left out, names of what was opened now)."""
    opened: list[str] = []
    held.refresh(lambda post, _: opened.append(post.name))
    return sorted(one.name for one in held.newest()), dict(held.left_out), sorted(opened)


def meet(world: World) -> None:
    world.alice.keyring.add(world.mallory.certificate, "mallory")


def forget(world: World) -> None:
    person = world.alice.keyring.person(world.mallory.fpr)
    assert person is not None
    world.alice.keyring.remove(person)


@pytest.fixture
def leaked(world: World) -> World:
    """A post for two that Mallory can read, one that she cannot, and one for everybody."""
    put(world, NAME, world.alice, world.mallory, meant=(world.alice,))
    put(world, "fine.json.pgp", world.alice)
    data = bound(world.bob, "public.json.pgp", PUBLIC, "for all")
    world.alice.put(world.bob, "public.json.pgp", message(world.bob.key, data, None, created=NOW - 50))
    return world


OTHERS = ["fine.json.pgp", "public.json.pgp"]


@pytest.mark.parametrize("anew", [True, False])
def test_who_becomes_known_may_turn_out_to_read_what_was_not_meant_for_her(leaked: World, anew: bool) -> None:
    with reading(leaked) as held:
        assert seen(held)[:2] == (sorted([*OTHERS, NAME]), {})
        meet(leaked)
        if not anew:
            assert seen(held) == (OTHERS, {"Leaked": 1}, [])
    with reading(leaked) as held:
        assert seen(held)[:2] == (OTHERS, {"Leaked": 1})


@pytest.mark.parametrize("anew", [True, False])
def test_who_is_known_no_more_is_no_reason_to_refuse_a_post(leaked: World, anew: bool) -> None:
    meet(leaked)
    with reading(leaked) as held:
        assert seen(held)[:2] == (OTHERS, {"Leaked": 1})
        forget(leaked)
        if not anew:
            assert seen(held) == (sorted([*OTHERS, NAME]), {}, [NAME])
    with reading(leaked) as held:
        assert seen(held)[:2] == (sorted([*OTHERS, NAME]), {})


def test_it_holds_for_what_several_processes_opened(leaked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    meet(leaked)
    monkeypatch.setattr(judging, "WORTH", 2)
    monkeypatch.setattr("mau.reader.crew.size", lambda: 2)
    with reading(leaked) as held:
        assert seen(held)[:2] == (OTHERS, {"Leaked": 1})
        forget(leaked)
        assert seen(held) == (sorted([*OTHERS, NAME]), {}, [NAME])


def test_a_change_among_other_keys_opens_nothing_again(world: World) -> None:
    put(world, "fine.json.pgp", world.alice, world.carol)
    with reading(world) as held:
        assert seen(held)[2] == ["fine.json.pgp"]
        meet(world)
        assert seen(held) == (["fine.json.pgp"], {}, [])
        forget(world)
        assert seen(held) == (["fine.json.pgp"], {}, [])
    (world.alice.account.root.state_dir("reader") / "reading.image").unlink()
    with reading(world) as held:
        assert seen(held) == (["fine.json.pgp"], {}, [])


def test_without_patience_it_is_judged_again_the_next_time(leaked: World) -> None:
    put(leaked, "n.json.pgp", leaked.alice, leaked.mallory, meant=(leaked.alice,))
    with reading(leaked) as held:
        held.refresh()
        meet(leaked)
        held.refresh(patience=0)
        assert held.pending
        while held.pending:
            held.refresh(patience=0)
        assert held.left_out == {"Leaked": 2}


@given(st.dictionaries(st.binary(min_size=8, max_size=8), PEOPLE, max_size=4))
def test_what_is_noted_of_owners_comes_back(asked: dict[bytes, Fingerprint | None]) -> None:
    owners = tuple(sorted(asked.items(), key=lambda one: one[0]))
    assert unpack(pack(owners)) == owners
    assert still_hold(owners, asked.get)
    for keyid, owner in owners:
        other = {**asked, keyid: None if owner else Fingerprint(b"\x01" * 20)}
        assert not still_hold(owners, other.get)


def test_what_a_program_with_other_keys_notes_is_not_taken(leaked: World) -> None:
    alice = leaked.alice
    with reading(leaked) as held, Reading(alice.account, Keyring.load(alice.account)) as other:
        held.refresh()
        other.refresh()
        meet(leaked)
        held.refresh()
        assert held.left_out == {"Leaked": 1}
        assert [one.words for one in other.newest() if one.name == NAME] == [f"words of {NAME}"]
