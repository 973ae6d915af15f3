"""`mau new`: what a person writes in his editor becomes a post of that type, or is kept."""

from __future__ import annotations

import json

import pytest

from mau.content.binding import PUBLIC
from mau.reader.open import OpenedPost, open_post
from mau.writing.drafts import drafts, read_draft
from tests.cli.desk import Desk, desk
from tests.cli.editors import Editor, editor
from tests.cli.inside import Inside, inside, trees, world

__all__ = ["desk", "editor", "inside", "trees", "world"]


def posted(inside: Inside, name: str) -> OpenedPost:
    alice = inside.world.alice
    return open_post(alice.account, alice.keyring, alice.fpr, name)


def held(inside: Inside) -> list[str]:
    return sorted(set(inside.world.alice.account.posts().names()) - {"keyring.json.pgp"})


def test_a_recipe_is_written_in_the_editor(inside: Inside, editor: Editor) -> None:
    editor.sets(
        "s/^title:.*/title: Pancakes/",
        "s/^for:.*/for: bob, @tea/",
        "s/^recipeIngredient:.*/recipeIngredient: [flour, milk]/",
        "s/^recipeInstructions:.*/recipeInstructions:\\n  - Mix: all.\\n  - Bake./;s/Mix: all/Mix all/",
        "s/^cookTime:.*/cookTime: 20 min/",
        "s/^tags:.*/tags: [food]/",
        text="Good.\n",
    )
    name = inside.name(inside.world.alice, "new", "recipe")
    post = posted(inside, name)
    assert post.audience == inside.world.for_(inside.world.bob)
    assert post.document is not None
    stamps = {"@context", "@id", "audience", "author", "datePublished"}
    assert {word: value for word, value in post.document.items() if word not in stamps} == {
        "@type": "Recipe",
        "name": "Pancakes",
        "cookTime": "PT20M",
        "recipeIngredient": ["flour", "milk"],
        "recipeInstructions": ["Mix all.", "Bake."],
        "keywords": ["food"],
        "description": "Good.",
    }
    assert post.document["author"] == {"@id": f"mau:/p2p/{inside.world.alice.fpr}"}
    assert drafts(inside.world.alice.account) == []


def test_what_the_options_say_stands_in_the_page(inside: Inside, editor: Editor) -> None:
    editor.writes("---\ntype: SocialMediaPosting\nfor: public\n---\nHello, World!\n")
    name = inside.name(inside.world.alice, "new", "--to", "bob", "--to", "@tea", "--name", "x")
    assert '\nfor: [bob, "@tea"]\nname: x\n' in editor.given
    assert name == "hello-world.json.pgp"
    assert posted(inside, name).audience is PUBLIC


def test_the_setting_for_an_audience_stands_in_the_page(
    inside: Inside, editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAU_POST_AUDIENCE", "carol, @tea")
    editor.sets(text="Hello")
    name = inside.name(inside.world.alice, "new")
    assert '\nfor: [carol, "@tea"]\n' in editor.given
    assert posted(inside, name).audience == inside.world.for_(inside.world.bob, inside.world.carol)


def test_the_page_may_leave_the_audience_to_the_options(inside: Inside, editor: Editor) -> None:
    editor.writes("---\nname: note\n---\nx")
    done = inside.mau(inside.world.alice, "new", "--to", "bob", code=2)
    assert "for whom?" in done.err
    editor.sets(text="Hello")
    assert posted(inside, inside.name(inside.world.alice, "new", "--me")).audience == inside.world.for_()


def test_a_page_that_is_left_or_emptied_publishes_nothing(inside: Inside, editor: Editor) -> None:
    for todo in ("true", ': > "$1"', 'rm "$1"', 'echo >> "$1"'):
        editor.does(todo)
        assert "nothing is published" in inside.mau(inside.world.alice, "new", "--me").err
    assert held(inside) == []
    assert drafts(inside.world.alice.account) == []


def test_what_cannot_be_published_is_kept(inside: Inside, editor: Editor) -> None:
    account = inside.world.alice.account
    for number, (page, says) in enumerate(
        (
            ("---\ntype: Recipe\nfor: me\n---\nx", "needs `title:`"),
            ("---\ntitle: a: b\n---\nx", "line 2: a second colon"),
            ("---\nfor: nobody\n---\nx", "nobody is called 'nobody'"),
            ("---\nfor: [public, bob]\n---\nx", "no other audience"),
            (
                "---\nfor: me\ntype: Event\ntitle: x\nstartDate: soon\n---\n",
                "line 5: startDate: 'soon' is not a date",
            ),
            ("no audience", "for whom?"),
        ),
        1,
    ):
        editor.writes(page)
        done = inside.mau(inside.world.alice, "new", code=2)
        assert says in done.err
        kept = drafts(account)
        assert len(kept) == number
        (draft,) = (one for one in kept if f"the draft {one.file}" in done.err)
        assert draft.kept
        assert page.encode() not in (account.root.author_dir(account.fingerprint) / draft.file).read_bytes()
        assert read_draft(account, draft).text == page
    assert held(inside) == []


def test_raw_is_the_document_itself(inside: Inside, editor: Editor) -> None:
    document = {"@context": "https://schema.org", "@type": "Poem", "name": "x", "deep": {"er": [1, None]}}
    editor.writes(json.dumps(document))
    name = inside.name(inside.world.alice, "new", "Poem", "--raw", "--me", "--name", "ode")
    assert name == "ode.pgp"
    read = posted(inside, name).document
    assert read is not None
    assert {word: read[word] for word in document} == document
    assert json.loads(editor.given)["@type"] == "Poem"
    editor.writes('{"@type": "Poem",\n "x" }')
    assert "line 2: no JSON" in inside.mau(inside.world.alice, "new", "--raw", "--me", code=2).err


def test_a_draft_is_a_plain_file_that_needs_not_be_right_yet(inside: Inside, editor: Editor) -> None:
    account = inside.world.alice.account
    editor.writes("---\nfor: nobody\n---\n")
    assert inside.mau(inside.world.alice, "new", "--draft", "--name", "plan").text == "plan\n"
    path = account.root.author_dir(account.fingerprint) / "plan.md"
    assert path.read_text() == "---\nfor: nobody\n---\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "already" in inside.mau(inside.world.alice, "new", "--draft", "--name", "plan", code=2).err
    assert "says itself" in inside.mau(inside.world.alice, "new", "--draft", "--attach", path, code=2).err
    assert held(inside) == []


def test_types_have_templates_and_others_can_be_named(inside: Inside, editor: Editor) -> None:
    alice = inside.world.alice
    assert "\ntype: SocialMediaPosting\n" in inside.mau(alice, "new", "post", "--template").text
    assert "\ntype: Event\n" in inside.mau(alice, "new", "EVENT", "--template").text
    done = inside.mau(alice, "new", "Poem", "--template")
    assert "\ntype: Poem\n" in done.text
    assert "no template for Poem" in done.err
    assert (
        "templates for: SocialMediaPosting" in inside.mau(alice, "new", "no such", "--template", code=2).err
    )


def test_files_are_attached(inside: Inside, editor: Editor, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("files")
    for name in ("one.txt", "two.txt"):
        (place / name).write_text(name)
    editor.writes(f"---\nfor: bob\nattach: [{place}/two.txt]\n---\nx")
    name = inside.name(inside.world.alice, "new", "--attach", place / "one.txt")
    document = posted(inside, name).document
    assert document is not None
    assert [media["name"] for media in document["associatedMedia"]] == ["one.txt", "two.txt"]
    editor.writes(f"---\nfor: bob\nattach: [{place}/three.txt]\n---\nx")
    before = held(inside)
    inside.mau(inside.world.alice, "new", code=1)
    assert held(inside) == before
    assert len(drafts(inside.world.alice.account)) == 1


def test_posts_are_named_shortly(inside: Inside, editor: Editor) -> None:
    alice = inside.world.alice
    inside.name(alice, "post", "--me", "--name", "kettle", "x")
    address = f"mau:/p2p/{alice.fpr}/pot.pgp"
    editor.writes(
        f"---\ntype: Collection\ntitle: Tea\nfor: me\nhasPart: [kettle, me/kettle, '{address}']\n---\n"
    )
    document = posted(inside, inside.name(alice, "new")).document
    assert document is not None
    kettle = {"@id": f"mau:/p2p/{alice.fpr}/kettle.pgp"}
    assert document["hasPart"] == [kettle, kettle, {"@id": address}]
    editor.writes("---\ntype: Collection\ntitle: Tea\nfor: me\nhasPart: nothing-like-that\n---\n")
    assert "nothing-like-that" in inside.mau(alice, "new", code=1).err


def test_on_a_terminal_the_editor_is_opened_again(desk: Desk, editor: Editor) -> None:
    editor.does("""grep -q nobody "$1" && sed -i s/nobody/bob/ "$1" || sed -i 's/^for:.*/for: nobody/' "$1"
    echo text >> "$1" """)
    shown = desk.terminal(desk.world.alice, "new", typed=[("Edit it again? [Y/n]: ", "")])
    assert "nobody is called 'nobody'" in shown
    assert "for bob." in shown


def test_on_a_terminal_it_asks_for_whom(desk: Desk, editor: Editor) -> None:
    editor.sets(text="text")
    shown = desk.terminal(desk.world.alice, "new", typed=[("A number, or names and @groups: ", "carol")])
    assert "for carol." in shown
