"""Whatever happens to the files, in whatever order: the index is what a plain scan finds, and no client who
pages from any earlier position misses a change (spec/index.md I6, I8, I10)."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mau.tree.index import Index, seconds_of
from mau.tree.layout import Root
from tests.tree.index.world import ALICE, examine, indexed, paged, plain_scan

NAMES = st.sampled_from(["a.pgp", "b.pgp", "B.pgp", "é.json.pgp", "d.pgp"])
READERS = [b"r1", b"r2", b"public"]
CONTENTS = st.builds(
    lambda readers, word: b" ".join(readers or [b"-"]) + b"\n" + word,
    st.lists(st.sampled_from(READERS), unique=True),
    st.sampled_from([b"one", b"two", b"and", b"longer"]),
)
OLD = 1_500_000_000_000_000_000


class Tree(RuleBasedStateMachine):
    """A tree that people and programs change, clients that page now and then, and a clock that jumps."""

    def __init__(self) -> None:
        super().__init__()
        self.place = tempfile.mkdtemp(prefix="mau-index-")
        self.root = Root(Path(self.place) / "Mau")
        self.root.ensure()
        self.root.follow(ALICE)
        self.shift = 0
        self.index = self.opened()
        self.past: list[tuple[str, int, dict[str, tuple[bool, str, int]]]] = []
        self.highest: dict[str, int] = {}

    def opened(self) -> Index:
        return Index.open(self.root, examine, now=lambda: time.time_ns() + self.shift)

    def teardown(self) -> None:
        self.index.close()
        shutil.rmtree(self.place)

    def directory(self, hidden: bool) -> Path:
        path = self.root.hidden_dir(ALICE) if hidden else self.root.author_dir(ALICE)
        path.mkdir(exist_ok=True)
        return path

    # --- what happens to files -----------------------------------------------------------------------------

    @rule(name=NAMES, data=CONTENTS, hidden=st.booleans())
    def write(self, name: str, data: bytes, hidden: bool) -> None:
        path = self.directory(hidden) / name
        path.with_name(".temporary").write_bytes(data)
        path.with_name(".temporary").replace(path)

    @rule(name=NAMES, data=CONTENTS)
    def edit_in_place(self, name: str, data: bytes) -> None:
        (self.directory(False) / name).write_bytes(data)

    @rule(name=NAMES, data=CONTENTS)
    def edit_in_place_and_put_the_time_back(self, name: str, data: bytes) -> None:
        path = self.directory(False) / name
        if path.exists():
            before = path.stat()
            path.write_bytes(data)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    @rule(name=NAMES, data=CONTENTS, hidden=st.booleans())
    def restore_with_old_times(self, name: str, data: bytes, hidden: bool) -> None:
        path = self.directory(hidden) / name
        path.write_bytes(data)
        os.utime(path, ns=(OLD, OLD))

    @rule(name=NAMES, other=NAMES, hidden=st.booleans(), to_hidden=st.booleans())
    def rename(self, name: str, other: str, hidden: bool, to_hidden: bool) -> None:
        path = self.directory(hidden) / name
        if path.exists():
            path.replace(self.directory(to_hidden) / other)

    @rule(name=NAMES, hidden=st.booleans())
    def delete(self, name: str, hidden: bool) -> None:
        (self.directory(hidden) / name).unlink(missing_ok=True)

    @rule(name=NAMES)
    def something_else_takes_the_name(self, name: str) -> None:
        path = self.directory(False) / name
        path.unlink(missing_ok=True)
        path.symlink_to("/etc/hostname")

    @rule()
    def unfollow(self) -> None:
        if not self.root.hidden_dir(ALICE).exists():
            self.directory(False).rename(self.root.hidden_dir(ALICE))

    # --- what happens to the index -------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([-10_000_000, -60, 60, 10_000_000]))
    def the_clock_jumps(self, seconds: int) -> None:
        self.shift += seconds * 1_000_000_000

    @rule()
    def restart(self) -> None:
        self.index.close()
        self.index = self.opened()

    @rule()
    def another_process_is_faster(self) -> None:
        with self.opened() as other:
            other.refresh()

    @rule()
    def the_index_is_deleted(self) -> None:
        shutil.rmtree(self.root.path / ".index", ignore_errors=True)

    @precondition(lambda self: (self.root.path / ".index").exists())
    @rule()
    def the_index_is_damaged(self) -> None:
        for path in (self.root.path / ".index").glob("*.db"):
            path.write_bytes(b"damage" * 2000)

    @rule()
    def the_index_is_copied(self) -> None:
        """As a backup program does it, that puts back the whole tree."""
        there = self.root.path / ".index"
        if there.exists():
            shutil.copytree(there, self.root.path / ".copy")
            shutil.rmtree(there)
            (self.root.path / ".copy").rename(there)

    # --- what must hold ------------------------------------------------------------------------------------

    @invariant()
    def holds_after_a_rescan(self) -> None:
        self.index.refresh()
        scanned = plain_scan(self.root, ALICE)
        assert indexed(self.index, ALICE) == scanned
        again = self.index.refresh()
        assert (again.changed, again.removed) == (0, 0)
        entries = list(self.index.entries(ALICE))
        generation, changed = self.index.changed(ALICE)
        now = {entry.name: (entry.hidden, entry.sha256, entry.size) for entry in entries}
        clocks = [entry.clock for entry in entries]
        assert len(set(clocks)) == len(clocks)
        for earlier, position, known in self.past:
            if earlier != generation:
                continue
            assert changed >= position
            got = paged(self.index, ALICE, READERS, position)
            assert len(got) == len(set(got))
            for entry in entries:
                same = entry.name in known and known[entry.name][1] == entry.sha256
                if not same and entry.kind != "other":
                    assert entry.name in got
        found = [entry for entry in entries if entry.kind != "other"]
        assert sorted(paged(self.index, ALICE, READERS)) == sorted(entry.name for entry in found)
        backwards = self.index.before(ALICE, READERS, None, 100).entries
        assert list(backwards) == sorted(found, key=lambda entry: -entry.clock)
        for reader in READERS:
            alone = self.index.after(ALICE, [reader], 0, 100).entries
            lines = {
                entry.name
                for entry in entries
                if reader in (self.content(entry.hidden, entry.name).split(b"\n")[0].split())
            }
            assert {entry.name for entry in alone} == lines
        self.past = [*self.past[-20:], (generation, changed, now)]

    @invariant()
    def no_clock_goes_back(self) -> None:
        for entry in self.index.entries(ALICE):
            assert entry.modified == seconds_of(entry.clock)
        generation, changed = self.index.changed(ALICE)
        assert changed >= self.highest.get(generation, 0)
        self.highest[generation] = changed

    def content(self, hidden: bool, name: str) -> bytes:
        return (self.directory(hidden) / name).read_bytes()


TestTree = Tree.TestCase
TestTree.settings = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
