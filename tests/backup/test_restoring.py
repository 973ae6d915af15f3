"""What a backup holds comes back, and nothing newer is lost by it (spec/backup.md B20-B38)."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import io
import os
import shutil
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mau.account import Account
from mau.backup.archive import open_archive
from mau.backup.report import Restored
from mau.backup.restoring import restore, restore_account
from mau.catalogue import open_index
from mau.content.binding import PUBLIC, notations_for
from mau.deletion.held import HeldDeletes
from mau.deletion.publishing import delete_post
from mau.errors import ArchiveDamaged, NoAccount, NoRoom, UsageError, WrongPassphrase
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.openpgp.lifetime import Reason, extended, revoked
from mau.publish import publish_document, publish_file
from mau.reader.open import open_post
from mau.tree.layout import Root
from tests.backup.handmade import (
    archive,
    became,
    bring_anew,
    bring_back,
    held,
    reason,
    special,
    taken,
    tar,
)
from tests.publish.world import PASSPHRASE, YESTERDAY, Someone, World, bound, message


def post(author: Someone, name: str, text: str, *to: Someone) -> str:
    """A post, for some or for everybody; its sha256."""
    audience = frozenset({author.fpr, *(one.fpr for one in to)}) if to else PUBLIC
    return publish_document(author.account, author.keyring, {"articleBody": text}, name, audience).sha256


def full(world: World) -> dict[str, bytes]:
    """A tree with something of everything; what it holds."""
    alice, bob = world.alice, world.bob
    for text in ("one", "two", "three"):
        post(alice, "mine.json.pgp", text, bob)
    post(alice, "public.json.pgp", "hello")
    publish_file(alice.account, alice.keyring, io.BytesIO(b"\x01" * 3_000_000), "film.pgp", PUBLIC)
    bob.keyring.refresh()
    post(bob, "his.json.pgp", "for alice", alice)
    alice.fetch(bob, "his.json.pgp")
    alice.account.root.unfollow(world.carol.fpr)
    post(world.carol, "hers.json.pgp", "public")
    alice.fetch(world.carol, "hers.json.pgp", hidden=True)
    (alice.place(alice) / "draft").write_text("unfinished")
    return held(alice.account.root)


def test_an_empty_directory_becomes_the_same_tree(world: World, tmp_path: Path) -> None:
    before = full(world)
    account, restored = bring_anew(tmp_path / "new", taken(world.alice))
    assert set(became(restored).values()) == {"back"}
    assert held(account.root) == before
    assert account.root.authors() == world.alice.account.root.authors()
    keyring = Keyring.load(account)
    assert [one.local_name for one in keyring.friends()] == ["bob", "carol"]
    assert keyring.groups() == ["tea"]
    assert keyring.differences() == []
    old = world.alice.account.posts().versions("mine.json.pgp")
    assert [v.sha256 for v in account.posts().versions("mine.json.pgp")] == [v.sha256 for v in old]
    again = bring_back(account, taken(world.alice))
    assert became(again) == {}
    assert held(account.root) == before


def test_an_archive_of_plain_tar_with_a_directory_in_front_is_read(world: World, tmp_path: Path) -> None:
    before = full(world)
    tar("-cf", tmp_path / "b.tar", "alice", cwd=tmp_path)
    account, restored = bring_anew(tmp_path / "new", (tmp_path / "b.tar").read_bytes())
    assert set(became(restored).values()) == {"back"}
    assert held(account.root) == before
    assert restored.derived > 0


def test_what_was_lost_comes_back_and_reaches_followers_despite_old_times(world: World) -> None:
    alice = world.alice
    post(alice, "a.json.pgp", "a", world.bob)
    data = taken(alice)
    with open_index(alice.account.root) as index:
        index.refresh()
        generation, seen = index.changed(alice.fpr)
        (alice.place(alice) / "a.json.pgp").unlink()
        index.refresh()
        assert index.entry(alice.fpr, "a.json.pgp") is None
        assert became(bring_back(alice.account, data)) == {f"{alice.fpr.hex}/a.json.pgp": "back"}
        index.refresh()
        entry = index.entry(alice.fpr, "a.json.pgp")
        assert entry
        assert (index.generation, entry.clock > seen) == (generation, True)


def test_older_content_becomes_a_version_and_newer_content_takes_its_place(world: World) -> None:
    alice = world.alice
    first = post(alice, "x.json.pgp", "first", world.bob)
    old = taken(alice)
    second = post(alice, "x.json.pgp", "second", world.bob)
    new = taken(alice)
    posts = alice.account.posts()
    shutil.rmtree(alice.place(alice) / "x.json.pgp.versions")
    path = f"{alice.fpr.hex}/x.json.pgp"
    assert became(bring_back(alice.account, old)) == {path: "version"}
    assert posts.sha256("x.json.pgp") == second
    assert [v.sha256 for v in posts.versions("x.json.pgp")] == [first]
    assert became(bring_back(alice.account, old)) == {}, "it is held now"
    posts.remove("x.json.pgp")
    bring_back(alice.account, old)
    assert posts.sha256("x.json.pgp") == first
    assert became(bring_back(alice.account, new)) == {path: "newer"}
    assert posts.sha256("x.json.pgp") == second
    assert [v.sha256 for v in posts.versions("x.json.pgp")] == [first]


def test_a_damaged_file_gives_way_to_one_that_holds(world: World) -> None:
    alice, bob = world.alice, world.bob
    sha256 = post(bob, "x.json.pgp", "public")
    alice.fetch(bob, "x.json.pgp")
    data = taken(alice)
    path = alice.place(bob) / "x.json.pgp"
    path.write_bytes(path.read_bytes()[:-20])
    assert became(bring_back(alice.account, data)) == {f"{bob.fpr.hex}/x.json.pgp": "newer"}
    assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def test_who_was_unfollowed_since_stays_so(world: World) -> None:
    alice, bob = world.alice, world.bob
    post(bob, "x.json.pgp", "public")
    alice.fetch(bob, "x.json.pgp")
    data = taken(alice)
    (alice.place(bob) / "x.json.pgp").unlink()
    alice.account.root.unfollow(bob.fpr)
    bring_back(alice.account, data)
    assert (alice.account.root.hidden_dir(bob.fpr) / "x.json.pgp").exists()
    assert not alice.account.root.author_dir(bob.fpr).exists()


def test_drafts_never_replace_what_is_there(world: World) -> None:
    alice = world.alice
    place = alice.place(alice)
    (place / "notes").mkdir()
    (place / "notes" / "draft").write_text("old")
    data = taken(alice)
    (place / "notes" / "draft").write_text("new")
    for expected in ("aside", None):
        restored = became(bring_back(alice.account, data))
        assert restored.get(f"{alice.fpr.hex}/notes/draft") == expected
    assert {path.name: path.read_text() for path in (place / "notes").iterdir()} == {
        "draft": "new",
        "draft.1": "old",
    }


def test_a_dry_run_says_the_same_and_writes_nothing(world: World, tmp_path: Path) -> None:
    full(world)
    alice = world.alice
    data = taken(alice)
    post(alice, "mine.json.pgp", "four", world.bob)
    (alice.place(alice) / "public.json.pgp").unlink()
    (alice.account.root.mau / f"{world.bob.fpr.hex}.pgp").unlink()
    before = held(alice.account.root)
    said = became(bring_back(alice.account, data, dry_run=True))
    assert held(alice.account.root) == before
    assert said == became(bring_back(alice.account, data))
    restored = Restored()
    opened = open_archive(io.BytesIO(data), restored)
    restore_account(Root(tmp_path / "new"), opened, PASSPHRASE, dry_run=True)
    assert not (tmp_path / "new").exists()


def test_an_own_post_that_was_deleted_is_there_again_for_everybody(world: World) -> None:
    alice, bob = world.alice, world.bob
    sha256 = post(alice, "x.json.pgp", "x", bob)
    data = taken(alice)
    delete_post(alice.account, alice.keyring, "x.json.pgp")
    restored = bring_back(alice.account, data)
    assert became(restored) == {f"{alice.fpr.hex}/x.json.pgp": "back"}
    assert restored.withdrawn == 1
    with HeldDeletes(alice.account, alice.keyring) as deletes:
        assert not deletes.of(alice.fpr)
    opened = open_post(alice.account, alice.keyring, alice.fpr, "x.json.pgp")
    assert opened.document is not None
    assert opened.document["articleBody"] == "x"
    assert sha256 in {version.sha256 for version in alice.account.posts().versions("x.json.pgp")}


def test_what_a_friend_deleted_stays_deleted(world: World) -> None:
    alice, bob = world.alice, world.bob
    post(bob, "x.json.pgp", "x", alice)
    alice.fetch(bob, "x.json.pgp")
    data = taken(alice)
    [published] = delete_post(bob.account, bob.keyring, "x.json.pgp").published
    alice.fetch(bob, published.name)
    (alice.place(bob) / "x.json.pgp").unlink()
    restored = bring_back(alice.account, data)
    assert "deleted" in reason(restored, f"{bob.fpr.hex}/x.json.pgp")
    assert not (alice.place(bob) / "x.json.pgp").exists()


# --- account and keyring -----------------------------------------------------------------------------------


def test_the_passphrase_must_open_the_account_before_it_is_put_there(world: World, tmp_path: Path) -> None:
    opened = open_archive(io.BytesIO(taken(world.alice)), Restored())
    with pytest.raises(WrongPassphrase):
        restore_account(Root(tmp_path / "new"), opened, "wrong")
    assert not (tmp_path / "new").exists()
    without = open_archive(io.BytesIO(archive([(f"{world.alice.fpr.hex}/x.pgp", b"")])), Restored())
    with pytest.raises(NoAccount):
        restore_account(Root(tmp_path / "new"), without, "wrong")


def test_another_account_is_refused_and_the_same_one_stays(world: World) -> None:
    alice = world.alice
    before = alice.account.root.account_file.read_bytes()
    restored = bring_back(alice.account, taken(world.bob))
    assert str(world.bob.fpr) in reason(restored, ".mau/account.pgp")
    assert alice.account.root.account_file.read_bytes() == before
    again = archive([(".mau/account.pgp", alice.key.lock(PASSPHRASE))])
    assert became(bring_back(alice.account, again)) == {".mau/account.pgp": "kept"}
    assert alice.account.root.account_file.read_bytes() == before


def test_an_older_statement_rolls_nothing_back(world: World) -> None:
    """The highest counter counts: who was removed since is no friend again (spec/keyring.md K6)."""
    alice = world.alice
    data = taken(alice)
    alice.keyring.remove(world.carol.fpr)
    restored = bring_back(alice.account, data)
    assert became(restored)[f"{alice.fpr.hex}/keyring.json.pgp"] == "version"
    assert became(restored)[f".mau/{world.carol.fpr.hex}.pgp"] == "back"
    keyring = Keyring.load(alice.account)
    assert [one.local_name for one in keyring.friends()] == ["bob"]
    assert [one.fingerprint for one in keyring.unconfirmed()] == [world.carol.fpr]
    assert len(alice.account.posts().versions("keyring.json.pgp")) >= 1


def test_a_newer_statement_and_its_key_files_take_their_place(world: World, tmp_path: Path) -> None:
    alice = world.alice
    shutil.copytree(alice.account.root.path, tmp_path / "older")
    alice.keyring.remove(world.carol.fpr)
    alice.keyring.add(world.mallory.certificate, "mallory")
    data = taken(alice)
    older = Account(Root(tmp_path / "older"), alice.key)
    bring_back(older, data)
    keyring = Keyring.load(older)
    assert [one.local_name for one in keyring.friends()] == ["bob", "mallory"]


def test_a_lost_keyring_that_was_seen_to_be_newer_is_brought_back_and_said(world: World) -> None:
    alice = world.alice
    data = taken(alice)
    alice.keyring.remove(world.carol.fpr)
    (alice.place(alice) / "keyring.json.pgp").unlink()
    restored = bring_back(alice.account, data)
    assert any("friend confirm --all" in words for words in restored.problems)
    keyring = Keyring.load(alice.account, suspect=True)
    assert keyring.friends() == []
    assert keyring.problem is not None


def test_a_key_file_that_was_lost_makes_the_friend_one_again(world: World) -> None:
    alice = world.alice
    data = taken(alice)
    path = alice.account.root.mau / f"{world.bob.fpr.hex}.pgp"
    path.unlink()
    assert became(bring_back(alice.account, data)) == {f".mau/{world.bob.fpr.hex}.pgp": "back"}
    assert Keyring.load(alice.account).differences() == []


# --- hostile archives --------------------------------------------------------------------------------------


def test_each_wrong_entry_is_refused_by_name_and_nothing_lies_outside(world: World, tmp_path: Path) -> None:
    alice, bob, mallory = world.alice, world.bob, world.mallory
    own, his = alice.fpr.hex, bob.fpr.hex
    good = bound(bob, "good.json.pgp", PUBLIC)
    signed = message(bob.key, good, None)
    members = [
        (".mau/account.pgp", alice.account.root.account_file.read_bytes()),
        (f"{his}/good.json.pgp", signed),
        ("../outside", b"x"),
        (str(tmp_path / "absolute"), b"x"),
        (f"{his}/../../outside", b"x"),
        special(f"{his}/link.pgp", tarfile.SYMTYPE, "/etc/passwd"),
        special(f"{his}/hard.pgp", tarfile.LNKTYPE, ".mau/account.pgp"),
        special(f"{his}/device.pgp", tarfile.CHRTYPE),
        special(f"{his}/pipe.pgp", tarfile.FIFOTYPE),
        special(f"{his}/good.json.pgp.versions", tarfile.SYMTYPE, str(tmp_path)),
        (f"{his}/good.json.pgp", signed + b"twice"),
        (f"{his}/renamed.json.pgp", signed),
        (f"{his}/forged.json.pgp", message(mallory.key, bound(bob, "forged.json.pgp", PUBLIC), None)),
        (f"{his}/plain.pgp", b"no message at all"),
        (f"{his}/GOOD.json.pgp", message(bob.key, bound(bob, "GOOD.json.pgp", PUBLIC), None)),
        (f"{mallory.fpr.hex}/x.json.pgp", message(mallory.key, bound(mallory, "x.json.pgp", PUBLIC), None)),
        (f"{mallory.fpr.hex}/note", b"makes nobody followed"),
        (f"{his}/good.json.pgp.versions/{'0' * 64}.pgp", signed),
        (f".mau/{mallory.fpr.hex}.pgp", bytes(mallory.certificate)),
        (f".mau/tea/{his}.pgp", message(mallory.key, bytes(bob.certificate), [alice])),
        (f"revocation-{own}.asc", mallory.key.revocation_certificate().encode()),
        (f"revocation-{his}.asc", b"x"),
        (f"{own}/leaked.json.pgp", message(bob.key, b"not mine", None)),
    ]
    (alice.account.root.revocation_file(alice.fpr)).unlink()
    (alice.account.root.mau / "tea" / f"{his}.pgp").unlink()
    outside = {path for path in tmp_path.rglob("*") if alice.account.root.path not in path.parents}
    restored = bring_back(alice.account, archive(members))
    assert {path for path, what in became(restored).items() if what != "refused"} <= {f"{his}/good.json.pgp"}
    refused = [one for one in restored.outcomes if one.what == "refused"]
    assert len(refused) == len(members) - 2
    assert all(one.words for one in refused)
    # `tests.publish.world` keeps the state beside the trees.
    assert {p for p in tmp_path.rglob("*") if alice.account.root.path not in p.parents} == outside
    place = alice.place(bob)
    assert sorted(path.name for path in place.iterdir()) == ["good.json.pgp"]
    assert (place / "good.json.pgp").read_bytes() == signed
    assert not alice.account.root.author_dir(mallory.fpr).exists()


def test_links_in_the_tree_are_not_written_through(world: World, tmp_path: Path) -> None:
    alice, bob = world.alice, world.bob
    post(bob, "x.json.pgp", "public")
    alice.fetch(bob, "x.json.pgp")
    (alice.place(bob) / "draft").write_text("draft")
    data = taken(alice)
    shutil.rmtree(alice.place(bob))
    trap = tmp_path / "trap"
    trap.mkdir()
    alice.account.root.author_dir(bob.fpr).symlink_to(trap)
    restored = bring_back(alice.account, data)
    assert list(trap.iterdir()) == []
    assert became(restored)[f"{bob.fpr.hex}/x.json.pgp"] == "refused"


def test_a_bomb_is_refused_in_bounded_memory(world: World) -> None:
    import zlib

    alice = world.alice
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = b"\x01" + b"".join(packed.compress(bytes(1 << 20)) for _ in range(300)) + packed.flush()
    bomb = b"\xc8\xff" + len(body).to_bytes(4, "big") + body
    restored = bring_back(alice.account, archive([(f"{alice.fpr.hex}/bomb.pgp", bomb)]))
    assert became(restored) == {f"{alice.fpr.hex}/bomb.pgp": "refused"}


def test_what_is_no_tree_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArchiveDamaged, match="no tree"):
        open_archive(io.BytesIO(archive([("etc/passwd", b"x")])), Restored())
    read, write = os.pipe()
    os.close(write)
    with os.fdopen(read, "rb") as pipe, pytest.raises(UsageError, match="save it"):
        open_archive(pipe, Restored())


def test_a_full_disk_leaves_what_came_back_and_the_next_run_finishes(world: World, tmp_path: Path) -> None:
    full(world)
    disk = tmp_path / "disk"
    disk.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(disk), b"tmpfs", 0, b"size=4m"):
        pytest.skip("no file system may be mounted here")
    try:
        filler = disk / "filler"
        filler.write_bytes(bytes(2 << 20))
        with pytest.raises(NoRoom, match="do it again"):
            bring_anew(disk / "new", taken(world.alice))
        filler.unlink()
        account = Account.open(Root(disk / "new"), PASSPHRASE)
        assert not list(account.posts().path.glob(".mau-*"))
        restored = bring_back(account, taken(world.alice))
        assert not restored.count("refused")
        assert held(account.root) == held(world.alice.account.root)
    finally:
        libc.umount2(os.fsencode(disk), 2)


def test_of_an_archive_that_is_cut_off_the_whole_files_come_back(world: World, tmp_path: Path) -> None:
    full(world)
    data = taken(world.alice)
    account, restored = bring_anew(tmp_path / "new", data[: len(data) * 2 // 3])
    assert any("cut off" in words for words in restored.problems)
    assert open_post(account, Keyring.load(account), world.alice.fpr, "keyring.json.pgp")
    assert account.posts().entry("film.pgp") is None
    bring_back(account, data)
    assert held(account.root) == held(world.alice.account.root)


# --- what the owner signed ---------------------------------------------------------------------------------


def replaced_key(someone: Someone, change: Callable[[SecretKey], SecretKey]) -> Account:
    """The account after its key was changed."""
    return someone.account.change_key(PASSPHRASE, change)


def test_with_a_revoked_own_key_nothing_is_renamed_or_stripped(world: World) -> None:
    """That the key was revoked is no reason to look away from everything else."""
    alice, bob, own = world.alice, world.bob, world.alice.fpr.hex
    audience = frozenset({alice.fpr, bob.fpr})
    data = archive(
        [
            (f"{own}/good.json.pgp", message(alice.key, bound(alice, "good.json.pgp", PUBLIC), None)),
            (f"{own}/renamed.json.pgp", message(alice.key, bound(alice, "old.json.pgp", PUBLIC), None)),
            (f"{own}/leaked.json.pgp", message(alice.key, bound(alice, "leaked.json.pgp", audience), None)),
        ]
    )
    account = replaced_key(alice, lambda key: revoked(key, "compromised"))
    assert became(bring_back(account, data)) == {
        f"{own}/good.json.pgp": "back",
        f"{own}/renamed.json.pgp": "refused",
        f"{own}/leaked.json.pgp": "refused",
    }


def test_with_an_expired_own_key_only_what_it_signed_comes_back(world: World, tmp_path: Path) -> None:
    key = SecretKey.generate("Zoe", "zoe@example.org", created=YESTERDAY)
    account = Account.create(Root(tmp_path / "zoe"), key, PASSPHRASE)
    zoe = Someone(account, Keyring.load(account))
    account = replaced_key(zoe, lambda key: extended(key, YESTERDAY + 7200, now=YESTERDAY + 60))
    own = zoe.fpr.hex
    good = message(key, bound(zoe, "good.json.pgp", PUBLIC), None)
    forged = message(key, bound(zoe, "evil.json.pgp", PUBLIC), None)
    forged = forged.replace(b"SocialMediaPosting", b"SocialMediaForging")
    assert b"Forging" in forged
    data = archive([(f"{own}/good.json.pgp", good), (f"{own}/evil.json.pgp", forged)])
    assert became(bring_back(account, data)) == {
        f"{own}/good.json.pgp": "back",
        f"{own}/evil.json.pgp": "refused",
    }


@pytest.mark.parametrize("reason", ["retired", "compromised"])
def test_a_revoked_own_key_makes_nothing_older_the_current_content(world: World, reason: Reason) -> None:
    alice, own = world.alice, world.alice.fpr.hex
    name = "x.json.pgp"
    old = message(alice.key, bound(alice, name, PUBLIC, "old"), None, created=YESTERDAY + 60)
    new = message(alice.key, bound(alice, name, PUBLIC, "new"), None)
    alice.put(alice, name, new)
    account = replaced_key(alice, lambda key: revoked(key, reason))
    assert became(bring_back(account, archive([(f"{own}/{name}", old)]))) == {f"{own}/{name}": "version"}
    assert (alice.place(alice) / name).read_bytes() == new


def test_what_is_held_and_cannot_be_judged_now_stays(world: World) -> None:
    """A post of one's own that only its addressee can open; one that is signed ahead of the clock."""
    alice, own = world.alice, world.alice.fpr.hex
    ahead = int(time.time()) + 7200
    held = {
        "his.json.pgp": message(alice.key, bound(alice, "his.json.pgp", PUBLIC), [world.bob]),
        "ahead.json.pgp": message(alice.key, bound(alice, "ahead.json.pgp", PUBLIC), None, created=ahead),
    }
    for name, data in held.items():
        alice.put(alice, name, data)
    old = [(f"{own}/{name}", message(alice.key, bound(alice, name, PUBLIC, "old"), None)) for name in held]
    assert set(became(bring_back(alice.account, archive(old))).values()) == {"version"}
    for name, data in held.items():
        assert (alice.place(alice) / name).read_bytes() == data


def test_only_a_backup_of_the_account_makes_public_what_does_not_say_that_it_is(world: World) -> None:
    """A mail that was signed for one, without its encryption, is no post."""
    alice, own = world.alice, world.alice.fpr.hex
    mail = (f"{own}/mail.pgp", message(alice.key, b"Dear Bob", None))
    sealed = (f"{own}/sealed.pgp", message(alice.key, b"Dear Bob", [alice, world.bob]))
    restored = bring_back(alice.account, archive([mail, sealed]))
    assert became(restored) == {f"{own}/mail.pgp": "refused", f"{own}/sealed.pgp": "back"}
    assert "by hand" in reason(restored, f"{own}/mail.pgp")
    account = (".mau/account.pgp", alice.account.root.account_file.read_bytes())
    assert became(bring_back(alice.account, archive([account, mail]))) == {f"{own}/mail.pgp": "back"}


def test_an_archive_that_changes_under_our_hands_brings_nothing_unproven(world: World) -> None:
    alice, bob = world.alice, world.bob
    name = f"{bob.fpr.hex}/film.pgp"
    film = message(bob.key, bytes(3_000_000), None, notations_for(bob.fpr, "film.pgp", PUBLIC))
    data = archive([(name, film)])

    class Changing(io.BytesIO):
        """Whoever has read it twice reads something else."""

        ends = 0

        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            if self.tell() >= 512 + len(film) > self.tell() - len(found):
                self.ends += 1
            return found.replace(bytes(1000), b"\x01" * 1000) if self.ends > 2 else found

    restored = Restored()
    restore(alice.account, open_archive(Changing(data), restored), restored)
    assert "was changed while it was read" in reason(restored, name)
    assert not (alice.place(bob) / "film.pgp").exists()


@pytest.mark.parametrize("ours", [True, False])
def test_an_archive_of_others_makes_its_reader_follow_nobody(world: World, ours: bool) -> None:
    """It may hold true posts of people whose keys are held: those come back, but out of sight."""
    alice, bob, carol = world.alice, world.bob, world.carol
    members: list[tuple[str, bytes] | tarfile.TarInfo] = [
        (f"{bob.fpr.hex}/x.json.pgp", message(bob.key, bound(bob, "x.json.pgp", PUBLIC), None)),
        special(f"{carol.fpr.hex}/", tarfile.DIRTYPE),
    ]
    if ours:
        members.append((".mau/account.pgp", alice.account.root.account_file.read_bytes()))
    for one in (bob, carol):
        alice.account.root.author_dir(one.fpr).rmdir()
    restored = bring_back(alice.account, archive(members))
    assert became(restored) == {f"{bob.fpr.hex}/x.json.pgp": "back"}
    assert set(alice.account.root.follows(alice.fpr)) == ({bob.fpr, carol.fpr} if ours else set())
    assert open_post(alice.account, alice.keyring, bob.fpr, "x.json.pgp")


def test_what_cannot_be_touched_keeps_nothing_else_from_coming_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that nobody may read, a directory that nobody may enter: those are named, and the rest comes."""
    alice, bob = world.alice, world.bob
    full(world)
    data = taken(alice)
    held_name = alice.place(alice) / "mine.json.pgp"
    lost = alice.place(alice) / "public.json.pgp"
    lost.unlink()
    inode, opened = held_name.stat().st_ino, os.open
    directory = alice.place(bob).stat().st_ino

    def guarded(path: Any, *words: Any, **more: Any) -> int:
        found = None
        with contextlib.suppress(OSError):
            found = os.stat(path, dir_fd=more.get("dir_fd"), follow_symlinks=False).st_ino
        if found in (inode, directory):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, *words, **more)

    monkeypatch.setattr(os, "open", guarded)
    restored = bring_back(alice.account, data)
    monkeypatch.undo()
    assert lost.exists()
    became_of = became(restored)
    assert became_of[f"{alice.fpr.hex}/public.json.pgp"] == "back"
    assert became_of[f"{alice.fpr.hex}/mine.json.pgp"] == "refused"
    assert became_of[f"{bob.fpr.hex}/his.json.pgp"] == "refused"
    assert reason(restored, f"{bob.fpr.hex}/his.json.pgp") == "Permission denied"
