"""The account's key changes: safely, and so that running programs notice (spec/keyring.md K12)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mau.account import Account
from mau.errors import AccountDamaged, AccountRevoked, TreeChanged, WrongPassphrase
from mau.openpgp import Certificate, SecretKey
from mau.openpgp.lifetime import extended, revoked
from mau.tree.layout import Root
from tests.account.test_account import killed_at_every_call

NOW = int(time.time())
LATER = NOW + 86_400


@pytest.fixture(scope="module")
def key() -> SecretKey:
    return SecretKey.generate("Alice", "alice@example.org", created=NOW - 1000)


@pytest.fixture
def account(tmp_path: Path, key: SecretKey) -> Account:
    return Account.create(Root(tmp_path / "tree"), SecretKey(key.transferable), "a passphrase")


def test_the_changed_key_is_in_the_account_file_and_beside_it(account: Account) -> None:
    changed = account.change_key("a passphrase", lambda key: extended(key, LATER))
    assert changed.certificate.expires == LATER
    again = Account.open(account.root, "a passphrase")
    assert again.certificate == changed.certificate
    assert again.key.secrets == account.key.secrets
    beside = Certificate.parse(account.root.certificate_file.read_bytes())
    assert beside == changed.certificate
    assert [one.name for one in account.root.mau.iterdir()] == ["account.pgp"]


def test_a_change_is_made_to_the_key_as_it_lies_there_now(account: Account) -> None:
    other = Account.open(account.root, "a passphrase")
    other.change_key("a passphrase", lambda key: extended(key, LATER))
    ended = account.change_key("a passphrase", lambda key: revoked(key, "retired"))
    assert (ended.certificate.expires, ended.certificate.revoked) == (LATER, True)


def test_nothing_is_written_without_the_passphrase_or_when_the_change_fails(account: Account) -> None:
    before = account.root.account_file.read_bytes()
    with pytest.raises(WrongPassphrase):
        account.change_key("another", lambda key: extended(key, LATER))
    with pytest.raises(AccountRevoked):
        account.change_key("a passphrase", lambda key: extended(revoked(key, "retired"), None))
    assert account.root.account_file.read_bytes() == before


def test_no_secret_is_ever_lost(account: Account, key: SecretKey) -> None:
    before = account.root.account_file.read_bytes()
    other = SecretKey.generate("Mallory", "mallory@example.org")

    def forget_a_subkey(held: SecretKey) -> SecretKey:
        at = held.transferable.rindex(sorted(held.secrets, key=len)[0])
        return SecretKey(held.transferable[:at])

    for wrong in (forget_a_subkey, lambda _: other):
        with pytest.raises(AccountDamaged):
            account.change_key("a passphrase", wrong)
    assert account.root.account_file.read_bytes() == before


def test_an_account_file_that_became_anothers_is_left_alone(account: Account, tmp_path: Path) -> None:
    other = Account.create(Root(tmp_path / "other"), SecretKey.generate("B", "b@example.org"), "a passphrase")
    account.root.account_file.write_bytes(other.root.account_file.read_bytes())
    with pytest.raises(TreeChanged):
        account.change_key("a passphrase", lambda key: extended(key, LATER))
    assert Account.open(account.root, "a passphrase").fingerprint == other.fingerprint


def notices(account: Account) -> Certificate:
    """The certificate that an open account shows within two seconds after it changed."""
    before, patience = account.certificate, time.monotonic() + 2
    while account.certificate == before and time.monotonic() < patience:
        time.sleep(0.02)
    return account.certificate


def test_an_account_that_is_open_elsewhere_notices_a_change(account: Account) -> None:
    running = Account.open(account.root, "a passphrase")
    account.change_key("a passphrase", lambda key: extended(key, LATER))
    assert notices(running).expires == LATER
    assert running.key.certificate.expires == LATER
    account.change_key("a passphrase", lambda key: revoked(key, "compromised"))
    assert notices(running).compromised
    with pytest.raises(AccountRevoked):
        running.check_signs()


def test_without_the_copy_beside_it_the_account_is_whole(account: Account) -> None:
    account.change_key("a passphrase", lambda key: extended(key, LATER))
    account.root.certificate_file.unlink()
    assert account.certificate.expires is None, "a running program keeps what it knew"
    assert Account.open(account.root, "a passphrase").certificate.expires == LATER


@pytest.mark.parametrize("planted", ["junk", "another key", "a revocation by another", "a user id", "link"])
def test_what_others_put_beside_it_teaches_nothing(
    account: Account, key: SecretKey, planted: str, tmp_path: Path
) -> None:
    mallory = SecretKey.generate("Mallory", "mallory@example.org")
    own, first = bytes(key.certificate), len(key.certificate.split[0][2])
    foreign = revoked(mallory, "compromised").certificate.split[1][2]
    contents = {
        "junk": b"junk" * 100,
        "another key": bytes(mallory.certificate),
        "a revocation by another": own[:first] + foreign + own[first:],
        "a user id": own[:first] + b"\xcd\x05Queen" + own[first:],
        "link": bytes(revoked(key, "retired").certificate),
    }
    place = account.root.certificate_file
    place.unlink()
    if planted == "link":
        (tmp_path / "elsewhere").write_bytes(contents[planted])
        place.symlink_to(tmp_path / "elsewhere")
    else:
        place.write_bytes(contents[planted])
    assert Account.open(account.root, "a passphrase").certificate == key.certificate
    assert account.certificate == key.certificate


def test_killed_at_any_point_a_change_leaves_the_old_or_the_new_key(tmp_path: Path, key: SecretKey) -> None:
    root = Root(tmp_path / "tree")
    Account.create(root, SecretKey(key.transferable), "old one")
    outcomes = killed_at_every_call(
        root,
        before="Account.open(root, 'old one')",
        step="2",
        work=f"""
        from mau.openpgp.lifetime import extended
        account.change_key("old one", lambda key: extended(key, {LATER}))
        """,
        check=f"""
    assert os.listdir(root.mau) == ["account.pgp"], os.listdir(root.mau)
    there = Account.open(root, "old one")
    assert there.key.secrets == account.key.secrets
    outcomes += "n" if there.certificate.expires == {LATER} else "o"
    """,
    )
    assert outcomes.count("o") >= 10
    assert outcomes.count("n") >= 2
    assert not list(root.path.glob(".mau-*"))
