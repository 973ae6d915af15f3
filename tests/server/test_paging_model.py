"""Whatever happens to a tree: once it is quiet, who pages knows exactly what he may read.

Four clients page through everything that a person, a backup and other programs can do to the files of an
author: two from the beginning, by pages or archives, and two from the end backwards. Real files, a real
server, real TLS.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from mau.server import people
from tests.server.conftest import Template
from tests.server.pager import TAR, read_page, start, unpack, until
from tests.server.world import Host, Someone, age, open_someone, serving

NAMES = [f"{letter}" for letter in "abcde"]
QUIET = 15.0
"""Seconds within which everything must have come, once nothing happens any more."""
DAY = 86_400 * 10**9
_name = st.sampled_from(NAMES)
_content = st.integers(0, 8)


@dataclass
class Client:
    """Somebody who pages; ``backwards`` from the end to the beginning, and then on as things come."""

    who: Someone | None
    backwards: bool
    known: dict[str, str] = field(default_factory=dict)
    path: str | None = None
    onwards: str | None = None
    """Where it goes on forwards, once the beginning is reached."""
    caught_up: bool = False
    """Whether the last page was the last one for now."""

    def forget(self) -> None:
        self.known, self.path, self.onwards, self.caught_up = {}, None, None, False

    async def step(self, host: Host, limit: int, packed: bool) -> None:
        """Ask once, and take in what comes."""
        going_back = self.backwards and (self.path is None or self.onwards is not None)
        path = self.path or start(host.owner, f"limit={limit}{'&from=newest' if self.backwards else ''}")
        if not going_back and self.path is not None:
            cursor = path.rpartition("cursor=")[2]
            path = start(host.owner, f"limit={limit}&cursor={cursor}")
        if packed and not going_back:
            await self._unpack(host, path, limit)
            return
        reply = await host.ask(self.who, path)
        if reply.status == 410:
            self.forget()
            return
        assert reply.status == 200, reply.raw
        page = read_page(reply)
        if not going_back:
            self.known.update(page.sums)
            self.path, self.caught_up = page.next, len(page.names) < limit
            return
        self.known = {**page.sums, **self.known}  # what is known from later counts
        self.onwards = self.onwards or page.next
        self.path = page.prev
        if page.prev is None:
            self.path, self.onwards = self.onwards, None

    async def _unpack(self, host: Host, path: str, limit: int) -> None:
        reply = await host.ask(self.who, path, TAR)
        if reply.status == 410:
            self.forget()
            return
        assert reply.status == 200, reply.raw
        found = unpack(reply.body)
        assert len({one.name for one in found}) == len(found)
        for one in found:
            assert hashlib.sha256(one.content).hexdigest() == one.sha256
            self.known[one.name] = one.sha256
            self.path = start(host.owner, f"limit={limit}&cursor={one.cursor}")
        self.caught_up = not found and self.path is not None


class Paging(RuleBasedStateMachine):
    def __init__(self, template: Template) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.place = Path(tempfile.mkdtemp())
        shutil.copytree(template.place, self.place, dirs_exist_ok=True)
        self.patch.setenv("XDG_STATE_HOME", str(self.place / "state"))
        self.patch.setattr(people, "_CHECK_EVERY", 0.0)
        found = {name: open_someone(self.place, name, key) for name, key in template.keys.items()}
        self.alice, self.bob, carol = found["alice"], found["bob"], found["carol"]
        self.is_friend = True
        public = [self.alice.message(b"public %d" % n, None) for n in range(3)]
        bobs = [self.alice.message(b"bob %d" % n, [self.alice, self.bob]) for n in range(3)]
        others = [self.alice.message(b"carol %d" % n, [self.alice, carol]) for n in range(2)]
        self.contents = [*public, *bobs, *others, b"no message at all"]
        self.public, self.bobs = ({_sum(one) for one in some} for some in (public, bobs))
        self.clients = [Client(who, backwards) for who in (self.bob, None) for backwards in (False, True)]
        self.runner = asyncio.Runner()
        self.skew = 0
        self.stack: AsyncExitStack
        self.host: Host

    # --- the server ----------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.runner.run(self._start())

    async def _start(self) -> None:
        self.stack = AsyncExitStack()
        self.host = await self.stack.enter_async_context(serving(self.alice))
        self._set_clock()

    def _set_clock(self) -> None:
        store = self.host.server.library.index._store
        store.now = lambda: time.time_ns() + self.skew

    @rule()
    def restart(self) -> None:
        async def again() -> None:
            await self.stack.aclose()
            await self._start()

        self.runner.run(again())

    @rule(days=st.integers(-400, 400))
    def the_clock_jumps(self, days: int) -> None:
        self.skew = days * DAY
        self._set_clock()

    @rule()
    def the_index_is_deleted(self) -> None:
        shutil.rmtree(self.alice.account.root.path / ".index", ignore_errors=True)

    @rule()
    def a_friend_comes_or_goes(self) -> None:
        if self.is_friend:
            self.alice.keyring.remove(self.bob.fingerprint)
        else:
            self.alice.keyring.add(self.bob.account.certificate, "bob")
        self.is_friend = not self.is_friend

    # --- the files -----------------------------------------------------------------------------------------

    def _places(self, name: str) -> tuple[Path, Path]:
        root, author = self.alice.account.root, self.alice.fingerprint
        hidden = root.hidden_dir(author)
        hidden.mkdir(mode=0o700, exist_ok=True)
        return root.author_dir(author) / f"{name}.pgp", hidden / f"{name}.pgp"

    def _held(self, name: str) -> Path | None:
        return next((path for path in self._places(name) if path.exists()), None)

    @rule(name=_name, content=_content, by_rename=st.booleans(), old=st.booleans())
    def write(self, name: str, content: int, by_rename: bool, old: bool) -> None:
        path = self._places(name)[0]
        target = path.with_name(".aside") if by_rename else path
        target.write_bytes(self.contents[content])
        if old:  # a backup that is restored
            age(target, 10_000_000)
        if by_rename:
            target.rename(path)

    @rule(name=_name, content=_content)
    def edit_with_the_times_of_before(self, name: str, content: int) -> None:
        path = self._held(name)
        if path is not None:
            before = path.stat()
            path.write_bytes(self.contents[content])
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    @rule(name=_name, content=_content, client=st.integers(0, 3), packed=st.booleans())
    def edit_for_a_moment(self, name: str, content: int, client: int, packed: bool) -> None:
        """Who begins just then is told of what the index never saw."""
        path = self._held(name)
        if path is not None:
            index, author = self.host.server.library.index, self.alice.fingerprint
            self.runner.run(
                until(lambda: not index.unsettled(author))
            )  # what just changed is read again anyway
            self.step(client, 4, packed)
            before = path.read_bytes()
            path.write_bytes(self.contents[content])
            self.clients[client].forget()
            self.step(client, 4, packed)
            path.write_bytes(before)

    @rule(name=_name, other=_name)
    def rename(self, name: str, other: str) -> None:
        path = self._held(name)
        if path is not None:
            path.rename(path.with_name(f"{other}.pgp"))

    @rule(name=_name)
    def delete(self, name: str) -> None:
        path = self._held(name)
        if path is not None:
            path.unlink()

    @rule(name=_name)
    def hide_or_show(self, name: str) -> None:
        shown, hidden = self._places(name)
        if shown.exists():
            shown.rename(hidden)
        elif hidden.exists():
            hidden.rename(shown)

    @rule(name=_name)
    def touch(self, name: str) -> None:
        path = self._held(name)
        if path is not None:
            path.chmod(0o600)
            os.utime(path)

    # --- the clients ---------------------------------------------------------------------------------------

    @rule(client=st.integers(0, 3), limit=st.integers(1, 4), packed=st.booleans())
    def step(self, client: int, limit: int, packed: bool) -> None:
        self.runner.run(self.clients[client].step(self.host, limit, packed))

    @rule()
    def everybody_steps(self) -> None:
        for client in self.clients:
            self.runner.run(client.step(self.host, 2, packed=False))

    # --- the truth -----------------------------------------------------------------------------------------

    def truth(self, who: Someone | None) -> dict[str, str]:
        permitted = self.public | (self.bobs if who is not None and self.is_friend else set())
        found = {}
        for name in NAMES:
            path = self._held(name)
            if path is not None and (sha256 := _sum(path.read_bytes())) in permitted:
                found[name] = sha256
        return found

    @rule()
    def quiet(self) -> None:
        """Nothing happens until everybody knows everything."""
        self.runner.run(self._quiet())

    async def _quiet(self) -> None:
        ends = time.monotonic() + QUIET
        for client in self.clients:
            truth = self.truth(client.who)
            while True:
                await client.step(self.host, 3, packed=False)
                known = {name: client.known[name] for name in truth if name in client.known}
                if client.caught_up and known == truth:
                    break
                assert time.monotonic() < ends, (client, truth)
        for who in (self.bob, None):
            await self._whole(who, ends)

    async def _whole(self, who: Someone | None, ends: float) -> None:
        """From the beginning, from the end, by archives and at once: all the same, and each file once."""
        truth = self.truth(who)

        async def walk(backwards: bool, packed: bool) -> list[str]:
            client, names = Client(who, backwards), []
            while not client.caught_up:
                before = dict(client.known)
                await client.step(self.host, 2, packed)
                names += [name for name in client.known if name not in before]
                assert not packed or time.monotonic() < ends
            assert len(names) == len(set(names))
            assert client.known == truth
            return names

        while sorted((await self.host.list(who)).names) != sorted(truth):  # a removal is not waited for
            assert time.monotonic() < ends
        orders = [await walk(False, False), await walk(True, False)]
        assert sorted(orders[0]) == sorted(orders[1])
        if truth:
            assert await walk(False, True) == orders[0]

    def teardown(self) -> None:
        try:
            if hasattr(self, "host"):
                self.runner.run(self._quiet())
        finally:
            if hasattr(self, "stack"):
                self.runner.run(self.stack.aclose())
            self.runner.close()
            self.patch.undo()
            shutil.rmtree(self.place)


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def run(template: Template, examples: int, steps: int) -> None:
    factory: Callable[[], Paging] = lambda: Paging(template)  # noqa: E731
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        factory,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_who_pages_knows_everything_at_last(template: Template) -> None:
    run(template, 12, 25)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_who_pages_knows_everything_at_last_whatever_happens(template: Template) -> None:
    run(template, 300, 50)
