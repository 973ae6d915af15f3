"""The server of one account: what it shows (`mau.server.app`), behind one listener."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final

from mau.account import Account
from mau.catalogue import open_index
from mau.circuit.place import CircuitEnd
from mau.circuit.terms import CircuitPolicy
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.server.accesslog import AccessLog
from mau.server.app import App
from mau.server.behind import Behind
from mau.server.circuits import Circuits
from mau.server.cursor import Cursors
from mau.server.epochs import Epochs
from mau.server.facts import FactsCache
from mau.server.guard import Gate
from mau.server.invites import Invites
from mau.server.kad import Kad
from mau.server.library import Library
from mau.server.limits import Limits
from mau.server.listener import Listener
from mau.server.listings import Listings
from mau.server.people import People
from mau.server.visibility import Relay
from mau.server.waiting import Waiting
from mau.wire.tls import server_context

_THREADS: Final = 4


class Server:
    """Serves one account's tree. `start`, `address`, `stop`; one start for each server."""

    def __init__(
        self,
        account: Account,
        keyring: Keyring,
        *,
        relay: Relay = "friends",
        relay_of: Mapping[Fingerprint, Relay] | None = None,
        limits: Limits | None = None,
        access_log: AccessLog | None = None,
        kademlia: bool = False,
        circuits: CircuitPolicy | None = None,
    ) -> None:
        """``relay``: to whom this host gives what others wrote; ``relay_of``: exceptions by author.

        ``access_log`` is closed by whoever opened it. ``kademlia``: whether it helps to find peers;
        ``circuits``: for whom it passes connections on, nobody by default.
        """
        facts = FactsCache()
        people = People(account, keyring, facts.forget_proofs)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="mau-server")
        self._index = open_index(account.root)
        self.library = Library(account, people, facts, self._index, relay, relay_of or {})
        self._epochs = Epochs(account.root)
        self._waiting = Waiting(self.library, self._threads)
        listings = Listings(
            self.library, Cursors.of(account.root), self._epochs, self._waiting, self._threads
        )
        self._kad = Kad(account, takes_part=kademlia)
        self.gate = Gate(limits, people.is_friend, access_log)
        behind = Behind(account, self._threads, lambda: self._listener.address)
        self.circuits = Circuits(
            None if circuits is None else circuits.judge(account.fingerprint, people.is_friend),
            None if circuits is None else circuits.terms,
            self.gate.counters,
            behind.note,
            people.refuses,
        )
        self._invites = Invites(account, people.is_friend, people.refuses)
        self.app = App(self.library, listings, self._kad, self.circuits, self._invites, self._threads)
        self._watching = ExitStack()
        self._own_posts = account.posts()
        self._circuit_end = CircuitEnd(account.root)
        self._listener = Listener(self.app, server_context(account.identity()), self.gate)

    async def start(self, host: str, port: int) -> None:
        """Listen on every address of ``host``; "" is any, port 0 any free one. MauError when that fails.

        What an earlier run left half done among the own posts is finished first (spec/tree.md R1).
        """
        await asyncio.to_thread(self._own_posts.recover)
        await asyncio.to_thread(self._watch, asyncio.get_running_loop())
        await self._listener.start(host, port, self._circuit_end)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Keep the index as the tree is, and tell those who wait."""
        self._watching.enter_context(self._index.subscribe(self._waiting.told(loop)))
        self._watching.enter_context(self._index.watch())
        self.library.freshness.watched = True

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the first listening socket."""
        return self._listener.address

    @property
    def connections(self) -> int:
        """How many are open, those included that are shaking hands."""
        return self._listener.connections

    @property
    def waiting(self) -> int:
        """How many visitors wait for something new."""
        return len(self._waiting)

    async def stop(self, grace: float = 5) -> None:
        """Accept nothing more, let what is being sent arrive within ``grace`` seconds, then cut."""
        self._waiting.end()
        await self.circuits.close()
        await self._listener.stop(grace)
        await self._kad.close()
        await self._invites.close()
        await asyncio.to_thread(self._watching.close)
        # What a thread has begun ends by itself soon; nobody waits for its answer any more.
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._index.close()
        self._epochs.close()
        self.library.close()
