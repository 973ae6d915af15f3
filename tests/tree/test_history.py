"""Any history of writes, edits by hand, removals and start-ups: what was there once is still there."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mau.errors import NoSuchPost
from mau.fingerprint import Fingerprint
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir

names = st.sampled_from(["x.pgp", "y.pgp"])
data = st.sampled_from([b"", b"a", b"b", b"cc", b"d" * 5000, b"e" * ((1 << 20) + 1)])


class History(RuleBasedStateMachine):
    """The model: which contents each post must still have, and which it may have."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")  # noqa: S108 - a name of our own is made in it
        self.base = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        root = Root(Path(self.base.name))
        root.ensure()
        self.directory = AuthorDir(root, Fingerprint(bytes(20)), own=True)
        root.follow(self.directory.fpr)
        self.must: dict[str, set[bytes]] = {}
        self.seen: dict[str, set[bytes]] = {}
        self.current: dict[str, bytes] = {}
        self.shadowed: dict[str, bytes] = {}

    def teardown(self) -> None:
        self.base.cleanup()

    def settle(self, name: str) -> None:
        """What lies there now is known from here on, and so is what its shadow had."""
        for known in (self.current, self.shadowed):
            if name in known:
                self.must.setdefault(name, set()).add(known[name])

    def remember_shadow(self, name: str) -> None:
        self.shadowed.pop(name, None)
        if len(self.current[name]) <= 1 << 20:
            self.shadowed[name] = self.current[name]

    @rule(name=names, content=data)
    def commit(self, name: str, content: bytes) -> None:
        if name in self.current:
            self.settle(name)
        with self.directory.stage() as staged:
            staged.file.write(content)
            done = self.directory.commit(staged, name)
        assert done.unchanged == (self.current.get(name) == content)
        self.current[name] = content
        if not done.unchanged or name in self.shadowed:
            self.remember_shadow(name)
        self.must.setdefault(name, set()).add(content)
        self.seen.setdefault(name, set()).add(content)

    @rule(name=names, content=data)
    def edit(self, name: str, content: bytes) -> None:
        (self.directory.path / name).write_bytes(content)
        before = self.current.get(name)
        self.current[name] = content
        self.seen.setdefault(name, set()).add(content)
        if before is not None and before != self.shadowed.get(name) and before != content:
            # Too large for a shadow, or edited before anybody looked: it is gone unless it was a version.
            self.must.get(name, set()).discard(before)

    @rule(name=names)
    def rm(self, name: str) -> None:
        (self.directory.path / name).unlink(missing_ok=True)
        gone = self.current.pop(name, None)
        if gone is not None:
            self.must.get(name, set()).discard(gone)
            self.must.get(name, set()).discard(self.shadowed.get(name, gone))

    @rule(name=names)
    def remove(self, name: str) -> None:
        try:
            self.directory.remove(name)
        except NoSuchPost:
            assert name not in self.current
            assert not self.must.get(name)
            self.shadowed.pop(name, None)
            return
        for known in (self.current, self.shadowed, self.must, self.seen):
            known.pop(name, None)

    @rule()
    def recover(self) -> None:
        self.directory.recover()
        for name in list(self.shadowed):
            if name not in self.current:
                del self.shadowed[name]
        for name in self.current:
            self.settle(name)
            self.remember_shadow(name)

    @invariant()
    def what_must_be_there_is_there(self) -> None:
        for name in ("x.pgp", "y.pgp"):
            held = set()
            for version in self.directory.versions(name):
                with self.directory.open_version(name, version.sha256) as file:
                    held.add(file.read())
            if name in self.current:
                with self.directory.open(name) as file:
                    assert file.read() == self.current[name]
                held.add(self.current[name])
            must = self.must.get(name, set()) - {self.shadowed.get(name)}
            assert must <= held, name
            assert held <= self.seen.get(name, set()), name
        left = {path.name for path in self.directory.path.iterdir()}
        assert left <= {"x.pgp", "y.pgp", "x.pgp.versions", "y.pgp.versions"}


History.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestHistory = History.TestCase
