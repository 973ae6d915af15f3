"""Older keyring statements are thinned, and nothing else is (spec/keyring.md K7.6)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mau.account import Account
from mau.errors import KeyringRolledBack
from mau.keyring import Keyring
from mau.keyring.thinning import NEWEST, superfluous
from mau.openpgp import SecretKey
from mau.tree.names import KEYRING_NAME
from mau.tree.versions import VersionEntry

START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def versions(days: list[int]) -> list[VersionEntry]:
    return [
        VersionEntry(
            hashlib.sha256(b"%d" % number).hexdigest(),
            10,
            int((START + timedelta(days=day)).timestamp()) * 1_000_000_000 + number,
        )
        for number, day in enumerate(sorted(days))
    ]


@given(days=st.lists(st.integers(-400, 4000), max_size=60))
def test_the_newest_and_one_a_month_are_kept(days: list[int]) -> None:
    held = versions(days)
    gone = set(superfluous(reversed(held)))
    kept = [one for one in held if one.sha256 not in gone]
    assert kept[-NEWEST:] == held[-NEWEST:]

    def months(entries: list[VersionEntry]) -> set[str]:
        return {f"{datetime.fromtimestamp(one.mtime_ns // 10**9, UTC):%Y-%m}" for one in entries}

    assert months(kept) == months(held)
    older = kept[: max(len(kept) - NEWEST, 0)]
    assert len(months(older)) == len(older)
    assert superfluous(kept) == []


def test_the_last_of_a_month_is_the_one(keyring: Keyring) -> None:
    held = versions([0, 0, 1, 2, *[400] * NEWEST])
    assert superfluous(held) == [held[0].sha256, held[2].sha256]


def test_many_changes_leave_few_statements_and_every_other_version(
    account: Account, keyring: Keyring, bob: SecretKey, carol: SecretKey
) -> None:
    posts = account.posts()
    for content in (b"one", b"two"):
        with posts.stage() as staged:
            staged.file.write(content)
            posts.commit(staged, "other.pgp")
    keyring.add(bob.certificate, "Bob")
    for number in range(NEWEST + 10):
        keyring.add(carol.certificate, f"Carol {number}")
    assert len(posts.versions(KEYRING_NAME)) <= NEWEST + 2
    assert len(posts.versions("other.pgp")) == 1
    assert [friend.local_name for friend in Keyring.load(account).friends()] == ["Bob", f"Carol {NEWEST + 9}"]


def test_nothing_is_thinned_where_the_statement_is_in_doubt(
    account: Account, keyring: Keyring, bob: SecretKey, carol: SecretKey
) -> None:
    keyring.add(bob.certificate, "Bob")
    place = account.posts().path / KEYRING_NAME
    old = place.read_bytes()
    for number in range(NEWEST):
        keyring.add(carol.certificate, f"Carol {number}")
    place.write_bytes(old)
    before = {one.sha256 for one in account.posts().versions(KEYRING_NAME)}
    suspicious = Keyring.load(account, suspect=True)
    assert isinstance(suspicious.problem, KeyringRolledBack)
    suspicious.confirm_all({bob.fingerprint: "Bob", carol.fingerprint: "Carol"})
    assert before <= {one.sha256 for one in account.posts().versions(KEYRING_NAME)}
