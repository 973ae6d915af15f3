"""Runs workers in one process: who fails is started again, the others go on, and all end in order.

The shell around `mau.daemon.schedule`. A worker is a coroutine ``run(stop)`` that goes on until ``stop`` is
set and then ends by itself. It knows neither the supervisor nor the other workers.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mau.awaiting import first_of
from mau.daemon.schedule import Schedule
from mau.daemon.status import WorkerStatus
from mau.errors import MauError
from mau.notify import Notifier

_CUT: Final = 2.0  # seconds for a worker to clean up once it was cut off
_log = logging.getLogger("mau.daemon")


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker. `ready` is set by it when it can do its work; without one it can as soon as it runs.

    It is cleared before each start.
    """

    name: str
    run: Callable[[asyncio.Event], Awaitable[None]]
    ready: asyncio.Event | None = None


class Supervisor:
    """Keeps workers running until it is told to stop. One `run` for each supervisor."""

    def __init__(
        self,
        workers: Sequence[Worker],
        *,
        report: Callable[[Sequence[WorkerStatus]], None] = lambda workers: None,
        notifier: Notifier | None = None,
        schedule: Schedule | None = None,
        grace: float = 10.0,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """``report`` is called in a thread, with all workers, after something about one of them changed.

        ``grace``: seconds that the workers have to end by themselves. ``chance``: from 0 up to 1, for the
        jitter of restarts.
        """
        self._workers = workers
        self._report = report
        self._notifier = notifier or Notifier()
        self._schedule = schedule or Schedule()
        self._grace = grace
        self._chance = chance
        self._states = {one.name: WorkerStatus(one.name, since=time.time()) for one in workers}
        if len(self._states) != len(workers):
            raise ValueError("two workers have one name")
        self._unready = set(self._states)
        self._changed = asyncio.Event()
        self._reporting = threading.Lock()

    @property
    def status(self) -> tuple[WorkerStatus, ...]:
        """How the workers are now."""
        return tuple(self._states.values())

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop`` is set, and then until every worker has ended or was cut off."""
        keeping = [
            asyncio.create_task(self._keep(one, stop), name=f"keep {one.name}") for one in self._workers
        ]
        beside = [asyncio.create_task(self._tell()), asyncio.create_task(self._beat())]
        try:
            await stop.wait()
        finally:
            stop.set()
            self._notifier.stopping()
            await self._end(keeping)
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            await self._say_how_it_is()

    async def _end(self, keeping: Sequence[asyncio.Task[None]]) -> None:
        if not keeping:
            return
        _, late = await asyncio.wait(keeping, timeout=self._grace)
        for task in late:
            _log.warning("%s did not end within %.0f s: cut off", task.get_name(), self._grace)
            task.cancel()
        if late:
            _, stuck = await asyncio.wait(late, timeout=_CUT)
            for task in stuck:
                _log.error("%s does not end even so", task.get_name())

    # --- one worker ----------------------------------------------------------------------------------------

    async def _keep(self, worker: Worker, stop: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        failures = 0
        try:
            while not stop.is_set():
                if worker.ready is not None:
                    worker.ready.clear()
                self._note(worker, state="running" if worker.ready is None else "starting", next_try=None)
                began = clock()
                error = await self._run_once(worker, stop)
                if stop.is_set():
                    if error is not None:
                        _log.warning("%s failed while it ended: %s", worker.name, words_of(error))
                    return
                words = "it ended by itself" if error is None else words_of(error)
                failures = self._schedule.failures(failures, clock() - began)
                wait = self._schedule.delay(failures, self._chance())
                now = time.time()
                _log.warning("%s failed: %s; it is started again in %.1f s", worker.name, words, wait)
                _log.debug("how %s came to it:", worker.name, exc_info=error)
                self._note(
                    worker,
                    state="waiting",
                    failures=failures,
                    error=words,
                    failed_at=now,
                    next_try=now + wait,
                )
                self._is_ready(worker)  # it is as far as it gets for now, and the others are
                await first_of(wait, stop)
        finally:
            self._note(worker, state="stopped", next_try=None)

    async def _run_once(self, worker: Worker, stop: asyncio.Event) -> BaseException | None:
        """Run it to its end; what it failed with."""
        watching = asyncio.create_task(self._watch_ready(worker))
        try:
            await worker.run(stop)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return error  # something inside it was cancelled, not it
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a panic of a library in Rust is no Exception, and no reason to end
            return error
        finally:
            watching.cancel()
        return None

    async def _watch_ready(self, worker: Worker) -> None:
        if worker.ready is not None:
            await worker.ready.wait()
            self._note(worker, state="running")
        self._is_ready(worker)

    def _is_ready(self, worker: Worker) -> None:
        if worker.name in self._unready:
            self._unready.discard(worker.name)
            if not self._unready:
                self._notifier.ready(self._words())

    # --- telling -------------------------------------------------------------------------------------------

    def _note(self, worker: Worker, **facts: object) -> None:
        before = self._states[worker.name]
        self._states[worker.name] = replace(before, since=time.time(), **facts)  # type: ignore[arg-type]
        self._changed.set()

    def _words(self) -> str:
        return "; ".join(one.words(time.time()) for one in self.status)

    async def _tell(self) -> None:
        while True:
            await self._changed.wait()
            await self._say_how_it_is()

    async def _say_how_it_is(self) -> None:
        self._changed.clear()
        self._notifier.status(self._words())
        try:
            await asyncio.to_thread(self._report_now)
        except (MauError, OSError) as error:  # a full disk is no reason to serve nobody
            _log.warning("the status cannot be written: %s", words_of(error))

    def _report_now(self) -> None:
        # A report that is still being written when the end comes must not be the last one.
        with self._reporting:
            self._report(self.status)

    async def _beat(self) -> None:
        """Tell the manager's watchdog that this loop turns."""
        if self._notifier.watchdog is None:
            return
        while True:
            self._notifier.alive()
            await asyncio.sleep(self._notifier.watchdog / 2)


def words_of(error: BaseException) -> str:
    """What an error says to people. Those that are no error of ours may hold anything: only their name."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(dict.fromkeys(map(words_of, error.exceptions)))
    if isinstance(error, MauError):
        return str(error) or (error.__doc__ or "").strip().partition("\n")[0]
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, asyncio.CancelledError):
        return "it was cancelled"
    return f"internal error: {type(error).__name__}"
