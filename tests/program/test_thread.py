"""The one thread in which a program's work is done."""

from __future__ import annotations

import asyncio
import threading

import pytest

from mau.errors import UsageError
from mau.program.thread import OwnThread


async def test_one_thing_is_done_after_another_in_the_order_of_the_asking_in_one_thread() -> None:
    thread, done, where = OwnThread(), [], set()

    def work(number: int) -> None:
        done.append(number)
        where.add(threading.current_thread())

    await asyncio.gather(*(thread.run(work, number) for number in range(50)))
    assert done == list(range(50))
    assert len(where) == 1
    assert where != {threading.main_thread()}
    await thread.close()


async def test_who_is_cancelled_before_his_turn_has_asked_for_nothing_and_what_has_begun_is_finished() -> (
    None
):
    thread, go, begun, done = OwnThread(), threading.Event(), threading.Event(), []

    def first() -> None:
        begun.set()
        go.wait()
        done.append("first")

    one = asyncio.create_task(thread.run(first))
    await asyncio.to_thread(begun.wait)
    two = asyncio.create_task(thread.run(done.append, "second"))
    await asyncio.sleep(0)
    one.cancel()
    two.cancel()
    for task in (one, two):
        with pytest.raises(asyncio.CancelledError):
            await task
    go.set()
    await thread.run(done.append, "third")
    assert done == ["first", "third"]
    await thread.close()


async def test_closing_drops_what_waits_ends_after_what_has_begun_and_is_done_once() -> None:
    thread, go, begun, done = OwnThread(), threading.Event(), threading.Event(), []

    def first() -> None:
        begun.set()
        go.wait()
        done.append("first")

    one = asyncio.create_task(thread.run(first))
    await asyncio.to_thread(begun.wait)
    two = asyncio.create_task(thread.run(done.append, "second"))
    await asyncio.sleep(0)
    closing = asyncio.create_task(thread.close(lambda: done.append("last")))
    with pytest.raises(UsageError, match="closed"):
        await two
    go.set()
    await closing
    await one
    await thread.close(lambda: done.append("twice"))
    assert done == ["first", "last"]
    with pytest.raises(UsageError, match="closed"):
        await thread.run(done.append, "late")


async def test_what_it_raises_is_raised_where_it_was_asked_for() -> None:
    thread = OwnThread()
    with pytest.raises(ZeroDivisionError):
        await thread.run(divmod, 1, 0)
    await thread.close()
