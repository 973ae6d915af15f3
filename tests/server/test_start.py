"""A server that starts finishes first what an earlier run, or a hand, left among the own posts."""

from __future__ import annotations

from mau.content.binding import PUBLIC
from tests.server.world import Someone, audience, serving


async def test_an_edit_in_place_while_no_program_ran_leaves_a_version(alice: Someone, bob: Someone) -> None:
    path = alice.publish("recipe", b"with salt", audience(bob))
    before = path.read_bytes()
    held = alice.account.posts().sha256("recipe.pgp")
    edited = alice.message(b"with sugar", [alice, bob], name="recipe", audience=audience(bob))
    path.write_bytes(edited)
    async with serving(alice) as host:
        assert await host.list(bob, alice) is not None
    versions = alice.account.posts().versions("recipe.pgp")
    assert [version.sha256 for version in versions] == [held]
    with alice.account.posts().open_version("recipe.pgp", held) as file:
        assert file.read() == before


async def test_temporary_files_of_a_killed_writer_are_gone(alice: Someone) -> None:
    path = alice.post("hello", PUBLIC)
    stray = path.with_name(".mau-0011223344556677.tmp")
    stray.write_bytes(b"half")
    async with serving(alice) as host:
        assert await host.list(None, alice) is not None
    assert not stray.exists()
