"""`mau edit`: a post of one's own says something else, for the same people, and the rest of it stays."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mau.content.binding import PUBLIC, Audience
from mau.publish import publish_document, publish_file
from mau.reader.open import OpenedPost, open_post
from mau.writing.drafts import drafts, keep_text, read_draft
from tests.cli.conftest import MAU
from tests.cli.desk import Desk, desk
from tests.cli.editors import Editor, editor
from tests.cli.inside import Inside, inside, trees, world
from tests.publish.world import PASSPHRASE, World, message

__all__ = ["desk", "editor", "inside", "trees", "world"]

NAME = "kettle.json.pgp"


def post(world: World, words: Mapping[str, Any], audience: Audience | None = None, name: str = NAME) -> str:
    alice = world.alice
    audience = world.for_(world.bob) if audience is None else audience
    document = {"@type": "SocialMediaPosting", "articleBody": "The kettle is on.\n", **words}
    return publish_document(alice.account, alice.keyring, document, name, audience).sha256


def share(world: World, data: bytes, name: str, filename: str | None = None) -> str:
    alice = world.alice
    return publish_file(
        alice.account, alice.keyring, io.BytesIO(data), name, world.for_(world.bob), filename
    ).sha256


def opened(world: World, name: str = NAME) -> OpenedPost:
    return open_post(world.alice.account, world.alice.keyring, world.alice.fpr, name)


def document(world: World, name: str = NAME) -> dict[str, Any]:
    read = opened(world, name).document
    assert read is not None
    return read


def test_the_text_changes_and_the_old_one_is_a_version(inside: Inside, editor: Editor) -> None:
    world = inside.world
    odd = {"odd": {"deep": [1, {"er": None}]}, "keywords": "a, b", "@type": ["SocialMediaPosting", "Odd"]}
    before = post(world, odd)
    old = document(world)
    editor.sets("s/kettle/pot/")
    done = inside.mau(world.alice, "edit", "kettle")
    assert "For bob.\n" in done.err
    assert f"kept as version {before[:12]}" in done.err
    new = document(world)
    assert new.pop("dateModified")
    assert new == {**old, "articleBody": "The pot is on."}
    assert opened(world).audience == world.for_(world.bob)
    assert [one.sha256 for one in world.alice.account.posts().versions(NAME)] == [before]
    world.bob.fetch(world.alice, NAME)
    read = open_post(world.bob.account, world.bob.keyring, world.alice.fpr, NAME)
    assert (read.problem, read.notes, (read.document or {})["articleBody"]) == (None, (), "The pot is on.")
    assert "for: [bob]" in editor.given
    assert "Not shown, and kept as it is (--raw shows it): odd" in editor.given


def test_left_or_emptied_it_stays_what_it_was(inside: Inside, editor: Editor) -> None:
    before = post(inside.world, {})
    for todo in ("true", ': > "$1"', 'echo >> "$1"', "sed -i '/^#/d' $1"):
        for raw in ([], ["--raw"]):
            editor.does(todo)
            done = inside.mau(inside.world.alice, "edit", "kettle", *raw)
            assert "nothing is published" in done.err
            assert done.out == b""
            assert inside.world.alice.account.posts().sha256(NAME) == before


def test_raw_shows_everything(inside: Inside, editor: Editor) -> None:
    world = inside.world
    post(world, {"odd": {"deep": 1}})
    old = document(world)
    editor.sets('s/"deep": 1/"deep": [2, "x"]/')
    inside.mau(world.alice, "edit", "kettle", "--raw")
    assert json.loads(editor.given) == old
    new = document(world)
    assert new.pop("dateModified")
    assert new == {**old, "odd": {"deep": [2, "x"]}}
    assert opened(world).audience == world.for_(world.bob)


def test_the_audience_changes_in_the_page_in_the_document_and_by_options(
    inside: Inside, editor: Editor
) -> None:
    world = inside.world
    post(world, {})
    editor.sets("s/^for:.*/for: [bob, carol]/")
    inside.mau(world.alice, "edit", "kettle")
    assert opened(world).audience == world.for_(world.bob, world.carol)
    editor.sets(f"s/{world.bob.fpr}/{world.alice.fpr}/")
    inside.mau(world.alice, "edit", "kettle", "--raw")
    assert opened(world).audience == world.for_(world.carol)
    editor.sets("s/kettle/pot/")
    inside.mau(world.alice, "edit", "kettle", "--public")
    assert "for: [public]" in editor.given
    assert opened(world).audience is PUBLIC
    inside.mau(world.alice, "edit", "kettle", "--public")
    editor.sets("s/pot/cup/")
    inside.mau(world.alice, "edit", "kettle")
    assert opened(world).audience is PUBLIC


def test_what_options_ask_for_needs_no_other_text(inside: Inside, editor: Editor, tmp_path: Path) -> None:
    world = inside.world
    before = post(world, {})
    share(world, b"text\n", "notes.pgp")
    (tmp_path / "a.txt").write_text("the file")
    editor.does(': > "$1"')
    inside.mau(world.alice, "edit", "kettle", "--to", "carol")
    assert world.alice.account.posts().sha256(NAME) == before
    editor.does("true")
    inside.mau(world.alice, "edit", "kettle", "--to", "bob")
    assert world.alice.account.posts().sha256(NAME) == before
    for name in ("kettle", "notes"):
        inside.mau(world.alice, "edit", name, "--to", "carol")
    assert opened(world).audience == opened(world, "notes.pgp").audience == world.for_(world.carol)
    inside.mau(world.alice, "edit", "kettle", "--attach", tmp_path / "a.txt")
    assert document(world)["associatedMedia"][0]["name"] == "a.txt"


def test_who_cannot_be_written_to_is_named_first(inside: Inside, editor: Editor) -> None:
    world = inside.world
    post(world, {}, world.for_(world.bob, world.carol))
    world.alice.keyring.remove(world.carol.fpr)
    editor.sets("s/kettle/pot/")
    done = inside.mau(world.alice, "edit", "kettle")
    assert done.err.startswith(
        f"Left out, because nothing can be encrypted for them now: {world.carol.fpr}.\n"
    )
    assert opened(world).audience == world.for_(world.bob)


def test_files_go_along_to_a_new_audience(inside: Inside, editor: Editor, tmp_path: Path) -> None:
    world = inside.world
    (tmp_path / "a.txt").write_text("the file")
    name = inside.name(world.alice, "post", "--to", "bob", "--attach", tmp_path / "a.txt", "text")
    editor.sets("s/^for:.*/for: carol/")
    inside.mau(world.alice, "edit", name)
    (media,) = document(world, name)["associatedMedia"]
    file = media["contentUrl"].rpartition("/")[2]
    assert media["sha256"] == world.alice.account.posts().sha256(file)
    assert opened(world, file).audience == world.for_(world.carol)
    assert opened(world, file).opened.data == b"the file"


def test_a_shared_text_is_edited_as_it_is(inside: Inside, editor: Editor) -> None:
    world = inside.world
    share(world, b"---\n# no page\r\n[x]\n", "notes.pgp", "my notes.TXT")
    editor.does('sed -i s/x/y/ "$1"; basename "$1" > "$0.name"')
    inside.mau(world.alice, "edit", "notes")
    found = opened(world, "notes.pgp")
    assert found.opened.data == b"---\n# no page\r\n[y]\n"
    assert (found.filename, found.audience) == ("my notes.TXT", world.for_(world.bob))
    assert found.statement.bound
    assert Path(f"{os.environ['MAU_EDITOR'].split()[1]}.name").read_text() == "post.txt\n"


def test_a_shared_json_file_is_a_text(inside: Inside, editor: Editor) -> None:
    world = inside.world
    share(world, b'{"b":1,\n  "a":2}', "settings.json.pgp", "settings.json")
    editor.sets("s/2/3/")
    inside.mau(world.alice, "edit", "settings.json")
    assert opened(world, "settings.json.pgp").opened.data == b'{"b":1,\n  "a":3}'


def test_a_document_of_another_program_keeps_its_context(inside: Inside, editor: Editor) -> None:
    world = inside.world
    note = {"@context": "https://www.w3.org/ns/activitystreams", "type": "Note", "content": "Hello"}
    world.alice.put(
        world.alice, "note.pgp", message(world.alice.key, json.dumps(note).encode(), [world.alice, world.bob])
    )
    editor.sets("s/Hello/Bye/")
    inside.mau(world.alice, "edit", "note")
    assert document(world, "note.pgp") == {**note, "content": "Bye"}
    assert opened(world, "note.pgp").statement.bound
    assert opened(world, "note.pgp").audience == world.for_(world.bob)
    editor.sets("s/Bye/Hi/")
    inside.mau(world.alice, "edit", "note")
    assert document(world, "note.pgp")["content"] == "Hi"


def test_what_is_not_edited(inside: Inside, editor: Editor) -> None:
    world = inside.world
    share(world, b"\x89PNG\0", "picture.pgp")
    publish_document(world.bob.account, world.bob.keyring, {"text": "x"}, "theirs.pgp", PUBLIC)
    world.alice.fetch(world.bob, "theirs.pgp")
    for name, code, says in (
        ("picture", 2, "no text that an editor could show"),
        ("keyring.json", 2, "commands of its own"),
        ("nothing", 1, "no post and no draft"),
        ("bob/theirs.pgp", 2, "somebody else's"),
    ):
        assert says in inside.mau(world.alice, "edit", name, code=code).err


def test_what_is_wrong_is_kept_and_gone_on_with(desk: Desk, editor: Editor) -> None:
    world = desk.world
    before = post(world, {})
    editor.sets("s/^title:.*//", "s/^for:.*/for: nobody/", text="more\n")
    done = desk.mau(world.alice, "edit", "kettle", code=2)
    assert "the draft kettle.json.edit.md.gpg" in done.err
    (draft,) = drafts(world.alice.account)
    assert read_draft(world.alice.account, draft).base == before
    assert "The kettle is on.\nmore" in read_draft(world.alice.account, draft).text
    post(world, {"odd": 1, "articleBody": "The kettle is on.\n"})  # somebody else was quicker
    editor.sets("s/nobody/carol/")
    shown = desk.terminal(
        world.alice,
        "edit",
        "kettle",
        typed=[("Go on with kettle.json.edit.md.gpg, which was not published? [Y/n]: ", "")],
    )
    assert "Your changes are put into what it says now." in shown
    assert (document(world)["articleBody"], document(world)["odd"]) == ("The kettle is on.\nmore", 1)
    assert opened(world).audience == world.for_(world.carol)
    assert drafts(world.alice.account) == []


def test_a_kept_text_is_not_lost_to_another_edit(inside: Inside, editor: Editor) -> None:
    world = inside.world
    post(world, {})
    for who in ("nobody", "somebody"):
        editor.sets(f"s/^for:.*/for: {who}/")
        inside.mau(world.alice, "edit", "kettle", code=2)
    editor.sets("s/kettle/pot/")
    inside.mau(world.alice, "edit", "kettle")
    assert [draft.name for draft in drafts(world.alice.account)] == ["kettle.json.edit-2", "kettle.json.edit"]


MEANWHILE = """\
import sys
sys.path.insert(0, {here!r})
from pathlib import Path
from mau.account import Account
from mau.keyring import Keyring
from mau.publish import publish_document
from mau.tree.layout import Root
account = Account.open(Root(Path({root!r})), {passphrase!r})
words = {{"@type": "SocialMediaPosting", {words}}}
publish_document(account, Keyring.load(account), words, {name!r}, frozenset({{account.fingerprint}}))
"""


def meanwhile(inside: Inside, editor: Editor, change: str, words: str) -> None:
    """An editor during which another program puts something else there."""
    script = MEANWHILE.format(
        here=str(Path.cwd()),
        root=str(inside.world.alice.account.root.path),
        passphrase=PASSPHRASE,
        words=words,
        name=NAME,
    )
    program = Path(os.environ["MAU_EDITOR"].split()[1]).with_name("meanwhile.py")
    program.write_text(script)
    editor.does(f'sed -i "{change}" "$1"; {MAU[0]} {program} || exit 9')


def test_changes_of_different_words_are_both_kept(inside: Inside, editor: Editor) -> None:
    world = inside.world
    post(world, {"headline": "Tea"}, world.for_())
    words = '"headline": "Tea", "articleBody": "The kettle is on.\\n", "odd": 1'
    meanwhile(inside, editor, "s/title: Tea/title: Coffee/", words)
    done = inside.mau(world.alice, "edit", "kettle")
    assert "Your changes are put into what it says now." in done.err
    assert (document(world)["headline"], document(world)["odd"]) == ("Coffee", 1)
    assert len(world.alice.account.posts().versions(NAME)) == 2


def test_changes_of_the_same_word_are_for_the_person_to_decide(inside: Inside, editor: Editor) -> None:
    world = inside.world
    post(world, {"headline": "Tea"}, world.for_())
    meanwhile(inside, editor, "s/title: Tea/title: Coffee/", '"headline": "Milk"')
    done = inside.mau(world.alice, "edit", "kettle", code=1)
    assert "changed meanwhile; nothing was published" in done.err
    assert document(world)["headline"] == "Milk"
    (draft,) = drafts(world.alice.account)
    assert "title: Coffee" in read_draft(world.alice.account, draft).text


def test_drafts_are_edited_in_place(inside: Inside, editor: Editor) -> None:
    world, account = inside.world, inside.world.alice.account
    path = account.root.author_dir(account.fingerprint) / "plan.md"
    path.write_text("one")
    keep_text(account, "secret", "md", b"one")
    editor.sets("s/one/two/")
    assert inside.mau(world.alice, "edit", "plan").text == "plan\n"
    assert path.read_text() == "two"
    inside.mau(world.alice, "edit", "secret")
    plain, kept = drafts(account)
    assert (plain.kept, kept.kept) == (False, True)
    assert read_draft(account, kept).text == "two"


def test_nothing_decrypted_lies_on_the_disk_meanwhile(inside: Inside, editor: Editor, tmp_path: Path) -> None:
    world = inside.world
    post(world, {"articleBody": "xyzzy-plugh"})
    editor.does(f"grep -rl xyzzy-plugh {tmp_path} --exclude=given > $0.found; sed -i s/plugh/thud/ $1")
    inside.mau(world.alice, "edit", "kettle")
    assert Path(f"{os.environ['MAU_EDITOR'].split()[1]}.found").read_text().split() == [
        os.environ["MAU_EDITOR"].split()[1]
    ]
    assert document(world)["articleBody"] == "xyzzy-thud"


def test_a_large_text_is_edited_in_memory_and_a_larger_one_not_at_all(
    inside: Inside, editor: Editor, tmp_path: Path
) -> None:
    world = inside.world
    text = b"xyzzy-plugh " * 200_000
    share(world, text, "large.pgp", "large.txt")
    editor.does(f"grep -rl xyzzy-plugh {tmp_path} --exclude=given > $0.found; echo more >> $1")
    inside.mau(world.alice, "edit", "large")
    assert Path(f"{os.environ['MAU_EDITOR'].split()[1]}.found").read_text().split() == [
        os.environ["MAU_EDITOR"].split()[1]
    ]
    assert opened(world, "large.pgp").opened.size == len(text) + len("more\n")
    share(world, bytes(17 << 20), "larger.pgp")
    assert "too much for an editor" in inside.mau(world.alice, "edit", "larger", code=2).err


def test_gpg_reads_what_was_edited(inside: Inside, editor: Editor) -> None:
    world = inside.world
    post(world, {}, PUBLIC)
    editor.sets("s/kettle/pot/")
    inside.mau(world.alice, "edit", "kettle")
    place = world.alice.account.root.author_dir(world.alice.fpr) / NAME
    packets = subprocess.run(
        ["gpg", "--list-packets", str(place)], capture_output=True, check=False, timeout=30
    ).stdout
    assert b"onepass_sig" in packets
