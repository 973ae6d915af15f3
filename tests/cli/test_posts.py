"""REF: the ways in which people name a post, and what becomes of those that fit several."""

from __future__ import annotations

import pytest

from mau.errors import AmbiguousPost, AmbiguousWho, MauError, NoSuchPost, UsageError
from mau.publish import publish_document
from mau_cli.context import Session
from mau_cli.posts import Meant, find_post, ref_words, resolve_address, resolve_ref
from tests.publish.world import Someone, World, trees, world

__all__ = ["trees", "world"]

RANDOM = "2026-11-20-k3v9x2qa.json.pgp"


class Desk:
    """Carol, with posts of Alice's and Bob's."""

    def __init__(self, carol: Someone) -> None:
        self.session = Session(carol.account.root.path)
        self.session.__dict__["_account"] = carol.account  # the cached property: no passphrase is needed
        self.keyring = carol.keyring

    def meant(self, ref: str) -> tuple[str, str]:
        found: Meant = resolve_ref(self.session, self.keyring, ref)
        return found.author.hex, found.name


@pytest.fixture
def desk(world: World) -> Desk:
    carol = world.carol
    for author, name in (
        (world.alice, "kettle.json.pgp"),
        (world.alice, RANDOM),
        (world.bob, "kettle.json.pgp"),
        (world.bob, "kettledrum.json.pgp"),
        (carol, "Mine.json.pgp"),
    ):
        people = frozenset({author.fpr, carol.fpr})
        publish_document(author.account, author.keyring, {"@type": "Thing"}, name, people)
        if author is not carol:
            carol.fetch(author, name)
    return Desk(carol)


def test_every_form_means_the_same(desk: Desk, world: World) -> None:
    fpr = world.alice.fpr.hex
    for ref in (
        "k3v9x2qa",
        "k3v9",
        "K3V9X2QA",
        "2026-11-20",
        RANDOM,
        RANDOM.removesuffix(".pgp"),
        "alice/k3v9x2qa",
        f"{fpr}/2026",
        f"{fpr[:10]}/k3v",
        f"mau:/p2p/{fpr}/{RANDOM}",
        f"mau://example.org:8880/p2p/{fpr}/{RANDOM}",
        f"mau://[::1]:8880/p2p/{fpr}/{RANDOM}",
        f"/p2p/{fpr}/{RANDOM}",
        ref_words(desk.keyring, world.alice.fpr, RANDOM),
    ):
        assert desk.meant(ref) == (fpr, RANDOM), ref
    assert desk.meant("mine") == desk.meant("me/Mine.json") == (world.carol.fpr.hex, "Mine.json.pgp")
    assert desk.meant("kettled") == (world.bob.fpr.hex, "kettledrum.json.pgp")


def test_what_fits_several_lists_them_and_means_none(desk: Desk) -> None:
    with pytest.raises(
        AmbiguousPost, match=r"(?s)3 posts.*alice/kettle.json\n.*bob/kettle.json\n.*bob/kettledrum"
    ):
        desk.meant("kett")
    with pytest.raises(AmbiguousPost, match="2 posts"):
        desk.meant("kettle.json")
    with pytest.raises(AmbiguousPost):
        desk.meant("bob/kett")


def test_what_is_hidden_is_meant_when_nothing_else_is(desk: Desk, world: World) -> None:
    carol, bob, mallory = world.carol, world.bob, world.mallory
    carol.account.root.unfollow(bob.fpr)
    assert desk.meant("kettledrum") == (bob.fpr.hex, "kettledrum.json.pgp")
    assert desk.meant("kettle.json") == (world.alice.fpr.hex, "kettle.json.pgp")
    people = frozenset({mallory.fpr})
    publish_document(mallory.account, mallory.keyring, {"@type": "Thing"}, RANDOM, people)
    carol.fetch(mallory, RANDOM, hidden=True)
    assert desk.meant("k3v9x2qa") == (world.alice.fpr.hex, RANDOM)
    ref = ref_words(desk.keyring, mallory.fpr, RANDOM)
    assert ref == f"{mallory.fpr}/k3v9x2qa"
    assert desk.meant(ref) == (mallory.fpr.hex, RANDOM)


@pytest.mark.parametrize(
    ("ref", "error"),
    [
        ("nothing", NoSuchPost),
        ("alice", UsageError),
        ("", NoSuchPost),
        ("nobody/kettle", UsageError),
        ("alice/", UsageError),
        ("alice/../kettle", MauError),
        ("mau:/p2p/x", UsageError),
        ("\x1b[2J", NoSuchPost),
    ],
)
def test_what_means_nothing_is_an_error(desk: Desk, ref: str, error: type[MauError]) -> None:
    with pytest.raises(error):
        desk.meant(ref)


def test_only_an_address_may_be_of_what_is_not_held(desk: Desk, world: World) -> None:
    fpr = world.alice.fpr
    address = resolve_address(desk.session, desk.keyring, "alice/gone.json.pgp")
    assert str(address) == f"mau:/p2p/{fpr}/gone.json.pgp"
    assert resolve_address(desk.session, desk.keyring, str(address)) == address
    for ref in ("gone", "alice/gone", f"mau:/p2p/{fpr}"):
        with pytest.raises((NoSuchPost, UsageError)):
            resolve_address(desk.session, desk.keyring, ref)


def test_of_my_own_posts_the_whole_name_is_wanted_or_its_letters(desk: Desk, world: World) -> None:
    carol = world.carol
    publish_document(carol.account, carol.keyring, {"@type": "Thing"}, RANDOM, frozenset({carol.fpr}))

    def mine(word: str) -> str:
        return find_post(desk.session, desk.keyring, "me", word, exact=True)[0].name

    assert mine("Mine.json") == mine("me/Mine.json.pgp") == "Mine.json.pgp"
    assert mine(f"mau:/p2p/{carol.fpr}/Mine.json.pgp") == "Mine.json.pgp"
    assert mine("k3v9x2qa") == mine("me/k3v9x2qa") == RANDOM
    for word in ("Mine", "me/Mine", "k3v9x2q", "2026"):
        with pytest.raises(NoSuchPost):
            mine(word)
    with pytest.raises(UsageError):
        mine("alice/kettle.json")


def test_a_word_that_several_people_have_is_an_error(desk: Desk) -> None:
    with pytest.raises((AmbiguousWho, UsageError)):
        desk.meant("0x/kettle")
