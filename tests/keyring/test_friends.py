"""Adding, knowing, merging, grouping and forgetting people (spec/keyring.md K1, K3, K7)."""

from __future__ import annotations

import stat
from collections.abc import Callable

import pytest

from mau.account import Account
from mau.errors import (
    KeyExpired,
    KeyRevoked,
    KeyTooWeak,
    NoAudience,
    OwnKey,
    TreeChanged,
    UnknownWho,
    UsageError,
)
from mau.keyring import Keyring, describe_changes
from mau.openpgp import Certificate, SecretKey, open_message
from tests.keyring.conftest import (
    expired,
    grafted,
    make,
    names,
    place,
    revoked,
    weak,
    with_subkey,
    with_user_id,
)

Reload = Callable[[], Keyring]


def test_nobody_is_there_at_first(keyring: Keyring) -> None:
    assert keyring.people() == []
    assert keyring.me.status == "me"
    assert keyring.differences() == []


def test_who_was_added_is_a_friend_for_every_process(
    account: Account, keyring: Keyring, bob: SecretKey, reload: Reload
) -> None:
    person = keyring.add(bob.certificate, "Bob")
    assert person == reload().person(bob.fingerprint)
    assert (person.status, person.local_name, person.groups) == ("friend", "Bob", ())
    assert reload().is_friend(bob.fingerprint)
    assert reload().certificate(bob.fingerprint) == bob.certificate
    assert reload().differences() == []


def test_a_key_file_is_encrypted_and_signed_by_me_and_holds_the_binary_key(
    account: Account, keyring: Keyring, bob: SecretKey
) -> None:
    keyring.add(bob.certificate, "Bob", ["work/team"])
    for group in ("", "work/team"):
        data = account.root.key_file(bob.fingerprint, group).read_bytes()
        opened = open_message(data, key=account.key, author=account.certificate)
        assert opened.encrypted
        assert opened.data == bytes(bob.certificate)
        assert opened.recipients == tuple(account.certificate.encryption_keyids)


def test_nothing_but_keys_lies_in_the_directory_of_keys_and_nobody_else_may_look(
    account: Account, keyring: Keyring, bob: SecretKey
) -> None:
    keyring.add(bob.certificate, "Bob", ["work/team"])
    found = sorted(path.relative_to(account.root.mau) for path in account.root.mau.rglob("*"))
    name = f"{bob.fingerprint}.pgp"
    assert list(map(str, found)) == sorted([name, "work", "work/team", f"work/team/{name}"])
    for path in account.root.path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_the_statement_is_for_me_alone(account: Account, keyring: Keyring, bob: SecretKey) -> None:
    keyring.add(bob.certificate, "Bob")
    with account.posts().open("keyring.json.pgp") as file:
        opened = open_message(file.read(), key=account.key, author=account.certificate)
    assert opened.recipients == tuple(account.certificate.encryption_keyids)


def test_a_later_statement_is_signed_later_than_the_one_it_replaces(
    account: Account, keyring: Keyring
) -> None:
    times = []
    for name in ("A", "B", "C"):
        keyring.add(make(name).certificate, name)
        with account.posts().open("keyring.json.pgp") as file:
            times.append(open_message(file.read(), key=account.key, author=account.certificate).signed_at)
    assert times == sorted(set(times))


def test_a_known_key_verifies_and_is_no_friend(
    keyring: Keyring, account: Account, bob: SecretKey, reload: Reload
) -> None:
    keyring.add(bob.certificate, "Bob", known=True)
    again = reload()
    assert account.root.key_file(bob.fingerprint, "known").exists()
    assert names(again.known()) == ["Bob"]
    assert again.friends() == []
    assert not again.is_friend(bob.fingerprint)
    assert again.certificate(bob.fingerprint) == bob.certificate
    assert again.audience(["Bob"]) == again.known()


def test_a_known_key_becomes_a_friend(
    keyring: Keyring, account: Account, bob: SecretKey, reload: Reload
) -> None:
    keyring.add(bob.certificate, "Bob", known=True)
    keyring.add(bob.certificate)
    assert names(reload().friends()) == ["Bob"]
    assert not account.root.key_file(bob.fingerprint, "known").exists()
    keyring.add(bob.certificate, known=True)  # and stays one
    assert names(reload().friends()) == ["Bob"]
    assert reload().differences() == []


def test_keys_that_may_not_be_used_are_refused_each_with_its_reason(
    keyring: Keyring, my_key: SecretKey, bob: SecretKey
) -> None:
    reasons: list[tuple[Certificate, type[Exception]]] = [
        (my_key.certificate, OwnKey),
        (revoked(bob), KeyRevoked),
        (expired(), KeyExpired),
        (weak(), KeyTooWeak),
    ]
    for certificate, reason in reasons:
        with pytest.raises(reason):
            keyring.check(certificate)
        with pytest.raises(reason):
            keyring.add(certificate, "Somebody")
    assert keyring.people() == []


def test_old_posts_may_be_verified_with_an_old_key_but_never_with_a_weak_one(
    keyring: Keyring, my_key: SecretKey
) -> None:
    keyring.add(expired(), "Old", known=True)
    with pytest.raises(KeyTooWeak):
        keyring.add(weak(), "Weak", known=True)
    with pytest.raises(OwnKey):
        keyring.add(my_key.certificate, "I", known=True)
    with pytest.raises(KeyExpired):
        keyring.add(expired(), "Elder")


def test_a_newer_copy_is_merged_and_name_and_groups_stay(
    keyring: Keyring, bob: SecretKey, reload: Reload
) -> None:
    keyring.add(bob.certificate, "Bobby", ["work"])
    first = with_user_id(bob, "Robert", "robert@example.org")
    second = with_subkey(bob)
    keyring.add(first)
    person = keyring.add(second)
    assert (person.local_name, person.groups) == ("Bobby", ("work",))
    assert set(person.certificate.user_ids) == set(first.user_ids)
    assert person.certificate.encryption_keyids == second.encryption_keyids
    assert reload().person(bob.fingerprint) == person
    assert reload().differences() == []
    keyring.add(bob.certificate)  # an older copy takes nothing away
    assert reload().certificate(bob.fingerprint) == person.certificate


def test_changes_of_a_key_are_told(bob: SecretKey) -> None:
    old = bob.certificate
    assert describe_changes(old, old) == []
    assert describe_changes(old, with_user_id(bob, "R", "r@example.org")) == [
        "new user id: 'R <r@example.org>'"
    ]
    assert "new encryption key" in describe_changes(old, with_subkey(bob))[0]
    assert "revoked" in " ".join(describe_changes(old, revoked(bob)))


def test_a_friends_revocation_is_taken_in(keyring: Keyring, bob: SecretKey, reload: Reload) -> None:
    keyring.add(bob.certificate, "Bob")
    person = keyring.add(revoked(bob))
    assert person.certificate.revoked
    again = reload().certificate(bob.fingerprint)
    assert again is not None
    with pytest.raises(KeyRevoked):
        again.check_usable()
    keyring.add(bob.certificate)  # a copy from before does not undo it
    assert keyring.add(bob.certificate).certificate.revoked


def test_local_names_are_unique_whatever_their_form(
    keyring: Keyring, bob: SecretKey, carol: SecretKey
) -> None:
    keyring.add(bob.certificate, "Straße")
    for name in ("Straße", "STRASSE", "strasse"):
        with pytest.raises(UsageError, match="taken"):
            keyring.add(carol.certificate, name)
    keyring.add(bob.certificate, "STRASSE")  # his own, written another way
    assert names(keyring.friends()) == ["STRASSE"]


def test_a_name_is_needed(keyring: Keyring, bob: SecretKey) -> None:
    with pytest.raises(UsageError, match="--as"):
        keyring.add(bob.certificate)
    assert keyring.people() == []


def test_remove_forgets_every_place_and_no_posts(
    keyring: Keyring, account: Account, bob: SecretKey, reload: Reload
) -> None:
    person = keyring.add(bob.certificate, "Bob", ["work", "home"])
    place(account, bob.certificate, "elsewhere")
    posts = account.root.author_dir(bob.fingerprint)
    posts.mkdir()
    (posts / "hello.json.pgp").write_bytes(b"...")
    keyring.remove(person)
    assert list(account.root.key_files()) == []
    assert reload().people() == []
    assert reload().certificate(bob.fingerprint) is None
    assert (posts / "hello.json.pgp").exists()


# --- groups ------------------------------------------------------------------------------------------------


def test_groups_nest(keyring: Keyring, bob: SecretKey, carol: SecretKey, reload: Reload) -> None:
    people = [keyring.add(bob.certificate, "Bob"), keyring.add(carol.certificate, "Carol")]
    keyring.group_add("work", people[:1])
    keyring.group_add("@work/team", people[1:])
    again = reload()
    assert again.groups() == ["work", "work/team"]
    assert names(again.members("work")) == ["Bob", "Carol"]
    assert names(again.members("work/team")) == ["Carol"]
    assert names(again.audience(["@work", "Bob", "@WORK/team"])) == ["Bob", "Carol"]
    assert again.members("wor") == []


def test_leaving_a_group_leaves_a_friend(
    keyring: Keyring, bob: SecretKey, carol: SecretKey, reload: Reload
) -> None:
    people = [
        keyring.add(bob.certificate, "Bob", ["work"]),
        keyring.add(carol.certificate, "Carol", ["work/team"]),
    ]
    keyring.group_remove("work", people[1:])
    assert names(reload().members("work")) == ["Bob"]
    keyring.group_remove("work")
    again = reload()
    assert again.groups() == []
    assert names(again.friends()) == ["Bob", "Carol"]
    assert again.differences() == []
    with pytest.raises(UnknownWho):
        again.audience(["@work"])


def test_who_was_a_friend_by_his_group_alone_stays_one(
    keyring: Keyring, account: Account, bob: SecretKey, reload: Reload
) -> None:
    place(account, bob.certificate, "work")
    imported = reload()
    imported.confirm(bob.fingerprint, "Bob")
    assert not account.root.key_file(bob.fingerprint).exists()
    imported.group_remove("work")
    assert names(reload().friends()) == ["Bob"]
    assert reload().differences() == []


def test_only_friends_are_members(
    keyring: Keyring, account: Account, bob: SecretKey, carol: SecretKey
) -> None:
    known = keyring.add(bob.certificate, "Bob", known=True)
    place(account, carol.certificate)
    keyring.refresh()
    for person in (known, *keyring.unconfirmed(), keyring.me):
        with pytest.raises(UsageError):
            keyring.group_add("work", [person])
    assert keyring.members("work") == []


@pytest.mark.parametrize("name", ["known", "", "a//b", "../x", ".hidden", "x.pgp", "/etc", "a/known"])
def test_groups_that_may_not_be(keyring: Keyring, bob: SecretKey, name: str) -> None:
    person = keyring.add(bob.certificate, "Bob")
    with pytest.raises(UsageError):
        keyring.group_add(name, [person])


@pytest.mark.parametrize("name", ["WORK", "Work/team", "work/TEAM", "WORK/x"])
def test_groups_that_collide_are_refused(keyring: Keyring, bob: SecretKey, name: str) -> None:
    person = keyring.add(bob.certificate, "Bob", ["work/team"])
    with pytest.raises(UsageError, match="already"):
        keyring.group_add(name, [person])


def test_an_empty_group_is_no_audience(keyring: Keyring, account: Account) -> None:
    (account.root.mau / "empty").mkdir()
    with pytest.raises(NoAudience):
        keyring.audience(["@empty"])


# --- what came from elsewhere ------------------------------------------------------------------------------


def test_the_references_friends_verify_until_confirmed(reference_account: Account) -> None:
    keyring = Keyring.load(reference_account)
    assert keyring.friends() == []
    assert len(keyring.unconfirmed()) == len(keyring.differences()) == 2
    people = keyring.unconfirmed()
    assert {person.certificate.name for person in people} == {"Bob Example", "Carol Example"}
    assert keyring.owner_of(next(iter(people[0].certificate.encryption_keyids))) is None
    before = {path: path.read_bytes() for _, _, path in reference_account.root.key_files()}
    assert keyring.confirm_all({person.fingerprint: person.certificate.name for person in people}) == []
    again = Keyring.load(reference_account)
    assert names(again.friends()) == ["Bob Example", "Carol Example"]
    assert {path: path.read_bytes() for _, _, path in reference_account.root.key_files()} == before


def test_confirming_can_rename(keyring: Keyring, bob: SecretKey, reload: Reload) -> None:
    person = keyring.add(bob.certificate, "Bob", ["work"])
    keyring.confirm(person, "Bobby")
    assert names(reload().members("work")) == ["Bobby"]


def test_what_vanished_counts_no_more_and_is_confirmed_as_gone(
    keyring: Keyring, account: Account, bob: SecretKey, carol: SecretKey, reload: Reload
) -> None:
    keyring.add(bob.certificate, "Bob", ["work"])
    keyring.add(carol.certificate, "Carol")
    account.root.key_file(bob.fingerprint, "work").unlink()
    account.root.key_file(carol.fingerprint).unlink()
    again = reload()
    assert names(again.friends()) == ["Bob"]
    assert again.members("work") == []
    assert [(d.kind, d.local_name, d.group) for d in again.differences()] == sorted(
        [("vanished", "Bob", "work"), ("vanished", "Carol", "")],
        key=lambda one: (bob if one[1] == "Bob" else carol).fingerprint,
    )
    assert again.resolve_difference("carol") == carol.fingerprint
    assert again.confirm_all({}) == []
    assert reload().differences() == []
    assert names(reload().friends()) == ["Bob"]


def test_a_key_file_that_comes_back_counts_again(
    keyring: Keyring, account: Account, bob: SecretKey, reload: Reload
) -> None:
    keyring.add(bob.certificate, "Bob")
    path = account.root.key_file(bob.fingerprint)
    data = path.read_bytes()
    path.unlink()
    assert reload().friends() == []
    path.write_bytes(data)
    assert names(reload().friends()) == ["Bob"]


def test_only_what_was_seen_is_confirmed(
    keyring: Keyring, account: Account, bob: SecretKey, carol: SecretKey, reload: Reload
) -> None:
    place(account, bob.certificate)
    looked = reload()
    seen = looked.differences()
    place(account, carol.certificate)
    place(account, bob.certificate, "work")
    looked.confirm_all({bob.fingerprint: "Bob", carol.fingerprint: "Carol"}, seen)
    assert names(reload().friends()) == ["Bob"]
    assert reload().members("work") == []


def test_a_key_file_that_changed_after_it_was_seen_is_not_confirmed(
    account: Account, bob: SecretKey, carol: SecretKey, reload: Reload, keyring: Keyring
) -> None:
    place(account, bob.certificate)
    looked = reload()
    assert len(looked.differences()) == 1
    place(account, with_subkey(bob))
    with pytest.raises(TreeChanged):
        looked.confirm(bob.fingerprint, "Bob")
    assert reload().friends() == []


def test_who_cannot_be_confirmed_is_left_out_and_named(
    account: Account, bob: SecretKey, carol: SecretKey, reload: Reload
) -> None:
    old = expired()
    for certificate in (bob.certificate, carol.certificate, old):
        place(account, certificate)
    left_out = dict(reload().confirm_all({bob.fingerprint: "Bob", old.fingerprint: "Old"}))
    assert {fpr: type(error) for fpr, error in left_out.items()} == {
        carol.fingerprint: UsageError,  # no name
        old.fingerprint: KeyExpired,
    }
    assert names(reload().friends()) == ["Bob"]


def test_refresh_reads_only_what_changed(
    account: Account, keyring: Keyring, bob: SecretKey, reload: Reload
) -> None:
    assert not keyring.refresh()
    reload().add(bob.certificate, "Bob", ["work"])
    assert keyring.friends() == []
    assert keyring.refresh()
    assert names(keyring.friends()) == ["Bob"]
    assert not keyring.refresh()
    account.root.key_file(bob.fingerprint, "work").unlink()
    assert keyring.refresh()
    assert keyring.members("work") == []


def test_suggested_names_are_free(keyring: Keyring, bob: SecretKey, carol: SecretKey) -> None:
    assert keyring.suggest_name(bob.certificate) == "Bob"
    keyring.add(carol.certificate, "bob")
    assert keyring.suggest_name(bob.certificate) == "Bob 2"


def test_a_contested_subkey_keeps_nobody_from_being_added(
    keyring: Keyring, bob: SecretKey, mallory: SecretKey
) -> None:
    keyring.add(grafted(mallory, bob), "Mallory")
    assert keyring.add(bob.certificate, "Bob").status == "friend"
