"""A check finds what is wrong with a tree, and mends it without losing anything (spec/backup.md C1-C10)."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from mau.catalogue import open_index
from mau.content.binding import PUBLIC
from mau.deletion.publishing import delete_post
from mau.errors import MauError, NoAccount, TreeChanged
from mau.fsck.checking import Checked, check
from mau.fsck.finding import KINDS, Finding
from mau.fsck.posts import Opener
from mau.fsck.repairing import repair
from mau.keyring import Keyring
from mau.openpgp.lifetime import revoked
from mau.publish import publish_document
from mau.reader.open import open_post
from mau.server.server import Server
from mau.syncer import sync_once
from mau.tree.layout import Root
from tests.publish.world import PASSPHRASE, Someone, World, bound, message


def looked(someone: Someone, *, account: bool = True) -> Checked:
    root = someone.account.root
    with open_index(root) as index:
        return check(root, someone.account if account else None, index=index)


def found(someone: Someone, *, account: bool = True) -> dict[str, str]:
    """Kind by path."""
    return {one.path: one.kind for one in looked(someone, account=account).findings}


def mend(someone: Someone) -> None:
    """Repair whatever can be."""
    root = someone.account.root
    opener = Opener(someone.account, Keyring.load(someone.account, suspect=True))
    with open_index(root) as index:
        for finding in check(root, someone.account, index=index).findings:
            if finding.repairable:
                repair(root, finding, opener, index)


def post(author: Someone, name: str, text: str, *to: Someone) -> None:
    audience = frozenset({author.fpr, *(one.fpr for one in to)}) if to else PUBLIC
    publish_document(author.account, author.keyring, {"articleBody": text}, name, audience)


def contents(someone: Someone) -> set[str]:
    """The sums of every file that is no derived state."""
    sums = set()
    for path in someone.account.root.path.rglob("*"):
        derived = path.relative_to(someone.account.root.path).parts[0]
        if path.is_file() and not path.is_symlink() and (derived[0] != "." or len(derived) > 40):
            sums.add(hashlib.sha256(path.read_bytes()).hexdigest())
    return sums


def test_in_a_tree_that_is_in_order_nothing_is_found(world: World) -> None:
    alice, bob = world.alice, world.bob
    for text in ("one", "two"):
        post(alice, "x.json.pgp", text, bob)
    post(bob, "y.json.pgp", "public")
    alice.fetch(bob, "y.json.pgp")
    (alice.place(bob) / "y.json.pgp").chmod(0o600)
    checked = looked(alice)
    assert (checked.findings, checked.unchecked) == ([], [])
    assert checked.posts >= 4


def test_without_the_passphrase_what_needs_none_is_checked_and_the_rest_named(world: World) -> None:
    alice = world.alice
    post(alice, "x.json.pgp", "one", world.bob)
    place = alice.place(alice)
    (place / "half.pgp").write_bytes(b"no message")
    (place / "half.pgp").chmod(0o644)
    checked = looked(alice, account=False)
    kinds = [(one.path, one.kind) for one in checked.findings]
    own = alice.fpr.hex
    assert kinds == [(f"{own}/half.pgp", "mode"), (f"{own}/half.pgp", "damaged")]
    assert "passphrase" in checked.unchecked[0]


def test_modes_are_closed(world: World) -> None:
    alice = world.alice
    root = alice.account.root
    post(alice, "x.json.pgp", "one")
    post(alice, "x.json.pgp", "two")
    opened = [root.path, root.mau, root.account_file, alice.place(alice), alice.place(alice) / "x.json.pgp"]
    for path in opened:
        path.chmod(0o755)
    assert set(found(alice).values()) == {"mode"}
    assert len(found(alice)) == len(opened)
    mend(alice)
    assert found(alice) == {}
    assert root.account_file.stat().st_mode & 0o077 == 0


def test_a_friends_damaged_file_becomes_a_version_so_that_it_can_come_again(world: World) -> None:
    alice, bob = world.alice, world.bob
    post(bob, "x.json.pgp", "public")
    alice.fetch(bob, "x.json.pgp")
    path = alice.place(bob) / "x.json.pgp"
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert found(alice) == {f"{bob.fpr.hex}/x.json.pgp": "damaged"}
    before = contents(alice)
    mend(alice)
    assert not path.exists()
    assert contents(alice) == before
    alice.fetch(bob, "x.json.pgp")
    path.chmod(0o600)
    assert open_post(alice.account, alice.keyring, bob.fpr, "x.json.pgp")
    assert set(found(alice).values()) == {"older"}, "what was damaged is told as an older content"


async def test_what_was_mended_so_is_fetched_again(world: World) -> None:
    """The syncer does not take it for a removal that was meant."""
    alice, bob = world.alice, world.bob
    post(bob, "x.json.pgp", "public")
    post(bob, "y.json.pgp", "public")
    server = Server(bob.account, bob.keyring)
    await server.start("127.0.0.1", 0)
    try:
        address = [server.address]
        first = await sync_once(alice.account, alice.keyring, bob.fpr, address)
        assert sorted(first.fetched) == ["x.json.pgp", "y.json.pgp"]
        path = alice.place(bob) / "x.json.pgp"
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        path.write_bytes(path.read_bytes()[:-9])
        mend(alice)
        assert not path.exists()
        again = await sync_once(alice.account, alice.keyring, bob.fpr, address, full=True)
        assert again.fetched == ["x.json.pgp"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    finally:
        await server.stop()


def test_a_renamed_own_post_is_signed_anew_under_its_name_for_the_same_people(world: World) -> None:
    alice, bob = world.alice, world.bob
    post(alice, "old.json.pgp", "text", bob)
    place = alice.place(alice)
    (place / "old.json.pgp").rename(place / "new.json.pgp")
    assert found(alice) == {f"{alice.fpr.hex}/new.json.pgp": "renamed"}
    before = contents(alice)
    mend(alice)
    assert contents(alice) > before, "what it was is a version"
    opened = open_post(alice.account, alice.keyring, alice.fpr, "new.json.pgp")
    assert opened.document is not None
    assert (opened.document["articleBody"], opened.audience) == ("text", frozenset({alice.fpr, bob.fpr}))
    assert bob.fetch(alice, "new.json.pgp")
    assert open_post(bob.account, bob.keyring, alice.fpr, "new.json.pgp")
    assert "renamed" not in found(alice).values()


def test_half_saved_own_files_are_named_and_left_alone(world: World) -> None:
    alice = world.alice
    post(alice, "x.json.pgp", "text")
    place = alice.place(alice)
    whole = (place / "x.json.pgp").read_bytes()
    for name, data in {"cut.pgp": whole[:-30], "empty.pgp": b"", "plain.pgp": b"hello"}.items():
        (place / name).write_bytes(data)
        (place / name).chmod(0o600)
    expected = {f"{alice.fpr.hex}/{name}": "half-saved" for name in ("cut.pgp", "empty.pgp", "plain.pgp")}
    assert found(alice) == expected
    mend(alice)
    assert found(alice) == expected


def test_what_a_cut_off_program_left_is_finished_but_what_lives_is_left(world: World) -> None:
    alice = world.alice
    root, place = alice.account.root, alice.place(alice)
    post(alice, "x.json.pgp", "one")
    post(alice, "x.json.pgp", "two")
    current = alice.account.posts().sha256("x.json.pgp")
    (place / ".mau-0123456789abcdef.tmp").touch(0o600)
    (root.path / ".mau-0123456789abcdef.tmp").touch(0o600)
    (place / ".mau-0123456789abcdef.gone").mkdir()
    os.link(place / "x.json.pgp", place / "x.json.pgp.versions" / f"{current}.pgp")
    living = place / ".mau-fedcba9876543210.tmp"
    with living.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert sorted(found(alice).values()) == ["leftover"] * 4
        mend(alice)
        assert living.exists()
        assert found(alice) == {}
    assert alice.account.posts().sha256("x.json.pgp") == current


def test_versions_that_are_called_wrongly_get_their_right_names(world: World) -> None:
    alice = world.alice
    post(alice, "x.json.pgp", "one")
    post(alice, "x.json.pgp", "two")
    versions = alice.place(alice) / "x.json.pgp.versions"
    [right] = versions.iterdir()
    right.rename(versions / f"{'0' * 64}.pgp")
    (versions / "copy").write_bytes(b"something else")
    (versions / "copy").chmod(0o600)
    assert list(found(alice).values()) == ["version-name", "version-name"]
    before = contents(alice)
    mend(alice)
    assert contents(alice) == before
    assert right.exists()
    assert "version-name" not in found(alice).values()


def test_what_lies_in_the_way_is_named(world: World, tmp_path: Path) -> None:
    alice = world.alice
    place = alice.place(alice)
    (place / "link.pgp").symlink_to("/etc/passwd")
    os.mkfifo(place / "pipe.pgp")
    (place / "y.pgp.versions").touch(0o600)
    (place / "a\x1bb.pgp").touch(0o600)
    (alice.account.root.mau / "notes.txt").touch(0o600)
    own = alice.fpr.hex
    assert found(alice) == {
        ".mau/notes.txt": "stray",
        f"{own}/a\x1bb.pgp": "name",
        f"{own}/link.pgp": "stray",
        f"{own}/pipe.pgp": "stray",
        f"{own}/y.pgp.versions": "stray",
    }


def test_names_that_other_disks_cannot_tell_apart_are_named(world: World) -> None:
    alice, bob = world.alice, world.bob
    for name in ("Tea.json.pgp", "tea.json.pgp"):
        alice.put(bob, name, message(bob.key, bound(bob, name, PUBLIC), None))
        (alice.place(bob) / name).chmod(0o600)
    assert found(alice) == {f"{bob.fpr.hex}/tea.json.pgp": "clash"}


def test_key_files_that_nobody_confirmed_and_a_statement_that_is_old_are_named(world: World) -> None:
    alice = world.alice
    old = (alice.place(alice) / "keyring.json.pgp").read_bytes()
    copy = alice.account.root.mau / "tea" / f"{world.carol.fpr.hex}.pgp"
    copy.write_bytes((alice.account.root.mau / f"{world.carol.fpr.hex}.pgp").read_bytes())
    copy.chmod(0o600)
    assert found(alice) == {f".mau/tea/{world.carol.fpr.hex}.pgp": "key"}
    copy.unlink()
    alice.keyring.remove(world.carol.fpr)
    (alice.place(alice) / "keyring.json.pgp").write_bytes(old)
    assert found(alice)[f"{alice.fpr.hex}/keyring.json.pgp"] == "keyring"


def test_a_deleted_post_that_is_there_again_can_be_published_again(world: World) -> None:
    alice = world.alice
    post(alice, "x.json.pgp", "text", world.bob)
    data = (alice.place(alice) / "x.json.pgp").read_bytes()
    delete_post(alice.account, alice.keyring, "x.json.pgp")
    (alice.place(alice) / "x.json.pgp").write_bytes(data)
    (alice.place(alice) / "x.json.pgp").chmod(0o600)
    assert found(alice) == {f"{alice.fpr.hex}/x.json.pgp": "deleted"}
    mend(alice)
    assert found(alice) == {}


def test_a_change_that_left_no_trace_is_seen_by_the_index(world: World) -> None:
    """As when a disk forgets: other bytes, and the same size and times."""
    alice = world.alice
    post(alice, "x.json.pgp", "text")
    root = alice.account.root
    with open_index(root) as index:
        index.refresh()
        deadline = time.monotonic() + 10
        while index.unsettled(alice.fpr) and time.monotonic() < deadline:
            time.sleep(0.06)
            index.refresh()
        entry = index.entry(alice.fpr, "x.json.pgp")
        assert entry
        assert entry.stamp

        def work(connection: object) -> None:
            connection.execute("UPDATE file SET sha256 = ?", (bytes(32),))  # type: ignore[attr-defined]

        index._store.run(work, write=True)
        checked = check(root, alice.account, index=index)
        assert {one.kind for one in checked.findings} == {"index"}
        for finding in checked.findings:
            repair(root, finding, None, index)
        assert check(root, alice.account, index=index).findings == []


def test_every_kind_says_what_to_do_and_what_cannot_be_mended_is_refused(world: World) -> None:
    for kind, words in KINDS.items():
        assert words.title
        assert words.advice
        if not words.repair:
            with pytest.raises(MauError):
                repair(world.alice.account.root, Finding(kind, "x", "y"), None, None)


@pytest.mark.slow
def test_ten_thousand_posts_take_seconds(world: World) -> None:
    alice, bob = world.alice, world.bob
    for number in range(10_000):
        name = f"{number}.json.pgp"
        alice.put(bob, name, message(bob.key, bound(bob, name, PUBLIC), [alice]))
    start = time.monotonic()
    checked = looked(alice)
    assert checked.posts >= 10_000
    assert {one.kind for one in checked.findings} == {"mode"}, "they were put there with cp, as it were"
    assert time.monotonic() - start < 60


# --- beside others -----------------------------------------------------------------------------------------


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_what_was_fetched_since_the_check_is_not_taken_away(world: World) -> None:
    """Between the check and the answer to its question lies as long as somebody needs to read."""
    alice, bob = world.alice, world.bob
    post(bob, "x.json.pgp", "public")
    alice.fetch(bob, "x.json.pgp")
    path = alice.place(bob) / "x.json.pgp"
    path.chmod(0o600)
    good = path.read_bytes()
    damage(path)
    [finding] = looked(alice).findings
    path.write_bytes(good)
    with pytest.raises(TreeChanged):
        repair(alice.account.root, finding, None, None)
    assert path.read_bytes() == good


async def test_a_damaged_file_whose_author_deleted_it_is_named_so(world: World) -> None:
    alice, bob = world.alice, world.bob
    post(bob, "x.json.pgp", "public")
    server = Server(bob.account, bob.keyring)
    await server.start("127.0.0.1", 0)
    try:
        await sync_once(alice.account, alice.keyring, bob.fpr, [server.address])
        path = alice.place(bob) / "x.json.pgp"
        damage(path)
        delete_post(bob.account, bob.keyring, "x.json.pgp")
        await sync_once(alice.account, alice.keyring, bob.fpr, [server.address])
        assert path.exists(), "nobody can tell that it is what was deleted"
        [finding] = looked(alice).findings
        assert (finding.kind, finding.name) == ("damaged", "x.json.pgp")
        assert "deleted" in finding.words
        mend(alice)
        assert not path.exists()
        assert set(found(alice).values()) == {"older"}, "nothing is waited for"
    finally:
        await server.stop()


def test_a_revoked_key_makes_no_damage_of_what_is_held(world: World) -> None:
    """What it means for the owner is told by `mau doctor`."""
    alice = world.alice
    post(alice, "x.json.pgp", "one")
    post(alice, "x.json.pgp", "two")
    account = alice.account.change_key(PASSPHRASE, lambda key: revoked(key, "compromised"))
    assert check(account.root, account).findings == []


def test_a_swap_that_goes_on_just_now_is_no_leftover(world: World) -> None:
    """What came out of it has its dot-name for a moment, under the lock of the directory."""
    alice = world.alice
    post(alice, "x.json.pgp", "one")
    place = alice.place(alice)
    parked = place / f".mau-0123456789abcdef.{'0' * 64}.new"
    fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    shutil.copy2(place / "x.json.pgp", parked)
    done: list[dict[str, str]] = []
    thread = threading.Thread(target=lambda: done.append(found(alice, account=False)))
    thread.start()
    thread.join(1)
    parked.unlink()
    os.close(fd)
    thread.join()
    assert done == [{}]


def test_where_no_tree_is_nothing_is_looked_at(tmp_path: Path) -> None:
    """Its mode is nobody's business here: it could be /home."""
    (tmp_path / "letters").mkdir()
    with pytest.raises(NoAccount, match="no tree"):
        check(Root(tmp_path), None)


def test_what_cannot_be_read_is_named_and_the_rest_is_checked(world: World) -> None:
    alice = world.alice
    post(alice, "x.json.pgp", "one")
    post(alice, "x.json.pgp", "two")
    versions = alice.place(alice) / "x.json.pgp.versions"
    group = alice.account.root.mau / "tea"
    for path in (versions, group):
        path.chmod(0)
    try:
        if os.access(versions, os.R_OK):
            pytest.skip("whoever runs this may read everything")
        kinds = found(alice)
        assert kinds[f"{alice.fpr.hex}/x.json.pgp.versions"] == "unread"
        assert kinds[".mau/tea"] == "unread"
    finally:
        for path in (versions, group):
            path.chmod(0o700)


def test_beside_somebody_who_edits_nothing_is_found(world: World) -> None:
    """A content that was current when the check began, and a version when it came there, is no leftover."""
    alice = world.alice
    over = threading.Event()
    begun = threading.Event()
    count = 0

    def edit() -> None:
        nonlocal count
        while not over.is_set():
            post(alice, f"{count % 4}.json.pgp", str(count))
            count += 1
            if count == 8:
                begun.set()

    thread = threading.Thread(target=edit)
    thread.start()
    try:
        assert begun.wait(30)
        for _ in range(10):
            assert looked(alice).findings == []
    finally:
        over.set()
        thread.join()
    assert count > 12, "there was something to be found"
