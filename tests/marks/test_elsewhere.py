"""What others of our programs do with marks: news, contact posts, the library, what is fetched."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import mau
from mau.catalogue import open_index
from mau.contact.document import CONTACT_NAME, ContactFacts
from mau.contact.post import publish_contact
from mau.content.address import Address, person_iri, post_iri
from mau.content.binding import PUBLIC, Audience
from mau.errors import NoAudience, UsageError
from mau.groups.following import join
from mau.groups.sharing import share
from mau.keyring import Keyring
from mau.marks import Marks
from mau.marks import subject as subjects
from mau.openpgp import open_message
from mau.publish import publish_document
from mau.reader.news import News, Newsroom
from mau.reader.open import open_post
from mau.syncer.worker import Worker
from mau.web.shelf import Shelf, library_for
from mau.web.site import export_site
from tests.publish.world import PASSPHRASE, Someone, World


def marks(of: Someone) -> Marks:
    return Marks.load(of.account)


def audience(author: Someone, name: str) -> Audience | None:
    return open_post(author.account, Keyring.load(author.account), author.fpr, name).audience


def test_nobody_is_told_of_what_is_muted_or_blocked(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    names: list[str] = []

    def bring(author: Someone, text: str, **more: object) -> list[str]:
        name = f"{len(names)}.json.pgp"
        names.append(name)
        publish_document(author.account, author.keyring, {"articleBody": text, **more}, name, PUBLIC)
        alice.fetch(author, name)
        room.refresh()
        return [one.item.name for one in room.look(author.fpr, name) if isinstance(one, News)]

    for author in (bob, carol):
        alice.place(author)
    with open_index(alice.account.root) as index:
        room = Newsroom(alice.account, alice.keyring, index)
        room.begin()
        assert bring(bob, "one") == ["0.json.pgp"]
        marks(alice).decide("mute", subjects.tag("tea"))
        marks(alice).decide("mute", subjects.words("at the end"))
        marks(alice).decide("block", subjects.person(carol.fpr))
        assert bring(bob, "some #tea") == []
        assert bring(bob, "x" * 1000 + " at the end") == []
        assert bring(carol, "two") == []
        assert bring(bob, "three") == ["4.json.pgp"]
        marks(alice).decide("mute", subjects.thread(Address(alice.fpr, "mine.json.pgp")))
        answer = {"@id": post_iri(alice.fpr, "mine.json.pgp")}
        assert bring(bob, "four", parentItem=answer) == []
        marks(alice).decide("block", subjects.person(carol.fpr), on=False)
        assert bring(carol, "five") == ["6.json.pgp"]


def test_who_is_blocked_is_not_told_where_i_am(world: World) -> None:
    alice = world.alice
    facts = ContactFacts((("192.0.2.1", 8880),))
    assert publish_contact(alice.account, alice.keyring, facts)
    assert audience(alice, CONTACT_NAME) == world.for_(world.bob, world.carol)
    marks(alice).decide("block", subjects.person(world.bob.fpr))
    assert publish_contact(alice.account, alice.keyring, facts)
    assert audience(alice, CONTACT_NAME) == world.for_(world.carol)


async def test_programs_leave_the_blocked_out_and_follow_shared_groups(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    bob.keyring.group_add("cup", [bob.keyring.resolve("alice"), bob.keyring.resolve("carol")])
    name = share(bob.account, bob.keyring, "cup").name
    alice.fetch(bob, name)
    join(alice.account, alice.keyring, Address(bob.fpr, name))
    bob.keyring.group_remove("cup", [bob.keyring.resolve("carol")])
    share(bob.account, bob.keyring, "cup")
    alice.fetch(bob, name)
    async with mau.open_account(alice.account.root.path, passphrase=PASSPHRASE) as me:
        posted = await me.post("hello", to="@cup")
        assert audience(alice, posted.name) == world.for_(bob)
        marks(alice).decide("block", subjects.person(bob.fpr))
        posted = await me.post("hello", to="friends")
        assert audience(alice, posted.name) == world.for_(carol)
        for to in ("@cup", "bob", ["carol", "bob"], bob.fpr):
            with pytest.raises((UsageError, NoAudience)):
                await me.post("hello", to=to)


async def test_who_is_blocked_is_not_followed_by_a_worker_that_runs(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    worker, stop = Worker(alice.account, alice.keyring), asyncio.Event()
    marks(alice).decide("block", subjects.person(bob.fpr))
    task = asyncio.create_task(worker.run(stop))
    try:
        async with asyncio.timeout(20):
            while worker.following != {carol.fpr}:  # noqa: ASYNC110 - what is on the disk tells nobody
                await asyncio.sleep(0.01)
            marks(alice).decide("block", subjects.person(bob.fpr), on=False)
            marks(alice).decide("block", subjects.person(carol.fpr))
            while worker.following != {bob.fpr}:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        stop.set()
        await task


def test_no_mark_is_on_a_page_of_the_web(world: World, tmp_path: Path) -> None:
    alice = world.alice
    publish_document(alice.account, alice.keyring, {"articleBody": "x"}, "public.json.pgp", PUBLIC)
    marks(alice).decide("mute", subjects.tag("tea"))
    marks(alice).mark_all_read()
    with library_for(alice.account, alice.keyring) as library:
        export_site(Shelf(alice.account, library), tmp_path / "site")
    names = {path.name for path in (tmp_path / "site").rglob("*") if path.is_file()}
    assert any("public" in name for name in names)
    assert not any("marks" in name or "mau-read" in name for name in names)


def test_gpg_or_anything_that_opens_messages_reads_them(world: World) -> None:
    """They are files like any other: a message to oneself, JSON-LD inside."""
    alice = world.alice
    marks(alice).decide("mute", subjects.person(world.bob.fpr))
    with alice.account.posts().open("mau-marks.json.pgp") as file:
        opened = open_message(file, key=alice.key, author=alice.certificate)
    assert opened.data is not None
    assert f'"@id":"{person_iri(world.bob.fpr)}"'.encode() in opened.data
    assert b'"IgnoreAction"' in opened.data
