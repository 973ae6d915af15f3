"""`mau publish`: a draft becomes one post, and so does each finished file of a folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mau.content.binding import PUBLIC
from mau.errors import NoSuchPost
from mau.reader.open import OpenedPost, open_post
from mau.writing.drafts import drafts, keep_text, locked_draft
from mau.writing.folder import Folder
from mau.writing.publishing import Source, note, noted_name
from tests.cli.conftest import MAU, PATIENCE
from tests.cli.inside import Inside, inside, trees, world
from tests.publish.world import PASSPHRASE, World

__all__ = ["inside", "trees", "world"]

PAGE = "---\ntitle: Tea\nfor: bob\n---\nWith milk.\n"


def own(world: World) -> Path:
    return world.alice.account.root.author_dir(world.alice.fpr)


def held(world: World) -> list[str]:
    return sorted(set(world.alice.account.posts().names()) - {"keyring.json.pgp"})


def files(world: World) -> list[str]:
    """Everything in the own directory but the keyring."""
    names = (path.name for path in own(world).iterdir())
    return sorted(name for name in names if not name.startswith("keyring.json.pgp"))


def opened(world: World, name: str) -> OpenedPost:
    return open_post(world.alice.account, world.alice.keyring, world.alice.fpr, name)


def body(world: World, name: str) -> str:
    document = opened(world, name).document
    assert document is not None
    return str(document["articleBody"])


def test_a_draft_becomes_a_post_and_goes(inside: Inside) -> None:
    world = inside.world
    (own(world) / "tea.md").write_text(PAGE)
    name = inside.name(world.alice, "publish", "tea")
    assert "tea" not in name
    assert body(world, name) == "With milk."
    assert opened(world, name).audience == world.for_(world.bob)
    assert files(world) == [name]


def test_options_count_before_the_page(inside: Inside) -> None:
    world = inside.world
    (own(world) / "tea.md").write_text(PAGE)
    name = inside.name(world.alice, "publish", "tea.md", "--public", "--keep")
    assert name == "tea.json.pgp"
    assert opened(world, name).audience is PUBLIC
    assert (own(world) / "tea.md").exists()
    assert inside.name(world.alice, "publish", "tea", "--me", "--name", "cup") == "cup.pgp"
    assert drafts(world.alice.account) == []


def test_a_document_says_its_audience_itself(inside: Inside) -> None:
    world = inside.world
    audience = [{"@id": f"mau:/p2p/{world.bob.fpr}"}]
    document = {"@context": "https://schema.org", "@type": "Poem", "name": "Ode", "audience": audience}
    (own(world) / "ode.json").write_text(json.dumps(document))
    name = inside.name(world.alice, "publish", "ode")
    assert opened(world, name).audience == world.for_(world.bob)


def test_a_draft_that_is_not_published_stays(inside: Inside) -> None:
    world = inside.world
    for text, code, says in (
        ("no words", 2, "for whom?"),
        ("---\nfor: nobody\n---\nx", 2, "nobody is called"),
        ("---\nfor: me\n---\n", 2, "tea.md: a SocialMediaPosting needs a text"),
        ("---\nfor: me\nattach: [none.jpg]\n---\nx", 1, "none.jpg"),
    ):
        (own(world) / "tea.md").write_text(text)
        assert says in inside.mau(world.alice, "publish", "tea", code=code).err
        assert (own(world) / "tea.md").read_text() == text
        assert files(world) == ["tea.md"]


def test_a_kept_text_and_a_file_elsewhere(inside: Inside, tmp_path: Path) -> None:
    world = inside.world
    keep_text(world.alice.account, "secret", "md", PAGE.encode())
    assert body(world, inside.name(world.alice, "publish", "secret")) == "With milk."
    assert drafts(world.alice.account) == []
    keep_text(world.alice.account, "x.edit", "md", PAGE.encode())
    assert "mau edit x" in inside.mau(world.alice, "publish", "x.edit", code=2).err
    (tmp_path / "page.md").write_text(PAGE)
    assert body(world, inside.name(world.alice, "publish", str(tmp_path / "page.md"))) == "With milk."
    assert (tmp_path / "page.md").exists()
    assert not (tmp_path / ".page.md.publishing").exists()


def test_a_page_or_a_document_from_stdin(inside: Inside) -> None:
    world = inside.world
    assert body(world, inside.name(world.alice, "publish", "-", stdin=PAGE.encode())) == "With milk."
    document = b' {"@type": "SocialMediaPosting", "articleBody": "x"}'
    name = inside.name(world.alice, "publish", "-", "--me", "--name", "x", stdin=document)
    assert body(world, name) == "x"
    assert files(world)[-1] == "x.pgp"


def test_one_program_publishes_a_draft(inside: Inside) -> None:
    world = inside.world
    (own(world) / "tea.md").write_text(PAGE)
    (draft,) = drafts(world.alice.account)
    with locked_draft(world.alice.account, draft):
        assert "another program" in inside.mau(world.alice, "publish", "tea", code=1).err
    assert held(world) == []
    with pytest.raises(NoSuchPost), locked_draft(world.alice.account, replace(draft, file="gone.md")):
        pass


def test_what_was_cut_off_after_the_post_is_not_posted_twice(inside: Inside) -> None:
    world = inside.world
    path = own(world) / "tea.md"
    path.write_text(PAGE)
    name = inside.name(world.alice, "publish", "tea")
    path.write_text(PAGE)  # as if it had never been removed
    note(Source.of(path, PAGE.encode()), name)
    done = inside.mau(world.alice, "publish", "tea")
    assert "published before" in done.err
    assert held(world) == [name]
    assert files(world) == [name]


def test_what_was_cut_off_before_the_post_is_posted_under_its_name(inside: Inside) -> None:
    world = inside.world
    path = own(world) / "tea.md"
    path.write_text(PAGE)
    note(Source.of(path, PAGE.encode()), "2026-11-20-abcdefgh.json.pgp")
    assert inside.name(world.alice, "publish", "tea") == "2026-11-20-abcdefgh.json.pgp"
    path.write_text(PAGE)
    note(Source.of(path, PAGE.encode()), "2026-11-20-abcdefgh.json.pgp")
    path.write_text(PAGE + "And sugar.\n")  # changed since it was cut off: it is still that post
    assert inside.name(world.alice, "publish", "tea") == "2026-11-20-abcdefgh.json.pgp"
    assert body(world, "2026-11-20-abcdefgh.json.pgp").endswith("And sugar.")
    assert noted_name(path) is None


def test_a_note_of_others_leads_nowhere(inside: Inside) -> None:
    world = inside.world
    path = own(world) / "tea.md"
    path.write_text(PAGE)
    for text in ("", "[]", '{"name": "../x.pgp", "sha256": ""}', '{"name": 1}'):
        (own(world) / ".tea.md.publishing").write_text(text)
        assert noted_name(path) is None
    inside.name(world.alice, "publish", "tea")


def folder(tmp_path: Path, **files: str) -> Path:
    place = tmp_path / "outbox"
    place.mkdir(exist_ok=True)
    for name, text in files.items():
        (place / name.replace("_", ".")).write_text(text)
    return place


def test_a_folder_once(inside: Inside, tmp_path: Path) -> None:
    world = inside.world
    bad = "---\nfor: me\na: b: c"
    place = folder(tmp_path, tea_md=PAGE, nobody_md="no audience", open_md=PAGE, bad_md=bad)
    (place / ".open.md.swp").touch()
    (place / "picture.jpg").touch()
    (place / "link.md").symlink_to(tmp_path / "x")
    (place / "empty.md").touch()
    done = inside.mau(world.alice, "publish", "--watch", place, "--once", code=3)
    (name,) = held(world)
    assert done.text == f"{name}\n"
    assert f"Posted tea.md as {name} for bob." in done.err
    assert "Left: nobody.md: it does not say for whom" in done.err
    assert "Left: open.md: open in an editor, which keeps .open.md.swp" in done.err
    assert "Left: bad.md: line 1" in done.err
    assert "picture" not in done.err
    assert (place / "published" / "tea.md").read_text() == PAGE
    assert sorted(path.name for path in place.glob("*.md")) == [
        "bad.md",
        "empty.md",
        "link.md",
        "nobody.md",
        "open.md",
    ]


def test_the_setting_for_an_audience_is_none_for_a_folder(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAU_POST_AUDIENCE", "friends")
    place = folder(tmp_path, nobody_md="no audience")
    inside.mau(inside.world.alice, "publish", "--watch", place, "--once", code=3)
    assert held(inside.world) == []


def test_a_folder_does_not_publish_what_lies_outside_of_it(inside: Inside, tmp_path: Path) -> None:
    world = inside.world
    (tmp_path / "private.txt").write_text("private")
    place = folder(tmp_path, in_txt="inside")
    (place / "link.txt").symlink_to(tmp_path / "private.txt")
    for number, path in enumerate(("../private.txt", str(tmp_path / "private.txt"), "link.txt")):
        (place / f"x{number}.md").write_text(f"---\nfor: public\nattach: [{path}]\n---\nx")
    done = inside.mau(world.alice, "publish", "--watch", place, "--once", code=3)
    assert done.err.count("outside of the folder") == 2
    assert "'link.txt' is no regular file" in done.err  # no link is followed
    assert held(world) == []
    (place / "x.md").write_text("---\nfor: bob\nattach: [in.txt]\n---\nx")
    name = inside.mau(world.alice, "publish", "--watch", place, "--once", code=3).text.strip()
    document = opened(world, name).document
    assert document is not None
    assert document["associatedMedia"][0]["name"] == "in.txt"


def test_the_same_file_again_is_another_post(inside: Inside, tmp_path: Path) -> None:
    world = inside.world
    for number in (1, 2):
        place = folder(tmp_path, tea_md=PAGE)
        inside.mau(world.alice, "publish", "--watch", place, "--once")
        assert len(held(world)) == number
    assert sorted(path.name for path in (place / "published").iterdir()) == ["tea-2.md", "tea.md"]


def test_a_file_after_one_that_was_cut_off_is_another_post(inside: Inside, tmp_path: Path) -> None:
    world = inside.world
    place = folder(tmp_path, tea_md=PAGE)
    inside.mau(world.alice, "publish", "--watch", place, "--once")
    (first,) = held(world)
    note(Source.of(place / "tea.md", PAGE.encode()), first)  # as if it had been cut off before the note went
    note(Source.of(place / "gone.md", b"x"), "gone.pgp")
    (place / ".mau-0123456789abcdef.tmp").touch()
    (place / "tea.md").write_text(PAGE + "And sugar.\n")
    inside.mau(world.alice, "publish", "--watch", place, "--once")
    assert len(held(world)) == 2
    assert body(world, first) == "With milk."
    assert [path.name for path in place.iterdir()] == ["published"]


def test_words_that_do_not_fit(inside: Inside) -> None:
    for words in (
        ["--watch", ".", "x"],
        ["--watch", ".", "--public"],
        ["--watch", ".", "--keep"],
        [],
        ["x", "--once"],
    ):
        inside.mau(inside.world.alice, "publish", *words, code=2)


def test_two_programs_do_not_watch_the_same_folder(inside: Inside, tmp_path: Path) -> None:
    place = folder(tmp_path, tea_md=PAGE)
    with Folder.opened(place):
        done = inside.mau(inside.world.alice, "publish", "--watch", place, "--once", code=1)
    assert "already" in done.err
    assert held(inside.world) == []


def test_watching_publishes_what_appears(inside: Inside, tmp_path: Path) -> None:
    world = inside.world
    place = folder(tmp_path)
    process = subprocess.Popen(
        [*MAU, "--dir", str(world.alice.account.root.path), "publish", "--watch", str(place), "--json"],
        env={**os.environ, "MAU_PASSPHRASE": PASSPHRASE},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"Publishing what appears" in process.stderr.readline()
        (place / ".tea.md.tmp").write_text(PAGE)
        (place / ".tea.md.tmp").rename(place / "tea.md")
        facts = json.loads(process.stdout.readline())
        assert facts["file"] == "tea.md"
        (place / "nobody.md").write_text("x")
        assert b"Posted tea.md" in process.stderr.readline()
        assert b"Left: nobody.md" in process.stderr.readline()
        (place / "nobody.md").write_text("---\nfor: me\n---\nx")
        assert json.loads(process.stdout.readline())["audience"] == [world.alice.fpr.hex]
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.communicate()
    assert len(held(world)) == 2
