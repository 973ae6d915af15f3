"""What other programs may do to key files and statement: nobody becomes a recipient (spec/threats.md)."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mau.account import Account
from mau.errors import KeyringDamaged, KeyringRolledBack, KeyringUntrusted, NotAFile, UnknownWho
from mau.keyring import Keyring
from mau.keyring import statement as statements
from mau.keyring.statement import Entry, Statement
from mau.openpgp import SecretKey, write_message
from mau.tree.names import KEYRING_NAME
from tests.keyring.conftest import expired, grafted, names, place, sealed, with_subkey

Reload = Callable[[], Keyring]


def nobody_gained(keyring: Keyring, *expected: str) -> None:
    assert names(keyring.friends()) == list(expected)
    for group in keyring.groups():
        assert keyring.members(group) == []


def statement_file(account: Account) -> Path:
    return account.root.author_dir(account.fingerprint) / KEYRING_NAME


# --- key files ---------------------------------------------------------------------------------------------


def forgeries(account: Account, mallory: SecretKey) -> dict[str, bytes]:
    """Key files that are not mine, by what is wrong with them."""
    me, key = account.key, bytes(mallory.certificate)
    whole = sealed(key, me, me)
    return {
        "plain": key,
        "armored": mallory.certificate.armored().encode(),
        "signed by its owner": sealed(key, mallory, me),
        "signed by me, for all to read": _signed_only(key, me),
        "not for me": sealed(key, mallory, mallory),
        "cut off": whole[:-20],
        "one bit": whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
        "empty": b"",
        "no key": sealed(b"hello", me, me),
        "two keys": sealed(key + bytes(account.certificate), me, me),
        "a secret key": sealed(mallory._data, me, me),
        "too large": whole + bytes(1 << 22),
    }


def _signed_only(data: bytes, key: SecretKey) -> bytes:
    out = io.BytesIO()
    write_message(out, data, key=key, recipients=None)
    return out.getvalue()


@pytest.mark.parametrize("group", ["", "work", "work/team", "known"])
def test_key_files_that_are_not_mine_count_for_nothing_not_even_to_verify(
    account: Account, mallory: SecretKey, reload: Reload, group: str
) -> None:
    for what, data in forgeries(account, mallory).items():
        place(account, mallory.certificate, group, data)
        keyring = reload()
        nobody_gained(keyring)
        assert keyring.people() == [], what
        assert keyring.certificate(mallory.fingerprint) is None, what
        (difference,) = keyring.differences()
        assert difference.kind == "foreign", what
        assert difference.reason, what
        keyring.confirm_all({mallory.fingerprint: "Mallory"})
        nobody_gained(reload())


def test_a_link_or_pipe_in_a_key_files_place_is_no_key_file(
    account: Account, mallory: SecretKey, reload: Reload, tmp_path: Path
) -> None:
    real = place(account, mallory.certificate)
    moved = tmp_path / "elsewhere.pgp"
    real.rename(moved)
    real.symlink_to(moved)
    nobody_gained(reload())
    assert reload().people() == []
    real.unlink()
    os.mkfifo(real)
    nobody_gained(reload())
    assert reload().people() == []


def test_a_key_file_that_i_signed_verifies_and_no_more(
    account: Account, keyring: Keyring, bob: SecretKey, mallory: SecretKey, reload: Reload
) -> None:
    keyring.add(bob.certificate, "Bob")
    place(account, mallory.certificate)  # I shared that key file with myself once, say
    again = reload()
    nobody_gained(again, "Bob")
    assert again.certificate(mallory.fingerprint) == mallory.certificate
    assert [person.status for person in again.unconfirmed()] == ["unconfirmed"]
    with pytest.raises(UnknownWho):
        again.audience([mallory.fingerprint.hex])


def test_a_signed_key_file_copied_into_a_group_makes_no_member(
    account: Account, keyring: Keyring, bob: SecretKey, mallory: SecretKey, reload: Reload
) -> None:
    keyring.add(bob.certificate, "Bob", ["family"])
    keyring.add(mallory.certificate, "Mallory")
    old = account.root.key_file(mallory.fingerprint)
    for group in ("family", "family/close", "new"):
        copy = account.root.key_file(mallory.fingerprint, group)
        copy.parent.mkdir(exist_ok=True)
        shutil.copy2(old, copy)
        again = reload()
        assert names(again.members("family")) == ["Bob"]
        person = again.person(mallory.fingerprint)
        assert person is not None
        assert person.groups == ()
        assert [(d.kind, d.group) for d in again.differences()] == [("unconfirmed", group)]
        copy.unlink()


def test_a_removed_friends_old_key_file_put_back_makes_no_friend(
    account: Account, keyring: Keyring, mallory: SecretKey, reload: Reload
) -> None:
    person = keyring.add(mallory.certificate, "Mallory")
    path = account.root.key_file(mallory.fingerprint)
    data = path.read_bytes()
    keyring.remove(person)
    path.write_bytes(data)
    nobody_gained(reload())
    assert not reload().is_friend(mallory.fingerprint)


def test_a_known_key_moved_among_the_friends_stays_known(
    account: Account, keyring: Keyring, mallory: SecretKey, reload: Reload
) -> None:
    keyring.add(mallory.certificate, "Mallory", known=True)
    account.root.key_file(mallory.fingerprint, "known").rename(account.root.key_file(mallory.fingerprint))
    nobody_gained(reload())
    assert [d.kind for d in reload().differences()] == ["unconfirmed", "vanished"]


def test_a_key_file_under_anothers_fingerprint_is_nobody(
    account: Account, keyring: Keyring, bob: SecretKey, mallory: SecretKey, reload: Reload
) -> None:
    keyring.add(bob.certificate, "Bob")
    keyring.add(mallory.certificate, "Mallory", known=True)
    mine = account.root.key_file(mallory.fingerprint, "known").read_bytes()
    account.root.key_file(bob.fingerprint).write_bytes(mine)
    again = reload()
    nobody_gained(again)
    assert again.certificate(bob.fingerprint) is None
    assert [(d.kind, d.fingerprint) for d in again.differences()] == [("foreign", bob.fingerprint)]


def test_another_copy_of_a_friends_key_is_not_used_until_confirmed(
    account: Account, keyring: Keyring, bob: SecretKey, mallory: SecretKey, reload: Reload
) -> None:
    """An older copy that I signed once could bring back a subkey that its owner has given up."""
    keyring.add(with_subkey(bob), "Bob")
    now = reload().certificate(bob.fingerprint)
    for other in (bob.certificate, grafted(bob, mallory)):
        place(account, other)
        again = reload()
        nobody_gained(again, "Bob")
        assert again.certificate(bob.fingerprint) == now
        assert [d.kind for d in again.differences()] == ["changed"]


def test_my_own_key_as_a_key_file_is_nobody(account: Account, reload: Reload) -> None:
    place(account, account.certificate)
    assert reload().people() == []
    assert [d.kind for d in reload().differences()] == ["foreign"]
    assert reload().person(account.fingerprint) == reload().me


def test_the_same_key_signed_anew_by_me_is_the_same(
    account: Account, keyring: Keyring, bob: SecretKey, reload: Reload
) -> None:
    keyring.add(bob.certificate, "Bob")
    place(account, bob.certificate)  # the Go reference wrote it again
    assert names(reload().friends()) == ["Bob"]
    assert reload().differences() == []


# --- the statement -----------------------------------------------------------------------------------------


def refused(account: Account, why: type[KeyringUntrusted]) -> Keyring:
    """Nothing goes on with such a statement; looking at it shows nobody as a friend. Returns that look."""
    with pytest.raises(why, match="friend confirm --all"):
        Keyring.load(account)
    keyring = Keyring.load(account, suspect=True)
    nobody_gained(keyring)
    assert keyring.known() == []
    assert isinstance(keyring.problem, why)
    return keyring


def test_a_statement_rolled_back_is_detected_and_brings_nobody_back(
    account: Account, keyring: Keyring, bob: SecretKey, mallory: SecretKey
) -> None:
    keyring.add(bob.certificate, "Bobby")
    person = keyring.add(mallory.certificate, "Mallory")
    backup = shutil.copytree(account.root.path, account.root.path.with_name("backup"))
    keyring.remove(person)
    shutil.rmtree(account.root.path)
    shutil.copytree(backup, account.root.path)
    with pytest.raises(KeyringRolledBack):
        keyring.refresh()
    with pytest.raises(KeyringRolledBack):
        keyring.add(mallory.certificate, "Mallory")
    look = refused(account, KeyringRolledBack)
    assert {d.fingerprint for d in look.differences()} == {bob.fingerprint, mallory.fingerprint}
    assert look.suggest_name(bob.certificate) == "Bobby"  # what he was called
    look.confirm(bob.fingerprint, "Bobby")
    again = Keyring.load(account)
    nobody_gained(again, "Bobby")
    assert again.problem is None
    assert [person.fingerprint for person in again.unconfirmed()] == [mallory.fingerprint]


def test_a_statement_that_is_gone_is_detected(account: Account, keyring: Keyring, bob: SecretKey) -> None:
    keyring.add(bob.certificate, "Bob")
    statement_file(account).unlink()
    look = refused(account, KeyringRolledBack)
    assert look.confirm_all({bob.fingerprint: "Bob"}) == []
    nobody_gained(Keyring.load(account), "Bob")


def test_after_the_way_out_the_statement_from_before_is_rolled_back(
    account: Account, keyring: Keyring, bob: SecretKey
) -> None:
    keyring.add(bob.certificate, "Bob")
    before = statement_file(account).read_bytes()
    statement_file(account).unlink()
    Keyring.load(account, suspect=True).confirm_all({bob.fingerprint: "Bobby"})
    statement_file(account).write_bytes(before)
    refused(account, KeyringRolledBack)


def test_a_new_machine_believes_what_it_sees_first(
    account: Account,
    keyring: Keyring,
    bob: SecretKey,
    carol: SecretKey,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    keyring.add(bob.certificate, "Bob")
    old = statement_file(account).read_bytes()
    keyring.add(carol.certificate, "Carol")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "new machine"))
    nobody_gained(Keyring.load(account), "Bob", "Carol")
    statement_file(account).write_bytes(old)
    refused(account, KeyringRolledBack)


def test_a_home_that_cannot_be_written_to_keeps_nobody_from_reading(
    account: Account, keyring: Keyring, bob: SecretKey, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keyring.add(bob.certificate, "Bob")
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    nobody_gained(Keyring.load(account), "Bob")


def _write(account: Account, data: bytes, signer: SecretKey, notations: dict[str, str]) -> None:
    with account.posts().stage() as staged:
        write_message(staged.file, data, key=signer, recipients=[account.certificate], notations=notations)
        account.posts().commit(staged, KEYRING_NAME)


def test_a_statement_that_is_not_mine_or_none_is_refused(
    account: Account, keyring: Keyring, bob: SecretKey, mallory: SecretKey
) -> None:
    """Also one that its owner was talked into sharing under that name: only the keyring signs that use."""
    keyring.add(bob.certificate, "Bob")
    path = place(account, mallory.certificate)
    places = {"": hashlib.sha256(path.read_bytes()).hexdigest()}
    entry = Entry(mallory.fingerprint, "Mallory", bytes(mallory.certificate), places)
    evil = statements.dump(Statement(99, {entry.fingerprint: entry}), account.fingerprint)
    use = {"use@mau.invalid": "keyring"}
    me = account.key
    _write(account, evil, me, {})
    refused(account, KeyringDamaged)
    _write(account, evil, me, {"use@mau.invalid": "post"})
    refused(account, KeyringDamaged)
    _write(account, evil, mallory, use)
    refused(account, KeyringDamaged)
    _write(account, b"hello", me, use)
    refused(account, KeyringDamaged)
    _write(account, statements.dump(Statement(99), bob.fingerprint), me, use)
    refused(account, KeyringDamaged)
    for data in (b"", b"garbage", bytes(mallory.certificate), evil, _signed_only(evil, me)):
        statement_file(account).write_bytes(data)
        refused(account, KeyringDamaged)
    look = Keyring.load(account, suspect=True)
    look.confirm(bob.fingerprint, "Bob")
    nobody_gained(Keyring.load(account), "Bob")


def test_a_link_in_the_statements_place_is_refused(
    account: Account, keyring: Keyring, bob: SecretKey, tmp_path: Path
) -> None:
    keyring.add(bob.certificate, "Bob")
    statement_file(account).rename(tmp_path / "moved")
    statement_file(account).symlink_to(tmp_path / "moved")
    look = refused(account, KeyringDamaged)
    with pytest.raises(NotAFile):
        look.confirm(bob.fingerprint, "Bob")
    statement_file(account).unlink()
    look.confirm(bob.fingerprint, "Bob")
    nobody_gained(Keyring.load(account), "Bob")


def test_an_expired_key_is_not_confirmed(account: Account, reload: Reload) -> None:
    old = expired()
    place(account, old)
    reload().confirm_all({old.fingerprint: "Old"})
    nobody_gained(reload())
