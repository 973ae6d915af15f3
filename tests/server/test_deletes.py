"""What was deleted is given out to nobody, however it comes back (spec/messages.md M84)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time

import pytest

from mau.acceptance import MAX_AHEAD
from mau.content.binding import PUBLIC, bind_document
from mau.deletion.held import deletes_of
from mau.deletion.publishing import delete_post, undelete
from mau.keyring import Keyring
from mau.wire.paths import version_path
from tests.server.pager import eventually, get_page, start, until
from tests.server.world import Host, Someone, audience, content_of, serving


def twice(author: Someone, *readers: Someone) -> list[bytes]:
    """A post with an older content; both, as they are stored."""
    contents = []
    for _ in range(2):
        contents.append(content_of(author.post("kettle", audience(author, *readers))))
    return contents


def delete(author: Someone) -> str:
    [said] = delete_post(author.account, author.keyring, "kettle.pgp").published
    return said.name.removesuffix(".pgp")


async def version(host: Host, who: Someone, author: Someone, content: bytes) -> int:
    sha256 = hashlib.sha256(content).hexdigest()
    return (await host.ask(who, version_path(author.fingerprint, "kettle.pgp", sha256))).status


async def test_neither_the_post_nor_its_versions_are_given_out(
    host: Host, alice: Someone, bob: Someone
) -> None:
    contents = twice(alice, bob)
    assert (await host.list(bob)).names == ["kettle"]
    assert [await version(host, bob, alice, one) for one in contents] == [200, 200]
    said = delete(alice)
    assert (await host.list(bob)).names == [said]
    assert (await host.get(bob, "kettle")).status == 404
    assert [await version(host, bob, alice, one) for one in contents] == [404, 404]
    assert (await host.get(bob, said)).status == 200


async def test_nor_when_the_file_reappears_by_hand(host: Host, alice: Someone, bob: Someone) -> None:
    contents = twice(alice, bob)
    assert (await host.get(bob, "kettle")).status == 200  # at hand now
    said = delete(alice)
    for content in contents:
        alice.own("kettle").write_bytes(content)
        for who in (bob, alice):
            assert (await host.list(who)).names.count("kettle") == 0
            assert (await host.get(who, "kettle")).status == 404
            assert await version(host, who, alice, content) == 404
    alice.own("kettle").unlink()
    undelete(alice.account, alice.keyring, "kettle.pgp")
    assert (await host.list(bob)).names == ["kettle"]
    assert (await host.get(bob, "kettle")).status == 200
    assert (await host.get(bob, said)).status == 404


async def test_nor_after_a_new_start_without_what_was_noted(alice: Someone, bob: Someone) -> None:
    _, last = twice(alice, bob)
    said = delete(alice)
    alice.own("kettle").write_bytes(last)
    (alice.account.root.path / ".reader" / "deletes.db").unlink()
    async with serving(alice) as host:
        assert (await host.list(bob)).names == [said]
        assert (await host.get(bob, "kettle")).status == 404


async def test_what_is_posted_anew_is_given_out(host: Host, alice: Someone, bob: Someone) -> None:
    twice(alice, bob)
    said = delete(alice)
    alice.post("kettle", audience(alice, bob))
    assert set((await host.list(bob)).names) == {"kettle", said}
    assert (await host.get(bob, "kettle")).status == 200


async def test_nobody_passes_on_what_another_deleted(alice: Someone, bob: Someone, carol: Someone) -> None:
    """Bob deleted a public post of his; Alice holds both, and chose to keep what is deleted."""
    bob.post("kettle", PUBLIC)
    content = content_of(bob.own("kettle"))
    said = delete(bob)
    alice.holds(bob, "kettle", content)
    alice.holds(bob, "other", bob.message(b"x", None, name="other", audience=PUBLIC))
    async with serving(alice) as host:
        assert set((await host.list(carol, bob)).names) == {"kettle", "other"}
        alice.holds(bob, said, content_of(bob.own(said)))
        assert set((await host.list(carol, bob)).names) == {said, "other"}
        assert (await host.get(carol, "kettle", author=bob)).status == 404


# --- what is given out again comes after all that was told -------------------------------------------------


async def test_a_delete_that_is_removed_by_hand_is_news_to_who_asks_for_news(
    host: Host, alice: Someone, bob: Someone
) -> None:
    _, last = twice(alice, bob)
    said = delete(alice)
    alice.own("kettle").write_bytes(last)
    await host.list(bob)
    alice.post("other", audience(alice, bob))
    page = await get_page(host, bob, start(alice, "limit=100"))
    assert page.names == [said, "other"]
    alice.own(said).unlink()
    await eventually(lambda: comes(host, bob, page.next))
    assert (await host.get(bob, "kettle")).status == 200


@pytest.mark.parametrize("looked", [False, True], ids=["nobody looked", "status looked"])
async def test_also_while_the_server_was_down(alice: Someone, bob: Someone, looked: bool) -> None:
    _, last = twice(alice, bob)
    said = delete(alice)
    alice.own("kettle").write_bytes(last)
    await asyncio.sleep(0.06)  # what was changed only now is noted as such
    async with serving(alice) as host:
        await host.list(bob)
        alice.post("other", audience(alice, bob))
        page = await get_page(host, bob, start(alice, "limit=100"))
        assert page.names == [said, "other"]
    alice.own(said).unlink()
    if looked:
        assert not deletes_of(alice.account, Keyring.load(alice.account), alice.fingerprint)
    async with serving(alice) as host:
        await eventually(lambda: comes(host, bob, page.next))


async def test_so_is_what_was_signed_ahead_and_came_of_age_while_the_server_was_down(
    alice: Someone, bob: Someone
) -> None:
    created = int(time.time()) + MAX_AHEAD + 3
    document = bind_document({"@type": "Note"}, alice.fingerprint, "kettle.pgp", audience(alice, bob))
    content = alice.message(json.dumps(document).encode(), [alice, bob], created=created)
    alice.own("kettle").write_bytes(content)
    async with serving(alice) as host:
        await host.list(bob)
        alice.post("other", audience(alice, bob))
        page = await get_page(host, bob, start(alice, "limit=100"))
        assert page.names == ["other"]
    await until(lambda: time.time() >= created - MAX_AHEAD)
    async with serving(alice) as host:
        await eventually(lambda: comes(host, bob, page.next))
        again = await get_page(host, bob, page.next)
        assert (await get_page(host, bob, again.next)).names == []
    async with serving(alice) as host:
        assert (await get_page(host, bob, again.next)).names == [], "once is enough"


async def comes(host: Host, who: Someone, path: str) -> bool:
    """Whether the kettle is among what is new."""
    return (await get_page(host, who, path)).names == ["kettle"]
