"""For whom what derives from a post is: for nobody who could not read it; and who is left out is named."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mau.content.binding import PUBLIC, Audience
from mau.conversation.audience import derived_audience, wider
from mau.fingerprint import Fingerprint
from mau.openpgp.lifetime import revoked
from tests.publish.world import World, trees, world

__all__ = ["trees", "world"]

DAVE = Fingerprint.parse("d" * 40)


def test_a_reply_goes_to_the_author_and_to_my_friends_among_the_readers(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    derived = derived_audience(alice.keyring, bob.fpr, frozenset({bob.fpr, alice.fpr, carol.fpr, DAVE}))
    assert derived.audience == {alice.fpr, bob.fpr, carol.fpr}
    assert [(one.fingerprint, one.why) for one in derived.left_out] == [(DAVE, "no key")]


def test_of_what_is_public_or_says_nothing_it_must_be_said(world: World) -> None:
    assert derived_audience(world.alice.keyring, world.bob.fpr, PUBLIC).audience is None
    assert derived_audience(world.alice.keyring, world.bob.fpr, None).audience is None
    told = derived_audience(world.alice.keyring, world.bob.fpr, None, [world.carol.fpr])
    assert told.audience == {world.alice.fpr, world.bob.fpr, world.carol.fpr}


def test_a_known_key_is_written_to_when_its_owner_wrote_the_original(world: World) -> None:
    alice, mallory, bob = world.alice, world.mallory, world.bob
    alice.keyring.add(mallory.certificate, "mallory", known=True)
    readers = frozenset({alice.fpr, mallory.fpr, bob.fpr})
    assert derived_audience(alice.keyring, mallory.fpr, readers).audience == readers
    derived = derived_audience(alice.keyring, bob.fpr, readers)
    assert derived.audience == {alice.fpr, bob.fpr}
    assert [one.why for one in derived.left_out] == ["no friend"]
    # What I wrote myself I wrote to people whom I chose.
    assert derived_audience(alice.keyring, alice.fpr, readers).audience == readers


def test_who_was_never_confirmed_is_left_out(world: World) -> None:
    alice, mallory = world.alice, world.mallory
    alice.keyring.hold(mallory.certificate)
    derived = derived_audience(alice.keyring, mallory.fpr, frozenset({alice.fpr, mallory.fpr}))
    assert derived.audience == {alice.fpr}
    assert [one.why for one in derived.left_out] == ["unconfirmed"]


def test_a_key_that_was_revoked_is_left_out(world: World) -> None:
    alice, bob = world.alice, world.bob
    alice.keyring.take_in(revoked(bob.key, "retired").certificate)
    derived = derived_audience(alice.keyring, bob.fpr, frozenset({alice.fpr, bob.fpr}))
    assert (derived.audience, derived.left_out[0].why) == ({alice.fpr}, "key unusable")


_FPRS = [Fingerprint.parse(letter * 40) for letter in "abcde"]
_AUDIENCES: st.SearchStrategy[Audience] = st.just(PUBLIC) | st.frozensets(st.sampled_from(_FPRS), min_size=1)


@given(_AUDIENCES, st.sampled_from(_FPRS), _AUDIENCES | st.none())
def test_wider_is_who_could_not_read_the_original(
    audience: Audience, author: Fingerprint, original: Audience | None
) -> None:
    if original is PUBLIC:
        assert not wider(audience, author, original)
    elif audience is PUBLIC:
        assert wider(audience, author, original)
    elif isinstance(original, frozenset) and isinstance(audience, frozenset):
        assert wider(audience, author, original) == any(
            one not in original and one != author for one in audience
        )
