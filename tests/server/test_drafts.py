"""Drafts, what is kept of them and what is noted about them never leave, whoever asks for them and how."""

from __future__ import annotations

from mau.content.binding import PUBLIC
from mau.writing.drafts import keep_text
from tests.server.world import Host, Someone

NAMES = ("plan.md", "plan.json", "secret.md.gpg", ".plan.md.publishing", ".plan.md.swp")


async def test_no_draft_is_listed_or_given_out(host: Host, alice: Someone, bob: Someone) -> None:
    place = alice.own("x").parent
    alice.publish("public", b"1", PUBLIC)
    (place / "plan.md").write_text("---\nfor: public\n---\nfor nobody yet")
    (place / "plan.json").write_text("{}")
    (place / ".plan.md.publishing").write_text("{}")
    (place / ".plan.md.swp").write_text("x")
    keep_text(alice.account, "secret", "md", b"x")
    for who in (None, bob, alice):
        assert not {f"{name}.pgp" for name in NAMES} & set((await host.list(who)).names)
        assert not set(NAMES) & set((await host.list(who)).names)
        for name in NAMES:
            for asked in (name, f"{name}.pgp", name.removesuffix(".gpg"), f"./{name}", f"%2e/{name}"):
                assert (await host.ask(who, f"/p2p/{alice.fingerprint}/{asked}")).status in {400, 404}
        archive = await host.ask(who, f"/p2p/{alice.fingerprint}", headers={"Accept": "application/x-tar"})
        assert b"plan" not in archive.body
        assert b"secret" not in archive.body
