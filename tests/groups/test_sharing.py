"""One signed list says to all members who is in a group; only its owner writes it (spec/groups.md)."""

from __future__ import annotations

import shutil

import pytest

from mau.content.address import Address
from mau.content.binding import PUBLIC, Audience
from mau.deletion.held import deletes_of
from mau.deletion.obeying import obey
from mau.errors import NoSuchPost, UsageError
from mau.groups.document import MAX_MEMBERS, TYPES, Member, compose_list
from mau.groups.following import Followed, follow_lists, join, leave
from mau.groups.sharing import Shared, end_sharing, share, shared_as
from mau.keyring import Keyring
from mau.marks import Marks
from mau.marks import subject as subjects
from mau.openpgp import SecretKey
from mau.publish import publish_document
from mau.reader.open import open_post
from tests.publish.world import Someone, World


def group(owner: Someone, name: str, *people: Someone) -> Shared:
    owner.keyring.group_add(name, [owner.keyring.resolve(one.fpr.hex) for one in people])
    return share(owner.account, owner.keyring, name)


def audience(owner: Someone, name: str) -> Audience | None:
    return open_post(owner.account, owner.keyring, owner.fpr, name).audience


def members(of: Someone, name: str) -> set[str]:
    keyring = Keyring.load(of.account)
    return {one.local_name for one in keyring.friends() if name in one.groups}


def joined(who: Someone, owner: Someone, name: str, called: str | None = None) -> Followed:
    return join(who.account, who.keyring, Address(owner.fpr, name), called)


def followed(who: Someone) -> Followed:
    (one,) = follow_lists(who.account, who.keyring)
    return one


def forged(
    owner: Someone, name: str, people: list[Someone], called: str = "cup", to: Audience | None = None
) -> str:
    """A list as anybody can write one."""
    said = [Member(one.fpr, key=bytes(one.certificate)) for one in people]
    whom = to or frozenset({owner.fpr, *(one.fpr for one in people)})
    publish_document(owner.account, owner.keyring, compose_list(owner.fpr, called, said), name, whom)
    return name


# --- the owner ---------------------------------------------------------------------------------------------


def test_the_list_is_for_the_members_and_is_written_only_when_it_says_something_new(world: World) -> None:
    alice = world.alice
    first = group(alice, "friends/cup", world.bob)
    assert first.fresh
    assert audience(alice, first.name) == world.for_(world.bob)
    document = open_post(alice.account, alice.keyring, alice.fpr, first.name).document or {}
    assert document["@type"] == list(TYPES)
    assert document["name"] == "cup"
    assert "cup" not in first.name
    assert not share(alice.account, alice.keyring, "friends/cup").fresh
    again = group(alice, "friends/cup", world.carol)
    assert (again.fresh, again.name) == (True, first.name)
    assert audience(alice, first.name) == world.for_(world.bob, world.carol)
    assert shared_as(alice.account, "friends/cup") == first.name
    assert end_sharing(alice.account, alice.keyring, "friends/cup")
    assert shared_as(alice.account, "friends/cup") is None
    assert not end_sharing(alice.account, alice.keyring, "friends/cup")


def test_who_is_blocked_or_cannot_be_written_to_stands_in_the_list_and_does_not_get_it(world: World) -> None:
    alice = world.alice
    Marks.load(alice.account).decide("block", subjects.person(world.bob.fpr))
    done = group(alice, "cup", world.bob, world.carol)
    assert done.left_out == {world.bob.fpr}
    assert audience(alice, done.name) == world.for_(world.carol)


# --- members -----------------------------------------------------------------------------------------------


def test_a_member_adopts_the_list_and_follows_its_newest_content(world: World) -> None:
    alice, bob = world.alice, world.bob
    name = group(alice, "cup", bob).name
    bob.fetch(alice, name)
    done = joined(bob, alice, name)
    assert (done.state, done.binding.group) == ("held", "cup")
    assert members(bob, "cup") == {"alice"}
    assert not followed(bob).changed
    group(alice, "cup", world.carol)
    bob.fetch(alice, name)
    done = followed(bob)
    assert [one.local_name for one in done.added] == ["carol"]
    assert members(bob, "cup") == {"alice", "carol"}
    alice.keyring.group_remove("cup", [alice.keyring.resolve("carol")])
    share(alice.account, alice.keyring, "cup")
    bob.fetch(alice, name)
    assert [one.local_name for one in followed(bob).removed] == ["carol"]
    assert members(bob, "cup") == {"alice"}
    assert bob.keyring.is_friend(world.carol.fpr)


def test_only_confirmed_friends_become_members_whatever_the_list_says(world: World) -> None:
    alice, bob, mallory = world.alice, world.bob, world.mallory
    alice.keyring.add(mallory.certificate, "mallory")
    name = group(alice, "cup", bob, mallory).name
    bob.fetch(alice, name)
    done = joined(bob, alice, name)
    assert done.listed is not None
    assert done.listed.members[mallory.fpr].key == bytes(mallory.certificate)
    assert members(bob, "cup") == {"alice"}
    assert bob.keyring.person(mallory.fpr) is None
    bob.keyring.add(mallory.certificate, "mal")
    assert [one.local_name for one in followed(bob).added] == ["mal"]


def test_who_is_removed_is_told_keeps_old_posts_and_writes_to_nobody_there_any_more(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    name = group(alice, "cup", bob, carol).name
    for member in (bob, carol):
        member.fetch(alice, name)
        joined(member, alice, name)
    alice.keyring.group_remove("cup", [alice.keyring.resolve("bob")])
    done = share(alice.account, alice.keyring, "cup")
    assert done.told == {bob.fpr}
    assert audience(alice, name) == world.for_(carol)
    for entry in alice.account.posts().entries():
        if entry.name not in (name, "keyring.json.pgp", "mau-groups.json.pgp"):
            for_whom = audience(alice, entry.name)
            assert for_whom == world.for_(bob)  # the word that it is gone, for him alone
            bob.fetch(alice, entry.name)
    carol.fetch(alice, name)
    obey(bob.account, bob.keyring, alice.fpr, deletes_of(bob.account, bob.keyring, alice.fpr), "version")
    done_here = followed(bob)
    assert done_here.state == "deleted"
    assert done_here.binding.ended
    assert members(bob, "cup") == set()
    assert followed(carol).state == "held"
    assert members(carol, "cup") == {"alice"}
    # And he may come back.
    group(alice, "cup", bob)
    bob.fetch(alice, name)
    carol.fetch(alice, name)
    assert followed(bob).state == followed(carol).state == "held"
    assert members(bob, "cup") == {"alice", "carol"}


def test_a_list_without_me_ends_it_though_i_can_read_it(world: World) -> None:
    alice, bob = world.alice, world.bob
    name = group(alice, "cup", bob).name
    bob.fetch(alice, name)
    joined(bob, alice, name)
    forged(alice, name, [world.carol], to=world.for_(bob, world.carol))
    bob.fetch(alice, name)
    assert followed(bob).state == "left out"
    assert members(bob, "cup") == set()


def test_the_list_that_another_member_writes_is_nobodys(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    name = group(alice, "cup", bob, carol).name
    bob.fetch(alice, name)
    joined(bob, alice, name)
    carol.keyring.add(world.mallory.certificate, "mallory")
    bob.keyring.add(world.mallory.certificate, "mallory")
    forged(carol, name, [carol, bob, world.mallory])
    bob.fetch(carol, name)
    # Under Alice's name it does not even open.
    assert not followed(bob).changed
    shutil.copy(carol.account.root.author_dir(carol.fpr) / name, bob.place(alice) / name)
    assert followed(bob).state == "broken"
    assert members(bob, "cup") == {"alice", "carol"}


def test_an_older_list_that_was_put_back_is_not_adopted_without_a_word(world: World) -> None:
    alice, bob = world.alice, world.bob
    name = group(alice, "cup", bob, world.carol).name
    bob.fetch(alice, name)
    older = (bob.place(alice) / name).read_bytes()
    joined(bob, alice, name)
    alice.keyring.group_remove("cup", [alice.keyring.resolve("carol")])
    share(alice.account, alice.keyring, "cup")
    bob.fetch(alice, name)
    assert followed(bob).changed
    bob.put(alice, name, older)
    assert followed(bob).state == "older"
    assert members(bob, "cup") == {"alice"}
    assert joined(bob, alice, name).changed
    assert members(bob, "cup") == {"alice", "carol"}


def test_a_list_that_is_not_there_changes_nothing(world: World) -> None:
    alice, bob = world.alice, world.bob
    name = group(alice, "cup", bob).name
    bob.fetch(alice, name)
    joined(bob, alice, name)
    (bob.place(alice) / name).unlink()
    assert followed(bob).state == "missing"
    assert members(bob, "cup") == {"alice"}


def test_the_list_of_who_is_blocked_is_not_followed(world: World) -> None:
    alice, bob = world.alice, world.bob
    name = group(alice, "cup", bob).name
    bob.fetch(alice, name)
    joined(bob, alice, name)
    group(alice, "cup", world.carol)
    bob.fetch(alice, name)
    Marks.load(bob.account).decide("block", subjects.person(alice.fpr))
    assert followed(bob).state == "blocked"
    assert members(bob, "cup") == {"alice"}
    with pytest.raises(UsageError, match="blocked"):
        joined(bob, alice, name)


def test_who_leaves_follows_no_list(world: World) -> None:
    alice, bob = world.alice, world.bob
    name = group(alice, "cup", bob).name
    bob.fetch(alice, name)
    joined(bob, alice, name)
    assert leave(bob.account, "cup")
    assert not leave(bob.account, "cup")
    assert follow_lists(bob.account, bob.keyring) == []
    assert members(bob, "cup") == {"alice"}


# --- tricks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "called",
    [
        "",
        "work/evil",
        "../x",
        "known",
        "@tea",
        "a.pgp",
        "te\u202ea",
        "TEA",
        "work",
        ".hidden",
        "x\x1b[2J",
        "-x",
        "b" * 65 + "\x00",
    ],
)
def test_a_group_is_called_what_could_be_no_trick_or_what_its_member_says(world: World, called: str) -> None:
    alice, bob = world.alice, world.bob
    for held in ("tea", "work/team"):
        bob.keyring.group_add(held, [bob.keyring.resolve("carol")])
    name = forged(alice, "2026-11-20-x.json.pgp", [alice, bob], called)
    bob.fetch(alice, name)
    with pytest.raises(UsageError):
        joined(bob, alice, name)
    assert bob.keyring.groups() == ["tea", "work", "work/team"]
    assert joined(bob, alice, name, "@alices").binding.group == "alices"
    assert members(bob, "alices") == {"alice"}
    assert members(bob, "tea") == {"carol"}


def test_a_list_of_ten_thousand_is_no_list(world: World) -> None:
    alice, bob = world.alice, world.bob
    document = compose_list(alice.fpr, "tea", [Member(alice.fpr), Member(bob.fpr)])
    document["member"] = [{"@id": f"mau:/p2p/{number:040x}"} for number in range(10_000)] + document["member"]
    name = "2026-11-20-x.json.pgp"
    publish_document(alice.account, alice.keyring, document, name, world.for_(bob))
    bob.fetch(alice, name)
    with pytest.raises(UsageError, match="too long"):
        joined(bob, alice, name)
    with pytest.raises(UsageError, match="at most"):
        compose_list(
            alice.fpr, "tea", [Member(type(alice.fpr)(n.to_bytes(20, "big"))) for n in range(MAX_MEMBERS + 1)]
        )


def test_what_cannot_be_joined(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    name = group(alice, "cup", carol).name
    with pytest.raises(NoSuchPost):
        joined(bob, alice, name)
    with pytest.raises(UsageError, match="your own"):
        joined(alice, alice, name)
    bob.fetch(alice, forged(alice, "others.json.pgp", [alice, carol], to=world.for_(bob)))
    with pytest.raises(UsageError, match="do not stand"):
        joined(bob, alice, "others.json.pgp")
    publish_document(
        alice.account, alice.keyring, {"@type": "Organization", "name": "x"}, "org.json.pgp", PUBLIC
    )
    bob.fetch(alice, "org.json.pgp")
    with pytest.raises(UsageError, match="no list"):
        joined(bob, alice, "org.json.pgp")
    bob.fetch(alice, forged(alice, "mine.json.pgp", [alice, bob]))
    joined(bob, alice, "mine.json.pgp")
    with pytest.raises(UsageError, match="somebody else"):
        share(bob.account, bob.keyring, "cup")


def test_the_key_of_somebody_else_under_a_members_name_is_found_out(world: World) -> None:
    from mau.groups.keys import hold_keys

    alice, bob, mallory = world.alice, world.bob, world.mallory
    zoe = SecretKey.generate("Zoe", "zoe@example.org").certificate
    document = compose_list(
        alice.fpr,
        "tea",
        [Member(bob.fpr), Member(mallory.fpr, key=bytes(zoe)), Member(zoe.fingerprint, key=bytes(zoe))],
    )
    publish_document(alice.account, alice.keyring, document, "x.json.pgp", world.for_(bob))
    bob.fetch(alice, "x.json.pgp")
    listed = joined(bob, alice, "x.json.pgp").listed
    assert listed is not None
    done = hold_keys(bob.keyring, listed)
    assert [one.fingerprint for one in done.held] == [zoe.fingerprint]
    assert done.missing == (mallory.fpr,)
    person = bob.keyring.person(zoe.fingerprint)
    assert person is not None
    assert not person.confirmed
    assert members(bob, "tea") == {"alice"}
