"""What an owner says about what others wrote is kept in files of his own, for himself alone."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mau.account import Account
from mau.content.address import Address
from mau.content.binding import PUBLIC, Statement
from mau.content.links import Links, Reference
from mau.deletion.publishing import delete_post
from mau.errors import InvalidName, UsageError
from mau.marks import Marks, blocked, is_marks
from mau.marks import subject as subjects
from mau.marks.blocks import BlockList
from mau.marks.names import MARKS_NAME, NAMES, READ_NAME
from mau.marks.reads import MAX_READ
from mau.marks.store import KEPT_VERSIONS, MAX_FILE
from mau.publish import publish_document, publish_file
from mau.reader.open import open_post
from mau.reader.reading import Reading
from mau.reader.summary import Summary
from mau.tree.layout import Root
from tests.backup.handmade import bring_back, taken
from tests.publish.world import PASSPHRASE, Someone, World, message

NOW = int(time.time())


def post(author: Someone, name: str = "one.json.pgp", at: int = NOW - 100, **more: object) -> Summary:
    return Summary(author.fpr, name, "0" * 64, 1, at, **more)  # type: ignore[arg-type]


def file_of(someone: Someone, name: str) -> Path:
    return someone.account.root.author_dir(someone.fpr) / name


def loaded(someone: Someone) -> Marks:
    return Marks.load(someone.account)


# --- read --------------------------------------------------------------------------------------------------


def test_what_was_marked_is_read_for_whoever_loads_the_marks_next(world: World) -> None:
    one, other = post(world.bob), post(world.bob, "other.json.pgp")
    marks = loaded(world.alice)
    assert not marks.is_read(one)
    marks.mark_read([one])
    assert marks.is_read(one)
    assert loaded(world.alice).is_read(one)
    assert not loaded(world.alice).is_read(other)
    assert loaded(world.alice).warnings == ()


def test_an_edited_post_is_unread_again(world: World) -> None:
    marks = loaded(world.alice)
    marks.mark_read([post(world.bob)])
    assert not marks.is_read(post(world.bob, at=NOW - 50))
    assert marks.is_read(post(world.bob, at=NOW - 200))


def test_everything_up_to_a_time_is_read_but_what_is_called_unread_after_that(world: World) -> None:
    marks = loaded(world.alice)
    marks.mark_all_read()
    one, other, later = post(world.bob), post(world.carol), post(world.bob, "new.pgp", NOW + 3600)
    assert marks.is_read(one)
    assert not marks.is_read(later)
    marks.mark_unread([one])
    again = loaded(world.alice)
    assert not again.is_read(one)
    assert again.is_read(other)
    again.mark_all_read()
    assert loaded(world.alice).is_read(one)
    again.mark_all_unread()
    assert not loaded(world.alice).is_read(other)
    again.mark_all_read(authors=[world.bob.fpr])
    assert loaded(world.alice).is_read(one)
    assert not loaded(world.alice).is_read(other)


def test_no_mark_hides_what_is_written_later(world: World) -> None:
    """The time of a file that was not opened is the file's own, and may be any."""
    marks = loaded(world.alice)
    marks.mark_read_until({world.bob.fpr: NOW + 10**9})
    marks.mark_all_read(NOW + 10**9)
    assert not marks.is_read(post(world.bob, at=NOW + 10**6))
    many = [post(world.carol, f"{number}.pgp", NOW + 10**9 + number) for number in range(MAX_READ + 1)]
    marks.mark_read(many)
    assert not loaded(world.alice).is_read(post(world.carol, at=NOW + 10**6))


def test_ones_own_posts_are_read_and_never_muted(world: World) -> None:
    marks = loaded(world.alice)
    marks.decide("mute", subjects.tag("tea"))
    assert marks.is_read(post(world.alice))
    assert marks.muted(post(world.alice, tags=("tea",))) == ""


def test_what_is_read_already_is_not_written_again(world: World) -> None:
    marks = loaded(world.alice)
    marks.mark_read([post(world.bob)])
    before = file_of(world.alice, READ_NAME).stat()
    marks.mark_read([post(world.bob)])
    loaded(world.alice).mark_read([post(world.bob)])
    after = file_of(world.alice, READ_NAME).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


# --- the files ---------------------------------------------------------------------------------------------


def test_the_files_are_posts_of_mine_for_me_alone_that_are_no_posts_to_show(world: World) -> None:
    alice = world.alice
    marks = loaded(alice)
    marks.mark_read([post(world.bob)])
    marks.decide("block", subjects.person(world.mallory.fpr))
    for name in (MARKS_NAME, READ_NAME):
        opened = open_post(alice.account, alice.keyring, alice.fpr, name)
        assert opened.statement == Statement(name, frozenset({alice.fpr}))
        assert is_marks(name, opened.document)
        assert set(opened.opened.recipients) <= alice.certificate.encryption_keyids
    assert not is_marks("other.json.pgp", {"@type": "Collection"})
    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        assert list(reading.newest()) == []
        assert not reading.left_out


def test_few_older_contents_are_kept(world: World) -> None:
    marks = loaded(world.alice)
    for number in range(8):
        marks.mark_read([post(world.bob, f"{number}.pgp")])
    assert len(world.alice.account.posts().versions(READ_NAME)) == KEPT_VERSIONS
    again = loaded(world.alice)
    assert all(again.is_read(post(world.bob, f"{number}.pgp")) for number in range(8))


def test_several_who_write_at_once_lose_nothing(world: World) -> None:
    def write(which: int) -> None:
        marks = Marks.load(Account(Root(world.alice.account.root.path), world.alice.key))
        for number in range(4):
            marks.mark_read([post(world.bob, f"{which}-{number}.pgp")])

    threads = [threading.Thread(target=write, args=(which,)) for which in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    marks = loaded(world.alice)
    assert all(marks.is_read(post(world.bob, f"{a}-{b}.pgp")) for a in range(3) for b in range(4))


def test_two_processes_that_write_at_once_lose_nothing(world: World) -> None:
    program = f"""
import sys
from pathlib import Path
from mau.account import Account
from mau.fingerprint import Fingerprint
from mau.marks import Marks
from mau.reader.summary import Summary
from mau.tree.layout import Root
account = Account.open(Root(Path(sys.argv[1])), {PASSPHRASE!r})
bob, marks = Fingerprint.parse(sys.argv[2]), Marks.load(account)
for number in range(10):
    marks.mark_read([Summary(bob, f"{{sys.argv[3]}}-{{number}}.pgp", "", 1, {NOW - 100})])
"""
    words = [sys.executable, "-c", program, str(world.alice.account.root.path), world.bob.fpr.hex]
    processes = [subprocess.Popen([*words, which]) for which in "ab"]
    assert [one.wait(50) for one in processes] == [0, 0]
    marks = loaded(world.alice)
    assert all(marks.is_read(post(world.bob, f"{which}-{n}.pgp")) for which in "ab" for n in range(10))


def test_what_two_machines_marked_is_put_together_whichever_file_comes_last(world: World) -> None:
    """One machine's file replaces the other's by hand or by a restored backup: it is a version then."""
    alice = world.alice
    loaded(alice).mark_read([post(world.bob, "before.pgp")])
    away = alice.account.root.path.with_name("away")
    shutil.copytree(alice.account.root.path, away)
    elsewhere = Marks.load(Account(Root(away), alice.key))
    elsewhere.mark_read([post(world.bob, "there.pgp")])
    elsewhere.decide("mute", subjects.tag("there"))
    loaded(alice).mark_read([post(world.bob, "here.pgp")])
    loaded(alice).decide("mute", subjects.tag("here"))
    for name in (MARKS_NAME, READ_NAME):
        with alice.account.posts().stage() as staged:
            staged.file.write((away / alice.fpr.hex / name).read_bytes())
            alice.account.posts().commit(staged, name)
    marks = loaded(alice)
    assert all(marks.is_read(post(world.bob, f"{name}.pgp")) for name in ("before", "here", "there"))
    assert {one.subject.value for one in marks.holding("mute")} == {"here", "there"}


@pytest.mark.parametrize(
    "damage", ["cut", "junk", "foreign", "renamed", "huge", "empty", "directory", "link"]
)
def test_a_file_that_does_not_hold_is_a_warning_and_its_last_version_counts(
    world: World, damage: str
) -> None:
    alice = world.alice
    marks = loaded(alice)
    marks.mark_read([post(world.bob)])
    marks.mark_read([post(world.bob, "other.pgp")])
    path = file_of(alice, READ_NAME)
    data = path.read_bytes()
    path.unlink()
    if damage == "directory":
        path.mkdir()
    elif damage == "link":
        path.symlink_to("/dev/zero")
    else:
        written = {
            "cut": data[:-40],
            "junk": b"\x00junk",
            "foreign": message(world.mallory.key, b'{"@type":"Collection"}', [alice]),
            "renamed": file_of(alice, "keyring.json.pgp").read_bytes(),
            "huge": b"x" * (MAX_FILE + 2),
            "empty": b"",
        }[damage]
        path.write_bytes(written)
    again = loaded(alice)
    assert again.is_read(post(world.bob))
    assert len(again.warnings) == 1
    assert READ_NAME in again.warnings[0]
    with Reading(alice.account, alice.keyring) as reading:
        reading.refresh()
        assert not reading.left_out
    if damage in ("directory", "link", "renamed"):
        return
    again.mark_read([post(world.bob, "third.pgp")])
    assert loaded(alice).warnings == ()
    assert all(loaded(alice).is_read(post(world.bob, name)) for name in ("one.json.pgp", "third.pgp"))


def test_another_post_of_that_name_is_not_replaced(world: World) -> None:
    alice = world.alice
    path = file_of(alice, READ_NAME)
    path.write_bytes(message(alice.key, b'{"@type": "Collection"}', [alice]))
    marks = loaded(alice)
    assert len(marks.warnings) == 1
    with pytest.raises(InvalidName, match="another post"):
        marks.mark_read([post(world.bob)])


def test_no_post_can_take_these_names(world: World) -> None:
    alice = world.alice
    for name in NAMES:
        title = name.title().replace(".Pgp", ".pgp")
        with pytest.raises(InvalidName):
            publish_document(alice.account, alice.keyring, {"@type": "Person"}, title, PUBLIC)
        with pytest.raises(InvalidName):
            publish_file(alice.account, alice.keyring, io.BytesIO(b"x"), name, PUBLIC)
        with pytest.raises(InvalidName):
            delete_post(alice.account, alice.keyring, name)


def test_a_clock_that_was_set_back_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = loaded(world.alice)
    marks.mark_read([post(world.bob)])
    marks.decide("mute", subjects.tag("tea"))
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: NOW - 900.0)
        later = loaded(world.alice)
        later.mark_unread([post(world.bob)])
        later.decide("mute", subjects.tag("tea"), on=False)
    assert not loaded(world.alice).is_read(post(world.bob))
    assert not loaded(world.alice).holding("mute")


# --- mutes -------------------------------------------------------------------------------------------------


def test_a_person_a_tag_a_thread_and_words_are_muted_each_with_its_reason(world: World) -> None:
    marks = loaded(world.alice)
    root = Address(world.bob.fpr, "root.json.pgp")
    marks.decide("mute", subjects.person(world.carol.fpr))
    marks.decide("mute", subjects.tag("#Tea"))
    marks.decide("mute", subjects.thread(root))
    marks.decide("mute", subjects.words("Green  KETTLE"))
    marks = loaded(world.alice)
    answer = Links(answers=(Reference(root),))
    assert marks.muted(post(world.carol)) == "muted"
    assert marks.muted(post(world.bob, tags=("tea",))) == "the tag #tea is muted"
    assert marks.muted(post(world.bob, "root.json.pgp")) == "its thread is muted"
    assert marks.muted(post(world.bob, links=answer)) == "its thread is muted"
    assert "green kettle" in marks.muted(post(world.bob, words="a green\nkettle!"))
    assert "green kettle" in marks.muted(post(world.bob, words="no"), text="x ＧＲＥＥＮ kettle")
    assert marks.muted(post(world.bob, words="evergreen kettle, green kettles", tags=("cake",))) == ""


def test_an_answer_to_an_answer_is_in_the_thread_when_what_is_between_is_held(world: World) -> None:
    marks = loaded(world.alice)
    marks.decide("mute", subjects.thread(Address(world.bob.fpr, "root.pgp")))

    def answering(name: str, above: str) -> Summary:
        return post(world.bob, name, links=Links(answers=(Reference(Address(world.bob.fpr, above)),)))

    held = {one.name: one for one in (answering("a.pgp", "root.pgp"), answering("b.pgp", "a.pgp"))}
    loop = {one.name: one for one in (answering("x.pgp", "y.pgp"), answering("y.pgp", "x.pgp"))}
    last = answering("c.pgp", "b.pgp")
    assert marks.muted(last, find=lambda _, name: held.get(name)) == "its thread is muted"
    assert marks.muted(last) == ""
    assert marks.muted(loop["x.pgp"], find=lambda _, name: loop.get(name)) == ""


def test_what_is_passed_on_of_somebody_muted_is_muted(world: World) -> None:
    marks = loaded(world.alice)
    marks.decide("mute", subjects.person(world.carol.fpr))
    shared = Links(act="share", objects=(Reference(Address(world.carol.fpr, "x.pgp")),))
    assert "passes on" in marks.muted(post(world.bob, links=shared))
    liked = Links(act="like", objects=(Reference(Address(world.carol.fpr, "x.pgp")),))
    assert marks.muted(post(world.bob, links=liked)) == ""


def test_words_of_scripts_without_spaces_are_found_inside_a_text(world: World) -> None:
    marks = loaded(world.alice)
    marks.decide("mute", subjects.words("日本"))
    assert marks.muted(post(world.bob, words="今日は日本語で"))


def test_a_mute_ends_by_itself_or_by_a_word(world: World) -> None:
    marks, cake = loaded(world.alice), subjects.tag("cake")
    assert marks.decide("mute", subjects.tag("tea"), until=NOW - 1)
    assert marks.muted(post(world.bob, tags=("tea",))) == ""
    assert marks.decide("mute", cake, until=NOW + 3600)
    assert not marks.decide("mute", cake, until=NOW + 3600)
    assert loaded(world.alice).muted(post(world.bob, tags=("cake",)))
    assert marks.decide("mute", cake, on=False)
    assert not marks.decide("mute", cake, on=False)
    assert loaded(world.alice).muted(post(world.bob, tags=("cake",))) == ""
    assert marks.decide("mute", cake)
    assert loaded(world.alice).muted(post(world.bob, tags=("cake",)))


@pytest.mark.parametrize("word", ["", " ", "#", "x" * 101])
def test_what_is_no_tag_cannot_be_muted(word: str) -> None:
    with pytest.raises(UsageError):
        subjects.tag(word)


# --- blocks ------------------------------------------------------------------------------------------------


def test_who_is_blocked_is_known_to_a_program_that_runs(world: World) -> None:
    alice = world.alice
    running = BlockList(alice.account)
    assert running.people == frozenset()
    loaded(alice).decide("block", subjects.person(world.mallory.fpr))
    assert running.refresh()
    assert running.people == blocked(alice.account) == {world.mallory.fpr}
    assert not running.refresh()
    assert loaded(alice).muted(post(world.mallory)) == "blocked"
    loaded(alice).decide("block", subjects.person(world.mallory.fpr), on=False)
    assert running.refresh()
    assert running.people == frozenset()


def test_no_hand_and_no_older_file_ends_a_block_unseen(world: World) -> None:
    alice = world.alice
    marks = loaded(alice)
    marks.decide("mute", subjects.tag("tea"))
    older = file_of(alice, MARKS_NAME).read_bytes()
    running = BlockList(alice.account)
    marks.decide("block", subjects.person(world.mallory.fpr))
    running.refresh()
    path = file_of(alice, MARKS_NAME)
    versions = path.with_name(f"{MARKS_NAME}.versions")
    for act in (lambda: path.write_bytes(older), lambda: path.write_bytes(b"junk"), path.unlink):
        act()
        shutil.rmtree(versions, ignore_errors=True)
        assert not running.refresh()
        assert blocked(alice.account) == {world.mallory.fpr}
    marks = loaded(alice)
    marks.decide("block", subjects.person(world.mallory.fpr), on=False)
    assert blocked(alice.account) == frozenset()
    assert {one.subject.value for one in marks.holding("mute")} == {"tea"}


def test_what_was_signed_by_somebody_else_blocks_nobody(world: World) -> None:
    """Mallory, who can write to the disk, can neither block nor end a block."""
    mallory = world.mallory
    loaded(mallory).decide("block", subjects.person(world.bob.fpr))
    shutil.copy(file_of(mallory, MARKS_NAME), file_of(world.alice, MARKS_NAME))
    assert blocked(world.alice.account) == frozenset()


def test_a_backup_brings_the_marks_back_and_takes_none_away(world: World) -> None:
    alice = world.alice
    loaded(alice).mark_read([post(world.bob)])
    loaded(alice).decide("mute", subjects.tag("tea"))
    backup = taken(alice)
    for name in (MARKS_NAME, READ_NAME):
        alice.account.posts().remove(name)
    loaded(alice).mark_read([post(world.bob, "since.pgp")])
    loaded(alice).decide("mute", subjects.tag("since"))
    bring_back(alice.account, backup)
    marks = loaded(alice)
    assert marks.is_read(post(world.bob))
    assert marks.is_read(post(world.bob, "since.pgp"))
    assert {one.subject.value for one in marks.holding("mute")} == {"tea", "since"}
