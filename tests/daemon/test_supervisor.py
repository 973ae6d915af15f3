"""The supervisor with real workers: who fails is started again, the others go on, and all end in order."""

from __future__ import annotations

import asyncio
import logging
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mau.daemon import Schedule, Supervisor, Worker, WorkerStatus
from mau.errors import PeerUnreachable
from mau.notify import Notifier

QUICK = Schedule(first=0.02, most=0.08, well=60)
PATIENCE = 20.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - it is about what other threads do, too
            await asyncio.sleep(0.005)


class Steady:
    """A worker that does nothing until it is told to stop."""

    def __init__(self, name: str = "steady") -> None:
        self.runs = 0
        self.ended = False
        self.worker = Worker(name, self.run)

    async def run(self, stop: asyncio.Event) -> None:
        self.runs += 1
        await stop.wait()
        self.ended = True


class Failing:
    """A worker that fails so often, each time as it is told to, and then runs."""

    def __init__(self, how: Callable[[], None], times: int = 10**9) -> None:
        self.how = how
        self.times = times
        self.began: list[float] = []
        self.well = asyncio.Event()
        self.worker = Worker("failing", self.run)

    async def run(self, stop: asyncio.Event) -> None:
        self.began.append(time.monotonic())
        await asyncio.sleep(0)
        if len(self.began) <= self.times:
            self.how()
            return
        self.well.set()
        await stop.wait()


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


class Panic(BaseException):
    """Like what a library written in Rust raises when it panics: no Exception."""


class Reports:
    """The last report, and waiting for one."""

    def __init__(self) -> None:
        self.all: list[dict[str, WorkerStatus]] = []

    def __call__(self, workers: object) -> None:
        assert isinstance(workers, tuple)
        self.all.append({one.name: one for one in workers})

    async def until(self, fits: Callable[[dict[str, WorkerStatus]], bool]) -> dict[str, WorkerStatus]:
        await until(lambda: bool(self.all) and fits(self.all[-1]))
        return self.all[-1]


async def ended(task: asyncio.Task[None], stop: asyncio.Event) -> None:
    stop.set()
    async with asyncio.timeout(PATIENCE):
        await task


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (raising(PeerUnreachable("no connection to 192.0.2.7:8880")), "no connection to 192.0.2.7:8880"),
        (raising(OSError(98, "Address already in use")), "Address already in use"),
        (raising(RuntimeError("the passphrase is hunter2")), "internal error: RuntimeError"),
        (
            raising(ExceptionGroup("x", [PeerUnreachable("gone"), KeyError("y")])),
            "gone; internal error: KeyError",
        ),
        (raising(Panic()), "internal error: Panic"),
        (raising(asyncio.CancelledError()), "it was cancelled"),
        (lambda: None, "it ended by itself"),
    ],
)
async def test_who_fails_is_started_again_and_it_is_said_why(
    how: Callable[[], None], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    failing, steady, reports, stop = Failing(how, times=3), Steady(), Reports(), asyncio.Event()
    supervisor = Supervisor([steady.worker, failing.worker], report=reports, schedule=QUICK, chance=lambda: 0)
    task = asyncio.create_task(supervisor.run(stop))
    async with asyncio.timeout(PATIENCE):
        await failing.well.wait()
    status = await reports.until(
        lambda now: now["failing"].state == "running" and now["failing"].failures == 3
    )
    assert (status["failing"].error, status["steady"].state) == (words, "running")
    assert status["failing"].failed_at is not None
    waits = [after - before for before, after in zip(failing.began, failing.began[1:], strict=False)]
    assert waits[0] >= 0.02
    assert waits[1] >= 0.04
    assert waits[2] >= 0.08
    assert (steady.runs, steady.ended) == (1, False)
    await ended(task, stop)
    assert steady.ended
    assert sum(f"failing failed: {words}; " in message for message in caplog.messages) == 3
    assert "hunter2" not in caplog.text


async def test_while_it_waits_everybody_can_see_why_and_how_long() -> None:
    failing, reports, stop = Failing(raising(PeerUnreachable("gone")), times=1), Reports(), asyncio.Event()
    supervisor = Supervisor(
        [failing.worker], report=reports, schedule=Schedule(first=600, most=600), chance=lambda: 0
    )
    task = asyncio.create_task(supervisor.run(stop))
    one = (await reports.until(lambda now: now["failing"].state == "waiting"))["failing"]
    assert one.failures == 1
    assert one.next_try is not None
    assert 590 < one.next_try - time.time() < 601
    assert one.words(one.next_try - 30) == "failing: gone; again in 30 s"
    began = time.monotonic()
    await ended(task, stop)  # nobody waits ten minutes for the end
    assert time.monotonic() - began < 5
    assert [one.state for one in supervisor.status] == ["stopped"]
    assert reports.all[-1]["failing"].state == "stopped"


async def test_who_ran_well_has_begun_anew() -> None:
    failing, reports, stop = Failing(raising(OSError(5, "I/O error")), times=4), Reports(), asyncio.Event()
    schedule = Schedule(first=0.01, well=0)
    task = asyncio.create_task(Supervisor([failing.worker], report=reports, schedule=schedule).run(stop))
    await reports.until(lambda now: now["failing"].state == "running" and len(failing.began) == 5)
    assert {one["failing"].failures for one in reports.all} <= {0, 1}
    await ended(task, stop)


async def test_who_does_not_end_in_time_is_cut_off_and_the_others_are_not() -> None:
    cut = asyncio.Event()

    async def deaf(stop: asyncio.Event) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()

    async def slow(stop: asyncio.Event) -> None:
        await stop.wait()
        await asyncio.sleep(0.05)
        finished.set()

    begun, finished, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(Supervisor([Worker("deaf", deaf), Worker("slow", slow)], grace=0.3).run(stop))
    await begun.wait()
    await ended(task, stop)
    assert cut.is_set()
    assert finished.is_set()


async def test_who_does_not_even_end_when_cut_off_is_named(caplog: pytest.LogCaptureFixture) -> None:
    begun, let_go = asyncio.Event(), asyncio.Event()

    async def stubborn(stop: asyncio.Event) -> None:
        begun.set()
        while not let_go.is_set():
            with suppress(asyncio.CancelledError):
                await let_go.wait()

    stop = asyncio.Event()
    task = asyncio.create_task(Supervisor([Worker("stubborn", stubborn)], grace=0.05).run(stop))
    await begun.wait()
    await ended(task, stop)
    assert "keep stubborn does not end even so" in caplog.text
    let_go.set()


async def test_cancelling_it_ends_the_workers_too() -> None:
    steady = Steady()
    task = asyncio.create_task(Supervisor([steady.worker]).run(asyncio.Event()))
    await until(lambda: steady.runs == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steady.ended


async def test_a_report_that_cannot_be_written_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def full(workers: object) -> None:
        raise OSError(28, "No space left on device")

    steady, stop = Steady(), asyncio.Event()
    task = asyncio.create_task(Supervisor([steady.worker], report=full).run(stop))
    await until(lambda: "No space left" in caplog.text)
    assert steady.runs == 1
    await ended(task, stop)
    assert steady.ended


def test_two_workers_of_one_name_would_be_one_in_the_report() -> None:
    with pytest.raises(ValueError, match="one name"):
        Supervisor([Steady().worker, Steady().worker])


# --- the service manager -----------------------------------------------------------------------------------


@pytest.fixture
def manager() -> Iterator[tuple[socket.socket, Notifier]]:
    with tempfile.TemporaryDirectory(prefix="notify") as place:
        address = str(Path(place) / "socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(address)
            listener.setblocking(False)
            yield listener, Notifier(address, watchdog=0.1)


async def heard(listener: socket.socket, enough: Callable[[list[str]], bool]) -> list[str]:
    lines: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while not enough(lines):
            try:
                lines += listener.recv(10_000).decode().split("\n")
            except BlockingIOError:
                await asyncio.sleep(0.005)
    return lines


async def test_ready_is_said_once_all_are_and_the_watchdog_is_fed(
    manager: tuple[socket.socket, Notifier],
) -> None:
    listener, notifier = manager
    ready, go, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def serve(stop: asyncio.Event) -> None:
        await go.wait()
        ready.set()
        await stop.wait()

    workers = [Worker("server", serve, ready), Steady("syncer").worker]
    task = asyncio.create_task(Supervisor(workers, notifier=notifier).run(stop))
    lines = await heard(listener, lambda lines: lines.count("WATCHDOG=1") >= 3)
    assert "READY=1" not in lines
    assert "STATUS=server starting; syncer running" in lines
    go.set()
    lines = await heard(listener, lambda lines: "STATUS=server running; syncer running" in lines)
    await ended(task, stop)
    lines += await heard(listener, lambda lines: "STATUS=server stopped; syncer stopped" in lines)
    assert lines.count("READY=1") == 1
    assert lines.count("STOPPING=1") == 1


async def test_one_that_fails_at_first_does_not_keep_the_others_from_being_ready(
    manager: tuple[socket.socket, Notifier],
) -> None:
    listener, notifier = manager
    stop = asyncio.Event()

    async def serve(stop: asyncio.Event) -> None:
        raise OSError(98, "Address already in use")

    workers = [Worker("server", serve, asyncio.Event()), Steady("syncer").worker]
    task = asyncio.create_task(
        Supervisor(workers, notifier=notifier, schedule=Schedule(first=600, most=600)).run(stop)
    )
    lines = await heard(
        listener,
        lambda lines: "READY=1" in lines and any("Address already in use; again in" in one for one in lines),
    )
    assert lines.count("READY=1") == 1
    await ended(task, stop)
