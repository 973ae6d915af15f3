"""Running a user's program for each of many things: no shell, so many at a time, and who fails is told."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence

from mau.errors import UsageError
from mau.passphrase import without_passphrase
from mau_cli.output import say


class Programs:
    """The same program again and again, with another standard input."""

    def __init__(self, words: Sequence[str], at_once: int) -> None:
        """UsageError when there is no such program."""
        if shutil.which(words[0]) is None:
            raise UsageError(f"there is no program {words[0]!r}")
        self._words = words
        self._turns = asyncio.Semaphore(at_once)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, given: str, about: str) -> None:
        """Start it, as soon as it is its turn; it goes on beside. ``about`` names the thing in messages."""
        await self._turns.acquire()
        task = asyncio.create_task(self._one(given, about))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._turns.release())

    async def end(self, grace: float) -> None:
        """Let those that run end within ``grace`` seconds, then end them."""
        tasks = set(self._tasks)
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _one(self, given: str, about: str) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                env=without_passphrase(),
            )
        except OSError as error:
            say(f"{self._words[0]} was not run for {about}: {error.strerror}")
            return
        try:
            await process.communicate(given.encode())
        except BaseException:
            process.kill()
            await process.wait()
            raise
        status = process.returncode or 0
        if status:
            how = f"was ended by signal {-status}" if status < 0 else f"failed with exit status {status}"
            say(f"{self._words[0]} {how} for {about}")
