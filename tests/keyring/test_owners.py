"""A subkey has one owner (spec/keyring.md K8)."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from mau.account import Account
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.keyring.owners import one_owner
from mau.openpgp import SecretKey
from tests.keyring.conftest import grafted, place, revoked, with_subkey

_STATUS = st.sampled_from(["me", "friend", "known", "unconfirmed"])
_WHO = st.integers(0, 5).map(lambda number: Fingerprint(bytes([number]) * 20))


@given(st.lists(st.tuples(_STATUS, _WHO), max_size=8))
def test_the_owner_is_the_only_one_of_the_highest_rank(claims: list[tuple[str, Fingerprint]]) -> None:
    owner = one_owner(claims)
    ranks = [{who for status, who in claims if status == rank} for rank in ("me", "friend", "known")]
    highest = next((rank for rank in ranks if rank), set())
    assert owner == (next(iter(highest)) if len(highest) == 1 else None)


@given(st.lists(st.tuples(_STATUS, _WHO), max_size=8))
def test_the_owner_does_not_depend_on_the_order(claims: list[tuple[str, Fingerprint]]) -> None:
    assert one_owner(claims) == one_owner(reversed(claims))


def subkey(key: SecretKey) -> bytes:
    (keyid,) = key.certificate.encryption_keyids
    return keyid


def test_everybodys_subkey_is_his(
    keyring: Keyring, my_key: SecretKey, bob: SecretKey, carol: SecretKey
) -> None:
    keyring.add(bob.certificate, "Bob")
    keyring.add(carol.certificate, "Carol", known=True)
    assert keyring.owner_of(subkey(my_key)) == my_key.fingerprint
    assert keyring.owner_of(subkey(bob)) == bob.fingerprint
    assert keyring.owner_of(subkey(carol)) == carol.fingerprint
    assert keyring.owner_of(bytes(8)) is None


def test_a_friend_who_grafts_a_friends_subkey_gets_nothing(
    keyring: Keyring, bob: SecretKey, mallory: SecretKey
) -> None:
    keyring.add(bob.certificate, "Bob")
    thief = keyring.add(grafted(mallory, bob), "Mallory")
    assert keyring.owner_of(subkey(bob)) is None
    assert keyring.owner_of(subkey(mallory)) == mallory.fingerprint
    assert [p.local_name for p in keyring.contested(thief)[subkey(bob)]] == ["Bob"]
    keyring.remove(thief)
    assert keyring.owner_of(subkey(bob)) == bob.fingerprint


def test_a_known_key_loses_what_a_friend_carries(
    keyring: Keyring, bob: SecretKey, mallory: SecretKey
) -> None:
    keyring.add(grafted(mallory, bob), "Mallory", known=True)
    assert keyring.owner_of(subkey(bob)) == mallory.fingerprint  # nobody else is known to carry it
    keyring.add(bob.certificate, "Bob")
    assert keyring.owner_of(subkey(bob)) == bob.fingerprint
    assert keyring.owner_of(subkey(mallory)) == mallory.fingerprint


def test_between_known_keys_nobody_holds_it(keyring: Keyring, bob: SecretKey, mallory: SecretKey) -> None:
    keyring.add(grafted(mallory, bob), "Mallory", known=True)
    keyring.add(bob.certificate, "Bob", known=True)
    assert keyring.owner_of(subkey(bob)) is None


def test_two_friends_who_quarrel_leave_nothing_to_a_known_key(
    keyring: Keyring, bob: SecretKey, carol: SecretKey, mallory: SecretKey
) -> None:
    keyring.add(grafted(carol, bob), "Carol", known=True)
    keyring.add(grafted(mallory, bob), "Mallory")
    keyring.add(bob.certificate, "Bob")
    assert keyring.owner_of(subkey(bob)) is None


def test_my_own_subkey_is_mine_whoever_carries_it(
    keyring: Keyring, my_key: SecretKey, mallory: SecretKey
) -> None:
    keyring.add(grafted(mallory, my_key), "Mallory")
    assert keyring.owner_of(subkey(my_key)) == my_key.fingerprint


def test_an_unconfirmed_key_file_claims_nothing_and_contests_nothing(
    account: Account, keyring: Keyring, bob: SecretKey, mallory: SecretKey, reload: Callable[[], Keyring]
) -> None:
    keyring.add(bob.certificate, "Bob")
    place(account, grafted(mallory, bob))
    again = reload()
    assert again.certificate(mallory.fingerprint) is not None
    assert again.owner_of(subkey(bob)) == bob.fingerprint
    assert again.owner_of(subkey(mallory)) is None


def test_a_stranger_cannot_block_a_friend(keyring: Keyring, bob: SecretKey, mallory: SecretKey) -> None:
    keyring.add(grafted(mallory, bob), "Mallory", known=True)
    assert keyring.add(bob.certificate, "Bob").status == "friend"


def test_a_subkey_packet_without_a_binding_is_nobodys_claim(
    keyring: Keyring, bob: SecretKey, mallory: SecretKey
) -> None:
    from mau.openpgp import Certificate, packets

    keyring.add(bob.certificate, "Bob")
    loose = next(raw for tag, _, raw in packets.split(bytes(bob.certificate)) if tag == packets.PUBLIC_SUBKEY)
    keyring.add(Certificate.parse(bytes(mallory.certificate) + loose), "Mallory")
    assert keyring.owner_of(subkey(bob)) == bob.fingerprint


def test_revoking_a_key_gives_its_subkey_to_nobody_else(
    keyring: Keyring, bob: SecretKey, mallory: SecretKey
) -> None:
    keyring.add(bob.certificate, "Bob")
    keyring.add(revoked(bob))
    keyring.add(grafted(mallory, bob), "Mallory", known=True)
    assert keyring.owner_of(subkey(bob)) == bob.fingerprint


def test_a_new_subkey_of_a_newer_copy_is_his(keyring: Keyring, bob: SecretKey) -> None:
    newer = with_subkey(bob)
    keyring.add(bob.certificate, "Bob")
    keyring.add(newer)
    assert {keyring.owner_of(keyid) for keyid in newer.encryption_keyids} == {bob.fingerprint}
