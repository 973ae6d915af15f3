"""Who may read what: every case of the table, and what holds in all of them."""

from __future__ import annotations

import itertools

import pytest

from mau.acceptance import HIDDEN
from mau.content.binding import PUBLIC, Audience
from mau.fingerprint import Fingerprint
from mau.openpgp import Kind
from mau.server.visibility import (
    ANONYMOUS,
    NO_PROOF,
    RELAYS,
    Look,
    Outline,
    Proof,
    Relay,
    Shelf,
    Visitor,
    first_look,
    may_enter,
    second_look,
)
from mau.tree.names import KEYRING_NAME

ME, BOB, CAROL, STRANGER = (Fingerprint(bytes([n]) * 20) for n in (1, 2, 3, 4))
KEY = {who: bytes([n]) * 8 for n, who in enumerate((ME, BOB, CAROL, STRANGER), 1)}
me = Visitor(ME, frozenset({KEY[ME]}))
bob = Visitor(BOB, frozenset({KEY[BOB]}), friend=True)
carol = Visitor(CAROL, frozenset({KEY[CAROL]}), friend=True)
known = Visitor(STRANGER, frozenset({KEY[STRANGER]}))
stranger = Visitor(STRANGER)
VISITORS = [me, bob, carol, known, stranger, ANONYMOUS]
NAME = "x.json.pgp"


def sealed(*people: Fingerprint) -> Outline:
    return Outline(Kind.ENCRYPTED, frozenset(KEY[who] for who in people))


SIGNED = Outline(Kind.SIGNED, frozenset())
BOUND = Proof(True, NAME, PUBLIC)
UNBOUND = Proof(True)


def to(*people: Fingerprint, name: str | None = NAME) -> Proof:
    return Proof(True, name, frozenset(people))


def may(
    visitor: Visitor,
    outline: Outline,
    proof: Proof,
    author: Fingerprint = ME,
    relay: Relay = "friends",
    name: str = NAME,
) -> bool:
    shelf = Shelf(author, ME, relay)
    look = first_look(shelf, visitor, name, outline)
    if look is not Look.NO:
        assert may_enter(shelf, visitor)
    return look is Look.YES or (look is Look.PROVE and second_look(shelf, visitor, name, outline, proof))


def readers(outline: Outline, proof: Proof, **where: object) -> list[Visitor]:
    return [visitor for visitor in VISITORS if may(visitor, outline, proof, **where)]  # type: ignore[arg-type]


# --- my own posts ------------------------------------------------------------------------------------------


def test_a_private_post_is_for_its_recipients_and_me() -> None:
    for proof in (UNBOUND, to(ME, BOB), Proof(True, NAME)):
        assert readers(sealed(ME, BOB), proof) == [me, bob]


def test_a_known_person_may_be_a_recipient() -> None:
    assert readers(sealed(ME, STRANGER), to(ME, STRANGER)) == [me, known]


def test_a_public_post_is_for_everybody() -> None:
    assert readers(SIGNED, BOUND) == VISITORS
    assert readers(SIGNED, UNBOUND) == VISITORS


def test_an_unproven_post_is_for_me_alone() -> None:
    assert readers(SIGNED, NO_PROOF) == [me]
    assert readers(sealed(ME, BOB), NO_PROOF) == [me]


def test_a_renamed_post_is_not_published() -> None:
    assert readers(SIGNED, Proof(True, "other.json.pgp", PUBLIC)) == [me]
    assert readers(sealed(ME, BOB), to(ME, BOB, name="other.json.pgp")) == [me]


def test_a_private_post_without_its_envelope_is_not_public() -> None:
    assert readers(SIGNED, to(ME, BOB)) == [me]


def test_who_has_a_session_key_but_was_not_meant_gets_nothing() -> None:
    assert readers(sealed(ME, BOB, CAROL), to(ME, BOB)) == [me, bob]


def test_who_my_friends_are_is_for_me_alone() -> None:
    for outline in (SIGNED, sealed(ME, BOB)):
        assert readers(outline, Proof(True, KEYRING_NAME, PUBLIC), name=KEYRING_NAME) == [me]


# --- what others wrote -------------------------------------------------------------------------------------


def test_friends_get_what_is_for_them() -> None:
    assert readers(sealed(BOB, CAROL, ME), NO_PROOF, author=BOB) == [me, bob, carol]
    assert readers(sealed(BOB, STRANGER), NO_PROOF, author=BOB) == [bob]
    assert readers(SIGNED, BOUND, author=BOB) == [me, bob, carol]


def test_unbound_public_posts_are_not_passed_on() -> None:
    for proof in (UNBOUND, Proof(True, None, PUBLIC), Proof(True, NAME, None)):
        for relay in ("friends", "public"):
            assert carol not in readers(SIGNED, proof, author=BOB, relay=relay)
            assert ANONYMOUS not in readers(SIGNED, proof, author=BOB, relay=relay)


def test_nothing_is_passed_on_when_told_so() -> None:
    for outline in (SIGNED, sealed(BOB, CAROL, ME)):
        assert readers(outline, BOUND, author=BOB, relay="none") == [me, bob]


def test_public_posts_go_to_everybody_when_told_so() -> None:
    assert readers(SIGNED, BOUND, author=BOB, relay="public") == VISITORS
    assert readers(sealed(BOB, CAROL, STRANGER), NO_PROOF, author=BOB, relay="public") == [bob, carol]


def test_a_leaked_post_of_somebody_else_is_not_passed_on() -> None:
    assert readers(SIGNED, to(BOB, ME), author=BOB) == [bob]


# --- always ------------------------------------------------------------------------------------------------

PROOFS = [
    NO_PROOF,
    UNBOUND,
    BOUND,
    to(ME),
    to(ME, BOB),
    Proof(True, "other.pgp", PUBLIC),
    Proof(True, None, PUBLIC),
]


@pytest.mark.parametrize("relay", RELAYS)
def test_the_unreadable_is_for_nobody(relay: Relay) -> None:
    hidden = Outline(Kind.ENCRYPTED, frozenset({KEY[BOB], HIDDEN}))
    other = Outline(Kind.OTHER, frozenset({KEY[BOB]}))
    for outline, proof, author in itertools.product((hidden, other), PROOFS, (ME, BOB, CAROL)):
        assert readers(outline, proof, author=author, relay=relay) == []


@pytest.mark.parametrize("relay", RELAYS)
def test_a_stranger_never_sees_more_than_public_posts(relay: Relay) -> None:
    everyone = sealed(ME, BOB, CAROL)
    for outline, proof, author in itertools.product((SIGNED, everyone, sealed()), PROOFS, (ME, BOB)):
        for visitor in (stranger, ANONYMOUS):
            if may(visitor, outline, proof, author, relay):
                audience: Audience | None = proof.audience
                assert outline is SIGNED
                assert proof.holds
                assert audience == PUBLIC or (audience is None and author == ME)
                assert author == ME or relay == "public"


@pytest.mark.parametrize("relay", RELAYS)
def test_more_relaying_never_takes_anything_away(relay: Relay) -> None:
    for outline, proof, author in itertools.product(
        (SIGNED, sealed(ME, BOB, CAROL)), PROOFS, (ME, BOB, CAROL)
    ):
        least = readers(outline, proof, author=author, relay="none")
        most = readers(outline, proof, author=author, relay="public")
        now = readers(outline, proof, author=author, relay=relay)
        assert set(least) <= set(now) <= set(most)


def test_an_author_always_sees_what_is_held_of_him() -> None:
    for outline, relay in itertools.product((SIGNED, sealed(BOB)), RELAYS):
        assert may(bob, outline, NO_PROOF, BOB, relay)
