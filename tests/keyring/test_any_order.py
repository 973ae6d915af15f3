"""Whatever other programs do to the tree, in any order: only the owner makes friends and members (K3, K6)."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from mau.account import Account
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from mau.tree.names import KEYRING_NAME
from tests.keyring.conftest import make, sealed, with_subkey

_NAMES = ("Ada", "Ben")
_PLACES = ("", "work", "work/team", "known")
_NUMBERS = itertools.count()
name = st.sampled_from(_NAMES)
place = st.sampled_from(_PLACES)
group = st.sampled_from(_PLACES[1:3])
anything = st.integers(0, 1 << 16)
State = dict[str, tuple[frozenset[str], bytes]]


class Disk(RuleBasedStateMachine):
    """An owner who adds, removes, groups and confirms; an enemy who has every byte that was ever there."""

    def __init__(self, base: Path, me: SecretKey, keys: dict[str, SecretKey]) -> None:
        super().__init__()
        self.home = base / str(next(_NUMBERS))
        os.environ["XDG_STATE_HOME"] = str(self.home / "state")
        self.keys = keys
        self.copies = {who: [key.certificate, with_subkey(key)] for who, key in keys.items()}
        self.account = Account(Root(self.home / "tree"), me)
        self.account.root.ensure()
        self.own = self.account.root.author_dir(me.fingerprint)
        self.own.mkdir()
        self.old_files: list[bytes] = [
            sealed(bytes(c), me, me) for copies in self.copies.values() for c in copies
        ]
        self.old_statements: list[bytes] = [b"", b"garbage"]
        self.backups: list[dict[Path, bytes]] = [{}]
        self.left: State = {}
        """Friends with their groups and keys as the owner left them."""

    def load(self) -> Keyring:
        return Keyring.load(self.account, suspect=True)

    def state(self) -> State:
        return {p.local_name: (frozenset(p.groups), bytes(p.certificate)) for p in self.load().friends()}

    # --- the owner ---------------------------------------------------------------------------------------

    def owner_did(self, who: str, before: State) -> None:
        """What he did to one changed nothing for the others; keep what lies there for the enemy."""
        after = self.state()
        others = {one: held for one, held in after.items() if one != who}
        assert others.items() <= before.items()
        self.left = after
        backup = {path: path.read_bytes() for _, _, path in self.account.root.key_files()}
        self.old_files += backup.values()
        backup[self.own / KEYRING_NAME] = (self.own / KEYRING_NAME).read_bytes()
        self.old_statements.append(backup[self.own / KEYRING_NAME])
        self.backups.append(backup)

    @rule(who=name, copy=st.integers(0, 1), groups=st.sets(group), known=st.booleans())
    def add(self, who: str, copy: int, groups: set[str], known: bool) -> None:
        before = self.state()
        self.load().add(self.copies[who][copy], who, () if known else groups, known=known)
        self.owner_did(who, before)
        if not known or who in before:
            assert self.left[who][0] == before.get(who, (frozenset(), b""))[0] | (set() if known else groups)

    @rule(who=name)
    def remove(self, who: str) -> None:
        before = self.state()
        keyring = self.load()
        if any(fpr == self.keys[who].fingerprint for _, fpr, _ in self.account.root.key_files()):
            keyring.remove(self.keys[who].fingerprint)
            if (self.own / KEYRING_NAME).exists():
                self.owner_did(who, before)
            assert who not in self.left

    @rule(who=name, group=group)
    def leave(self, who: str, group: str) -> None:
        keyring = self.load()
        if who in self.state() and group in keyring.groups():
            before = self.state()
            keyring.group_remove(group, [keyring.resolve(who)])
            self.owner_did(who, before)
            assert not any(held == group for held in self.left[who][0])

    @rule(who=name)
    def confirm(self, who: str) -> None:
        keyring, before = self.load(), self.state()
        if any(d.fingerprint == self.keys[who].fingerprint and d.confirmable for d in keyring.differences()):
            keyring.confirm(self.keys[who].fingerprint, who)
            self.owner_did(who, before)

    # --- the enemy ---------------------------------------------------------------------------------------

    @rule(who=name, place=place, which=anything)
    def put_an_old_key_file(self, who: str, place: str, which: int) -> None:
        path = self.account.root.key_file(self.keys[who].fingerprint, place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.old_files[which % len(self.old_files)])

    @rule(which=anything)
    def take_a_key_file(self, which: int) -> None:
        files = list(self.account.root.key_files())
        if files:
            files[which % len(files)][2].unlink()

    @rule(which=anything)
    def put_an_old_statement(self, which: int) -> None:
        (self.own / KEYRING_NAME).write_bytes(self.old_statements[which % len(self.old_statements)])

    @rule()
    def take_the_statement(self) -> None:
        (self.own / KEYRING_NAME).unlink(missing_ok=True)

    @rule(which=anything)
    def put_everything_back_as_it_was(self, which: int) -> None:
        backup = self.backups[which % len(self.backups)]
        shutil.rmtree(self.account.root.mau, ignore_errors=True)
        (self.own / KEYRING_NAME).unlink(missing_ok=True)
        for path, data in backup.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    # --- what holds --------------------------------------------------------------------------------------

    @invariant()
    def nobody_gained(self) -> None:
        for who, (groups, key) in self.state().items():
            assert who in self.left
            assert groups <= self.left[who][0]
            assert key == self.left[who][1]

    def teardown(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)


@pytest.fixture(scope="module")
def keys() -> Iterator[dict[str, SecretKey]]:
    yield {who: make(who) for who in _NAMES}


def test_only_the_owner_makes_friends(tmp_path: Path, my_key: SecretKey, keys: dict[str, SecretKey]) -> None:
    run: Any = run_state_machine_as_test
    run(
        lambda: Disk(tmp_path, my_key, keys),
        # Without shrinking: each step writes to the disk, and a story of twenty steps can be read.
        settings=settings(
            max_examples=60,
            stateful_step_count=20,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )
