"""Copies of keys that the network brings: what counts at once, and what waits (spec/keyring.md K11)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from mau.account import Account
from mau.errors import KeyRefused, KeyRevoked, TreeChanged, UnknownWho
from mau.keyring import Keyring
from mau.openpgp import Certificate, SecretKey
from mau.openpgp.lifetime import Reason, extended, revoked
from tests.keyring.conftest import grafted, own_copy, place, public, with_subkey, with_user_id

LATER = int(time.time()) + 86_400
Reload = Callable[[], Keyring]


@pytest.fixture
def friendly(keyring: Keyring, bob: SecretKey) -> Keyring:
    keyring.add(bob.certificate, "Bob", ["work"])
    return keyring


def counter(keyring: Keyring) -> int:
    return keyring._snapshot.statement.counter


def test_a_revocation_counts_at_once_and_stays(friendly: Keyring, reload: Reload, bob: SecretKey) -> None:
    news = friendly.take_in(revoked(bob, "compromised").certificate)
    assert news.changes == ("the key is revoked now: nothing is encrypted to it any more",)
    assert (news.waiting, news.fresh) == ((), False)
    for keyring in (friendly, reload()):
        person = keyring.resolve("Bob")
        assert person.certificate.revoked
        assert person.groups == ("work",)
        assert keyring.differences() == []
        with pytest.raises(KeyRevoked):
            person.certificate.check_usable()
    assert friendly.take_in(bob.certificate).changes == (), "a host that leaves it out undoes nothing"
    assert friendly.resolve("Bob").certificate.revoked


def test_another_expiry_counts_at_once(friendly: Keyring, reload: Reload, bob: SecretKey) -> None:
    assert friendly.take_in(extended(bob, LATER).certificate).changes == ("its expiry changed",)
    assert reload().resolve("Bob").certificate.expires == LATER


def test_the_key_files_hold_what_the_statement_says(
    friendly: Keyring, account: Account, bob: SecretKey
) -> None:
    from mau.keyring.keyfile import read_key_file

    friendly.take_in(extended(bob, LATER).certificate)
    friendly.take_in(with_subkey(bob))
    for group in ("", "work"):
        data = account.root.key_file(bob.fingerprint, group).read_bytes()
        held = read_key_file(data, account.key, bob.fingerprint)
        assert held == friendly.resolve("Bob").certificate
        assert len(held.encryption_keyids) == 1


def test_a_copy_that_brings_nothing_writes_nothing(friendly: Keyring, bob: SecretKey) -> None:
    for copy in (bob.certificate, with_subkey(bob)):
        friendly.take_in(copy)
        before = counter(friendly)
        friendly.take_in(copy)
        friendly.take_in(bob.certificate)
        assert counter(friendly) == before


# --- what waits ---------------------------------------------------------------------------------------------


def test_a_new_user_id_names_nobody_until_it_is_confirmed(
    friendly: Keyring, reload: Reload, bob: SecretKey
) -> None:
    news = friendly.take_in(with_user_id(bob, "The bank", "bank@example.org"))
    assert news.changes == ()
    assert news.waiting == ("new user id: 'The bank <bank@example.org>'",)
    assert news.fresh
    keyring = reload()
    with pytest.raises(UnknownWho):
        keyring.resolve("bank@example.org")
    assert keyring.resolve("Bob").local_name == "Bob"
    [difference] = keyring.differences()
    assert (difference.kind, difference.local_name) == ("reported", "Bob")
    assert "bank@example.org" in str(difference)
    keyring.confirm(bob.fingerprint)
    for again in (keyring, reload()):
        assert again.resolve("bank@example.org").local_name == "Bob"
        assert again.differences() == []
        assert again.resolve("Bob").reported is None


def test_a_new_encryption_subkey_is_used_for_nothing_until_it_is_confirmed(
    friendly: Keyring, reload: Reload, bob: SecretKey
) -> None:
    newer = with_subkey(bob)
    [fresh] = newer.encryption_keyids - bob.certificate.encryption_keyids
    friendly.take_in(newer)
    keyring = reload()
    assert keyring.owner_of(fresh) is None
    assert fresh not in keyring.resolve("Bob").certificate.key_ids
    assert not friendly.take_in(newer).fresh
    keyring.confirm_all({})
    assert reload().owner_of(fresh) == bob.fingerprint


def test_what_waits_is_not_lost_by_other_changes(friendly: Keyring, reload: Reload, bob: SecretKey) -> None:
    friendly.take_in(with_subkey(bob))
    friendly.group_add("tea", [friendly.resolve("Bob")])
    friendly.take_in(extended(bob, LATER).certificate)
    friendly.add(bob.certificate, "Robert")
    person = reload().resolve("Robert")
    assert person.news == [f"new encryption key {sorted(_fresh(person.reported, bob))[0].hex()}"]
    assert person.certificate.expires == LATER


def _fresh(certificate: Certificate | None, key: SecretKey) -> frozenset[bytes]:
    assert certificate is not None
    return certificate.encryption_keyids - key.certificate.encryption_keyids


def test_only_what_was_shown_is_confirmed(friendly: Keyring, reload: Reload, bob: SecretKey) -> None:
    own = own_copy(bob)
    friendly.take_in(with_user_id(bob, "First", "first@example.org"))
    shown = friendly.differences()
    other = reload()
    own.add_uid(_user_id("Second", "second@example.org"), usage=set())
    other.take_in(public(own))
    with pytest.raises(TreeChanged):
        friendly.confirm_all({}, shown)
    assert reload().resolve("Bob").certificate.user_ids == bob.certificate.user_ids


def _user_id(name: str, email: str) -> object:
    from mau.openpgp.compat import pgpy

    return pgpy().PGPUID.new(name, email=email)


def test_news_that_their_owner_took_back_are_none(friendly: Keyring, bob: SecretKey) -> None:
    own = own_copy(bob)
    own.add_uid(_user_id("Mistake", "mistake@example.org"), usage=set())
    friendly.take_in(public(own))
    assert friendly.resolve("Bob").news
    [wrong] = [one for one in own.userids if one.name == "Mistake"]
    wrong |= own.revoke(wrong)
    news = friendly.take_in(public(own))
    assert (news.waiting, friendly.differences()) == ((), [])


# --- whose subkey? ------------------------------------------------------------------------------------------


def test_a_contested_subkey_never_shifts_by_itself(
    friendly: Keyring, reload: Reload, bob: SecretKey, carol: SecretKey
) -> None:
    friendly.add(carol.certificate, "Carol")
    [hers] = carol.certificate.encryption_keyids
    friendly.take_in(grafted(bob, carol))
    assert reload().owner_of(hers) == carol.fingerprint
    assert [one.local_name for one in friendly.contested_news(friendly.resolve("Bob"))[hers]] == ["Carol"]
    assert friendly.contested(friendly.resolve("Carol")) == {}


# --- who ----------------------------------------------------------------------------------------------------


def test_only_keys_that_were_confirmed_are_kept_fresh(
    keyring: Keyring, account: Account, reload: Reload, bob: SecretKey, carol: SecretKey
) -> None:
    with pytest.raises(UnknownWho):
        keyring.take_in(bob.certificate)
    place(account, bob.certificate)
    before = account.root.key_file(bob.fingerprint).read_bytes()
    with pytest.raises(UnknownWho):
        reload().take_in(revoked(bob, "compromised").certificate)
    assert account.root.key_file(bob.fingerprint).read_bytes() == before
    keyring.add(carol.certificate, "Carol", known=True)
    assert keyring.take_in(revoked(carol, "retired").certificate).person.status == "known"
    with pytest.raises((UnknownWho, KeyRefused)):
        keyring.take_in(account.certificate)


def test_a_key_file_that_differs_is_left_to_be_looked_at(
    friendly: Keyring, account: Account, reload: Reload, bob: SecretKey
) -> None:
    place(account, with_user_id(bob, "By hand", "hand@example.org"), "work")
    before = account.root.key_file(bob.fingerprint, "work").read_bytes()
    reload().take_in(extended(bob, LATER).certificate)
    assert account.root.key_file(bob.fingerprint, "work").read_bytes() == before
    keyring = reload()
    assert [(one.kind, one.group) for one in keyring.differences()] == [("changed", "work")]
    assert keyring.resolve("Bob").certificate.expires == LATER


# --- the owner's own key ------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["retired", "compromised"])
def test_the_keyring_of_a_revoked_account_can_still_be_read_and_changed(
    friendly: Keyring, account: Account, bob: SecretKey, carol: SecretKey, reason: Reason
) -> None:
    ended = Account(account.root, revoked(account.key, reason))
    keyring = Keyring.load(ended)
    assert keyring.me.certificate.revoked
    assert [one.local_name for one in keyring.friends()] == ["Bob"]
    keyring.add(carol.certificate, "Carol")
    keyring.remove(bob.fingerprint)
    again = Keyring.load(Account(account.root, SecretKey(ended.key.transferable)))
    assert [one.local_name for one in again.friends()] == ["Carol"]
    assert again.differences() == []


def test_an_older_statement_without_news_reads_as_ever(friendly: Keyring, account: Account) -> None:
    from mau.keyring import statement

    written = json.loads(statement.dump(friendly._snapshot.statement, account.fingerprint))
    [person] = written["https://mau.invalid/ns#keyring"]["@value"]["people"]
    assert set(person) == {"fingerprint", "name", "key", "places"}
