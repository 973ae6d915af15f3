"""Whatever happens to an author, a relay and a follower: once it is quiet, all that is promised holds.

Three real accounts with real trees, two real servers, real syncs. What is promised is said in `reference.py`,
which knows design section 5 and none of our code: the follower converges to what the author lists, loses
nothing, nothing comes back that was deleted or removed, and a relay can withhold and do nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from mau.account import Account
from mau.backup.archive import open_archive
from mau.backup.report import Restored
from mau.backup.restoring import restore
from mau.backup.taking import back_up
from mau.content.binding import PUBLIC, Audience
from mau.deletion.held import delete_of
from mau.deletion.publishing import delete_post, undelete
from mau.errors import MauError
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.openpgp.lifetime import extended
from mau.reader.open import open_post
from mau.syncer import Syncer, SyncReport
from mau.tree.layout import Root
from mau.tree.posts import AuthorDir
from tests.syncer.peers import IMPATIENT, Liar, Person, lying, piece, serving
from tests.syncer.reference import Reference, Signed

NAMES = [f"{letter}.json.pgp" for letter in "abc"]
ANCHOR = "anchor.json.pgp"
"""Never touched: a directory without any post is filled anew, whatever was removed from it before."""
QUIET = 20.0
"""Seconds within which everything must have come, once nothing happens any more."""
DAY = 86_400
SOON = 1_800 + 2
"""Seconds ahead: a signature that may be believed in a moment."""
DERIVED = (".index", ".peers", ".server", ".syncer", ".reader")

_name = st.sampled_from(NAMES)
_skew = st.sampled_from([0, 0, 0, 1_700, SOON, DAY, -3_600, -DAY])
_readers = st.sampled_from(["everybody", "bob and carol", "bob"])
_how = st.sampled_from(["publish", "publish", "in place", "rename"])
_which = st.integers(0, 9)
_lies = st.lists(
    st.tuples(_name, st.sampled_from(["replayed", "replayed", "renamed", "forged", "unbound"]), _which),
    max_size=5,
)
EVENTS: dict[str, tuple[st.SearchStrategy[object], ...]] = {
    "post": (_name, _readers, _skew, _how),
    "save_half": (_name,),
    "rename_by_hand": (_name, _name),
    "rm_at_the_author": (_name,),
    "put_an_old_file_back": (_which,),
    "delete": (_name,),
    "undelete": (_name,),
    "back_up": (),
    "restore": (_which,),
    "copy_to_a_second_machine": (st.booleans(),),
    "go_on_on_the_second_machine": (_which,),
    "extend_the_key": (),
    "rm_at_the_follower": (_name,),
    "damage_at_the_follower": (_name,),
    "bob_loses_what_is_derived": (),
    "the_syncers_restart": (),
    "a_server_goes": (st.sampled_from(["alice", "carol"]),),
    "a_server_comes": (st.sampled_from(["alice", "carol"]),),
    "bob_syncs": (st.booleans(),),
    "carol_syncs": (),
    "bob_syncs_with_carol": (st.booleans(),),
    "carol_lies": (_lies,),
    "quiet": (),
}
OFTEN = {"post": 5, "delete": 2, "bob_syncs": 4, "carol_syncs": 3, "bob_syncs_with_carol": 3, "carol_lies": 3}
_event = st.sampled_from([name for name in EVENTS for _ in range(OFTEN.get(name, 1))]).flatmap(
    lambda name: st.tuples(st.just(name), st.tuples(*EVENTS[name]))
)


@dataclass(frozen=True)
class Template:
    """Trees and state to copy: making accounts takes a while, on purpose."""

    place: Path
    keys: dict[str, SecretKey]

    def people(self, place: Path) -> dict[str, Person]:
        shutil.copytree(self.place, place, dirs_exist_ok=True)
        return {name: _person(place, name, key) for name, key in self.keys.items()}


def _person(place: Path, name: str, key: SecretKey) -> Person:
    account = Account(Root(place / name), key)
    return Person(account, Keyring.load(account))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    place = tmp_path_factory.mktemp("template")
    # Older than whatever a wrong clock says.
    made = int(time.time()) - 30 * DAY
    keys = {
        name: SecretKey.generate(name, f"{name}@example.org", created=made)
        for name in ("alice", "bob", "carol")
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(place / "state"))
        found = {}
        for name, key in keys.items():
            account = Account.create(Root(place / name), key, "three words suffice")
            found[name] = Person(account, Keyring.load(account))
        for name, other in (("alice", "bob"), ("alice", "carol"), ("bob", "carol")):
            found[name].knows(found[other], other)
            found[other].knows(found[name], name)
    return Template(place, keys)


class Following(RuleBasedStateMachine):
    """Alice writes, Bob follows, Carol follows and passes on."""

    def __init__(self, template: Template) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.place = Path(tempfile.mkdtemp())
        self.patch.setenv("XDG_STATE_HOME", str(self.place / "state"))
        people = template.people(self.place)
        self.alice, self.bob, self.carol = people["alice"], people["bob"], people["carol"]
        self.promised = {who: Reference(who) for who in ("bob", "carol")}
        self.bytes: dict[str, bytes] = {}
        self.made: list[tuple[str, str]] = []
        self.archives: list[bytes] = []
        self.copies: list[Path] = []
        self.counter = 0
        self.forgotten: set[tuple[str, str]] = set()
        self.soon = 0
        self.runner = asyncio.Runner()
        self.servers: dict[str, tuple[AsyncExitStack, tuple[str, int]]] = {}
        self.syncers: dict[str, Syncer] = {}

    @initialize()
    def begin(self) -> None:
        self.post(ANCHOR, "everybody", 0, "publish")
        self.post(NAMES[0], "everybody", 0, "publish")
        for who in ("alice", "carol"):
            self.runner.run(self._up(who))
        self.bob_syncs(False)
        self.carol_syncs()

    @rule(event=_event)
    def happens(self, event: tuple[str, tuple[object, ...]]) -> None:
        """One rule for all, so that each is as likely as `OFTEN` says."""
        name, words = event
        getattr(self, name)(*words)

    def teardown(self) -> None:
        try:
            if self.servers or self.syncers:
                self.quiet()
        finally:
            for who in list(self.servers):
                self.runner.run(self._down(who))
            for syncer in self.syncers.values():
                syncer.close()
            self.runner.close()
            self.patch.undo()
            shutil.rmtree(self.place)

    # --- the machines --------------------------------------------------------------------------------------

    def person(self, who: str) -> Person:
        found: Person = getattr(self, who)
        return found

    async def _up(self, who: str) -> None:
        if who not in self.servers:
            stack = AsyncExitStack()
            self.servers[who] = stack, await stack.enter_async_context(serving(self.person(who)))

    async def _down(self, who: str) -> None:
        if who in self.servers:
            await self.servers.pop(who)[0].aclose()

    def syncer(self, who: str) -> Syncer:
        if who not in self.syncers:
            person = self.person(who)
            self.syncers[who] = Syncer(person.account, person.keyring, timeouts=IMPATIENT)
        return self.syncers[who]

    def a_server_goes(self, who: str) -> None:
        self.runner.run(self._down(who))

    def a_server_comes(self, who: str) -> None:
        self.runner.run(self._up(who))

    def the_syncers_restart(self) -> None:
        for who in list(self.syncers):
            self.syncers.pop(who).close()

    def bob_loses_what_is_derived(self) -> None:
        self.the_syncers_restart()
        for name in DERIVED:
            shutil.rmtree(self.bob.root.path / name, ignore_errors=True)
        self.promised["bob"].removed.clear()  # who removed what is known nowhere else
        self.forgotten = set(self.held("bob").items())

    # --- the author ----------------------------------------------------------------------------------------

    def own(self) -> AuthorDir:
        return self.alice.account.posts()

    def tree(self) -> dict[str, str]:
        """What lies in the author's directory, read by nothing of ours."""
        return _tree(self.own().path)

    def learn(self) -> None:
        """Note what the library signed for the author just now."""
        for name, sha256 in self.tree().items():
            if sha256 in self.bytes:
                continue
            with contextlib.suppress(MauError):
                opened = open_post(self.alice.account, self.alice.keyring, self.alice.fpr, name)
                delete = delete_of(opened)
                target, sums = (delete.target, delete.sha256s) if delete else (None, frozenset())
                readers = self._names(opened.audience)
                data = (self.own().path / name).read_bytes()
                self.note(Signed(name, sha256, opened.signed_at, readers, target, sums), data)

    def note(self, one: Signed, data: bytes) -> None:
        self.bytes[one.sha256] = data
        self.made.append(one.named)
        for reference in self.promised.values():
            reference.signed[one.named] = one

    def _names(self, audience: Audience | None) -> frozenset[str]:
        readers = {"bob", "carol"}
        if audience is None or audience == PUBLIC:
            return frozenset(readers)
        assert isinstance(audience, frozenset)
        return frozenset(who for who in readers if self.person(who).fpr in audience)

    def post(self, name: str, readers: str, skew: int, how: str) -> None:
        """By the library, or by an editor and gpg on a machine whose clock is wrong."""
        self.counter += 1
        text = f"content {self.counter}"
        to = {"everybody": [], "bob": [self.bob], "bob and carol": [self.bob, self.carol]}[readers]
        if how == "publish":
            self.alice.post(name, text, *to, public=not to)
        else:
            if skew == SOON:
                self.soon = int(time.time()) + SOON - 1_800
            certificates = tuple(one.account.certificate for one in (self.alice, *to))
            audience = frozenset(one.fpr for one in (self.alice, *to)) if to else PUBLIC
            created = int(time.time()) + skew
            data = piece(
                self.alice, name, text, to=certificates if to else None, stated=audience, created=created
            )
            self.note(Signed(name, _sum(data), created, self._names(audience)), data)
            path = self.own().path / name
            target = path.with_name(".aside") if how == "rename" else path
            target.write_bytes(data)
            if how == "rename":
                target.rename(path)
            return
        self.learn()

    def save_half(self, name: str) -> None:
        path = self.own().path / name
        if path.exists():
            path.write_bytes(path.read_bytes()[:-20])

    def rename_by_hand(self, name: str, other: str) -> None:
        path = self.own().path / name
        if path.exists():
            path.rename(path.with_name(other))

    def rm_at_the_author(self, name: str) -> None:
        (self.own().path / name).unlink(missing_ok=True)

    def put_an_old_file_back(self, content: int) -> None:
        name, sha256 = self.made[content % len(self.made)]
        (self.own().path / name).write_bytes(self.bytes[sha256])

    def delete(self, name: str) -> None:
        with contextlib.suppress(MauError):
            delete_post(self.alice.account, self.alice.keyring, name)
        self.learn()

    def undelete(self, name: str) -> None:
        with contextlib.suppress(MauError):
            undelete(self.alice.account, self.alice.keyring, name)
        self.learn()

    def back_up(self) -> None:
        out = io.BytesIO()
        back_up(self.alice.root, out)
        self.archives.append(out.getvalue())

    def restore(self, which: int) -> None:
        if self.archives:
            restored = Restored()
            data = io.BytesIO(self.archives[which % len(self.archives)])
            restore(self.alice.account, open_archive(data, restored), restored, passphrase=None)
            assert not restored.problems
            self.learn()

    def copy_to_a_second_machine(self, bare: bool) -> None:
        copy = self.place / f"copy-{len(self.copies)}"
        # The socket of a server that runs is no file.
        left_out = shutil.ignore_patterns(*(DERIVED if bare else (".index",)), "circuit")
        shutil.copytree(self.alice.root.path, copy, ignore=left_out)
        self.copies.append(copy)

    def go_on_on_the_second_machine(self, which: int) -> None:
        if self.copies:
            was_up = "alice" in self.servers
            self.runner.run(self._down("alice"))
            shutil.rmtree(self.alice.root.path)
            shutil.copytree(self.copies[which % len(self.copies)], self.alice.root.path)
            if was_up:
                self.runner.run(self._up("alice"))

    def extend_the_key(self) -> None:
        account = self.alice.account
        key = extended(account.key, int(time.time()) + 400 * DAY)
        was_up = "alice" in self.servers
        self.runner.run(self._down("alice"))
        account = Account(account.root, key)
        self.alice = Person(account, Keyring.load(account))
        if was_up:
            self.runner.run(self._up("alice"))
        for name in ("bob", "carol"):  # it is asked for again at the next contact
            self.the_syncers_restart()
            (self.person(name).root.path / ".syncer" / "keys.db").unlink(missing_ok=True)

    # --- the follower, by hand -----------------------------------------------------------------------------

    def rm_at_the_follower(self, name: str) -> None:
        held = self.held("bob")
        path = self.bob.root.author_dir(self.alice.fpr) / name
        named = (name, held.get(name))
        # What was held when all was forgotten may be missed when it goes, or not: nobody promises either.
        if name in held and named not in self.promised["bob"].garbage | self.forgotten:
            path.unlink()
            reference = self.promised["bob"]
            reference.removed.add((name, held[name]))
            reference.taken_away({(name, held[name])} - self.versions("bob"))

    def damage_at_the_follower(self, name: str) -> None:
        held = self.held("bob")
        path = self.bob.root.author_dir(self.alice.fpr) / name
        if name in held:
            reference = self.promised["bob"]
            self.counter += 1
            path.write_bytes(b"damaged %d" % self.counter)
            reference.garbage.add((name, self.held("bob")[name]))
            reference.taken_away({(name, held[name])} - self.versions("bob"))

    def held(self, who: str) -> dict[str, str]:
        return _tree(self.person(who).root.author_dir(self.alice.fpr))

    def versions(self, who: str) -> set[tuple[str, str]]:
        place = self.person(who).root.author_dir(self.alice.fpr)
        return {
            (path.parent.name.removesuffix(".versions"), _sum(path.read_bytes()))
            for path in place.glob("*.versions/*")
        }

    # --- syncing -------------------------------------------------------------------------------------------

    async def _sync(self, who: str, host: str, address: tuple[str, int], full: bool = False) -> SyncReport:
        via = None if host == "alice" else self.person(host).fpr
        self.person(who).keyring.refresh()
        return await self.syncer(who).sync(self.alice.fpr, addresses=[address], via=via, full=full)

    def sync(self, who: str, host: str, *, full: bool = False) -> SyncReport:
        before = self.held(who)
        # A server that is down leaves its port closed.
        address = self.servers[host][1] if host in self.servers else ("127.0.0.1", 1)
        report = self.runner.run(self._sync(who, host, address, full))
        assert (report.problem is None) == (host in self.servers), report.problem
        self._check(who, before, relayed=host != "alice")
        return report

    def _check(self, who: str, before: dict[str, str], *, relayed: bool) -> None:
        # What was damaged is no post that is lost; what came in its place is checked like any other.
        self.promised[who].check_step(before, self.held(who), self.versions(who), relayed=relayed)

    def bob_syncs(self, full: bool) -> None:
        self.sync("bob", "alice", full=full)

    def carol_syncs(self) -> None:
        self.sync("carol", "alice")

    def bob_syncs_with_carol(self, full: bool) -> None:
        self.sync("bob", "carol", full=full)

    def carol_lies(self, lies: list[tuple[str, str, int]]) -> None:
        """She offers what Alice once wrote under any name, what she wrote herself, and withholds the rest."""
        liar = Liar(self.carol, author=self.alice.fpr)
        offers: dict[str, bytes] = {}
        for name, kind, number in lies:
            made, sha256 = self.made[-1 - number % len(self.made)]
            if kind == "replayed":
                offers[made] = self.bytes[sha256]
            elif kind == "renamed":
                offers[name] = self.bytes[sha256]
            elif kind == "forged":
                offers[name] = piece(self.carol, name, to=None, author=self.alice.fpr)
            else:
                offers[name] = piece(self.alice, name, to=None, bound=False)
        for name, data in offers.items():
            liar.offer(name, data)

        async def listen() -> None:
            async with lying(liar) as address:
                await self._sync("bob", "carol", address, full=True)

        before = self.held("bob")
        self.runner.run(listen())
        self._check("bob", before, relayed=True)

    # --- the truth -----------------------------------------------------------------------------------------

    @invariant()
    def nothing_but_posts_has_a_posts_name(self) -> None:
        reference = self.promised["bob"]
        for named in self.held("bob").items():
            assert named in reference.signed or named in reference.garbage, named

    def quiet(self) -> None:
        """Nothing happens until Bob holds what is due: soon, and by asking for what is new alone."""
        self.runner.run(self._up("alice"))
        ends = time.monotonic() + QUIET
        while not self.settled("bob"):
            assert time.monotonic() < ends, self.difference("bob")
            self.sync("bob", "alice")
            time.sleep(0.01)
        self.sync("bob", "alice", full=True)
        assert self.settled("bob"), self.difference("bob")

    def settled(self, who: str) -> bool:
        return time.time() >= self.soon and not self.difference(who)

    def difference(self, who: str) -> list[object]:
        reference, tree, held = self.promised[who], self.tree(), self.held(who)
        due = reference.due(tree, int(time.time()))
        wrong: list[object] = [
            (name, held.get(name), sha256) for name, sha256 in due.items() if held.get(name) != sha256
        ]
        return wrong + sorted(reference.gone(tree, held))


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _tree(place: Path) -> dict[str, str]:
    return {path.name: _sum(path.read_bytes()) for path in place.glob("[!.]*.pgp") if path.is_file()}


def run(template: Template, examples: int, steps: int) -> None:
    factory: Callable[[], Following] = lambda: Following(template)  # noqa: E731
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        factory,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_whatever_happens_a_follower_converges_and_loses_nothing(template: Template) -> None:
    run(template, 10, 20)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_whatever_happens_a_follower_converges_and_loses_nothing_at_length(template: Template) -> None:
    run(template, 400, 40)
