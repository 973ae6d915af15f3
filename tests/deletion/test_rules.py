"""Posts, deletes and replays end alike in every order (spec/messages.md M76-M82)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.acceptance import Held, Piece, decide
from mau.content.binding import PUBLIC, Statement
from mau.deletion.document import Delete
from mau.deletion.rules import NO_DELETES, Deletes, binding, check_deleted, withdrawn
from mau.errors import Deleted, RolledBack
from mau.fingerprint import Fingerprint

ALICE = Fingerprint(b"a" * 20)
NAME = "x.pgp"


def sha(number: int) -> str:
    return f"{number:064x}"


def post(signed_at: int, name: str = NAME) -> Piece:
    """A post that is told by the time of its signature."""
    return Piece(ALICE, name, sha(signed_at), 1, signed_at, False, (), Statement(name, PUBLIC))


def delete(signed_at: int, *named: int, target: str = NAME, name: str | None = None) -> Delete:
    sums = frozenset(map(sha, named))
    return Delete(ALICE, name or f"d{signed_at}.json.pgp", target, sums, signed_at, PUBLIC)


# --- what is deleted ---------------------------------------------------------------------------------------


def test_a_delete_holds_for_what_it_names_and_for_what_was_not_signed_later() -> None:
    deletes = Deletes([delete(10, 3, 99)])
    assert [time for time in (3, 9, 10, 11, 99) if deletes.is_deleted(NAME, sha(time), time)] == [
        3,
        9,
        10,
        99,
    ]
    assert [time for time in (3, 9, 10, 11, 99) if deletes.is_deleted(NAME, sha(time))] == [3, 99]
    assert not deletes.is_deleted("X.pgp", sha(3), 3)
    assert (deletes.until(NAME), deletes.until("other.pgp")) == (10, 0)
    with pytest.raises(Deleted) as refused:
        check_deleted(post(9), deletes)
    assert refused.value.lasting == "source"
    check_deleted(post(11), deletes)
    check_deleted(post(9), NO_DELETES)


def test_two_deletes_of_one_name_add_up() -> None:
    deletes = Deletes([delete(10, 3), delete(20, 30)])
    assert [time for time in (3, 15, 20, 21, 30) if deletes.is_deleted(NAME, sha(time), time)] == [
        3,
        15,
        20,
        30,
    ]
    assert [one.signed_at for one in deletes.of(NAME)] == [20, 10]
    assert deletes.named("d10.json.pgp") == delete(10, 3)


def test_the_authors_host_is_bound_by_what_it_lists_and_everybody_else_by_all() -> None:
    deletes = Deletes([delete(10, 3)])
    assert binding(deletes, from_author=False, listed=set()) == deletes
    assert binding(deletes, from_author=True, listed=None) == deletes
    assert binding(deletes, from_author=True, listed={"d10.json.pgp", NAME}) == deletes
    assert binding(deletes, from_author=True, listed={NAME}) == NO_DELETES


def test_a_delete_is_withdrawn_when_the_post_is_listed_without_it() -> None:
    deletes = Deletes([delete(10, 3)])
    assert withdrawn(deletes, {NAME}) == list(deletes)
    assert withdrawn(deletes, {NAME, "d10.json.pgp"}) == []
    assert withdrawn(deletes, {"other.pgp"}) == []
    assert withdrawn(deletes, set()) == []


# --- any order ---------------------------------------------------------------------------------------------


@dataclass
class Follower:
    """What the rules make of one name, when everything comes from relays."""

    received: Literal["version", "remove"]
    held: Piece | None = None
    versions: set[str] = field(default_factory=set)
    deletes: set[Delete] = field(default_factory=set)

    def offer(self, thing: Piece | Delete) -> None:
        if isinstance(thing, Delete):
            self.deletes.add(thing)
            if self.held and Deletes(self.deletes).is_deleted(NAME, self.held.sha256, self.held.signed_at):
                self.versions.add(self.held.sha256)
                self.held = None
            if self.received == "remove":
                self.versions -= thing.sha256s
            return
        before = self.held and Held(self.held.sha256, self.held.signed_at)
        try:
            check_deleted(thing, Deletes(self.deletes))
            if decide(thing, before, self.versions, from_author=False) == "take":
                self.versions |= {self.held.sha256} if self.held else set()
                self.held = thing
        except (Deleted, RolledBack):
            pass


@st.composite
def histories(draw: st.DrawFn) -> list[Piece | Delete]:
    """What an author did: posts and deletes, each signed later than all before it; deletes name some."""
    things: list[Piece | Delete] = []
    for time in range(1, draw(st.integers(1, 8)) + 1):
        if draw(st.booleans()):
            things.append(post(time))
        else:
            before = [one.signed_at for one in things if isinstance(one, Piece)]
            things.append(delete(time, *draw(st.lists(st.sampled_from(before)) if before else st.just([]))))
    return things


@given(st.data(), st.sampled_from(["version", "remove"]))
def test_every_order_with_every_replay_ends_alike(
    data: st.DataObject, received: Literal["version", "remove"]
) -> None:
    history = data.draw(histories())
    replays = data.draw(st.lists(st.sampled_from(history), max_size=8))
    follower = Follower(received)
    for thing in data.draw(st.permutations(history + replays)):
        follower.offer(thing)
    last_delete = max((one.signed_at for one in history if isinstance(one, Delete)), default=0)
    alive = [one for one in history if isinstance(one, Piece) and one.signed_at > last_delete]
    assert follower.held == max(alive, key=lambda one: one.signed_at, default=None)
    # Whoever offers everything once more changes nothing.
    end = follower.held
    for thing in history:
        follower.offer(thing)
    assert follower.held == end
