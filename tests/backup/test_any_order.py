"""Whatever is written, removed, kept and restored in whatever order, nothing is lost by a restore."""

from __future__ import annotations

import hashlib
import io
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mau.account import Account
from mau.backup.taking import back_up
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.publish import publish_document
from mau.reader.open import open_post
from mau.tree.layout import Root
from tests.backup.handmade import bring_back

NAMES = ("a.json.pgp", "b.json.pgp")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(NAMES)),
        st.tuples(st.just("remove"), st.sampled_from(NAMES)),
        st.tuples(st.just("keep"), st.just("")),
        st.tuples(st.just("restore"), st.integers(0, 3)),
    ),
    min_size=3,
    max_size=10,
)
State = dict[str, tuple[str, int] | None]


@cache
def key() -> SecretKey:
    return SecretKey.generate("Alice", "alice@example.org")


def current(account: Account, keyring: Keyring) -> State:
    """Of each name, what is current and when it was signed."""
    found: State = {}
    for name in NAMES:
        found[name] = None
        if account.posts().entry(name) is not None:
            opened = open_post(account, keyring, account.fingerprint, name)
            found[name] = account.posts().sha256(name), opened.signed_at
    return found


def everything(account: Account) -> set[tuple[str, str]]:
    """(name, sha256) of each content that is held."""
    found = set()
    for path in account.posts().path.rglob("*.pgp"):
        name = path.parent.name.removesuffix(".versions") if path.parent.suffix == ".versions" else path.name
        found.add((name, hashlib.sha256(path.read_bytes()).hexdigest()))
    return found


@given(STEPS)
@settings(max_examples=20)
def test_a_restore_adds_and_the_later_signature_counts(steps: list[tuple[str, str | int]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        account = Account(Root(Path(place)), key())
        account.root.ensure()
        account.posts().path.mkdir()
        keyring = Keyring.load(account)
        kept: list[tuple[bytes, State, set[tuple[str, str]]]] = []
        for number, (what, which) in enumerate(steps):
            if what == "write":
                publish_document(
                    account, keyring, {"number": number}, str(which), frozenset({account.fingerprint})
                )
            elif what == "remove":
                (account.posts().path / str(which)).unlink(missing_ok=True)
            elif what == "keep":
                out = io.BytesIO()
                back_up(account.root, out)
                kept.append((out.getvalue(), current(account, keyring), everything(account)))
            elif kept:
                data, then, contents = kept[int(which) % len(kept)]
                before, held = current(account, keyring), everything(account)
                restored = bring_back(account, data)
                assert not restored.count("refused")
                assert everything(account) == held | contents
                after = current(account, keyring)
                for name in NAMES:
                    old, new = then[name], before[name]
                    taken = old is not None and (
                        new is None or (old[1] > new[1] and (name, old[0]) not in held)
                    )
                    assert after[name] == (old if taken else new)
