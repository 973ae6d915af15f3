"""Chat with somebody in the terminal: each line typed is a message, each message that arrives is a line.

    python examples/chat.py bob [--at bob.example.org:8880]

Shows posting and news at the same time, and that workers run in the program itself where no `mau up` does.
Messages are posts: they lie in the directory, and arrive when the other one is back.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from getpass import getpass

import mau
from mau.errors import AlreadyRunning


async def chat(words: argparse.Namespace) -> None:
    """Until the end of the input (Ctrl-D)."""
    async with AsyncExitStack() as stack:
        ask = getpass if sys.stdin.isatty() else None
        me = await stack.enter_async_context(mau.open_account(words.dir, ask=ask))
        news = await stack.enter_async_context(me.news(authors=[words.who]))
        try:
            up = await stack.enter_async_context(me.running(listen=words.listen))
            print(f"reached at {up.address}", file=sys.stderr, flush=True)
        except AlreadyRunning:
            pass  # `mau up` carries the messages
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(tell(news))
            await me.sync(words.who, at=words.at)  # the workers go on from there, once he proved to be there
            async for line in typed():
                try:
                    await me.message([words.who], line)
                    await me.sync(words.who, at=words.at)  # he may be back: ask now, not some time later
                except mau.MauError as error:
                    print(error, file=sys.stderr)
            telling.cancel()


async def tell(news: mau.Feed) -> None:
    """Print what arrives."""
    async for post in news:
        if post.type == "Message":
            print(f"<{inert(post.author_name)}> {inert(post.text)}", flush=True)


async def typed() -> AsyncIterator[str]:
    """The lines of standard input."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        if line.strip():
            yield line.decode(errors="replace").rstrip("\n")


def inert(text: str) -> str:
    """What others wrote, without anything that would steer the terminal."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("who", help="the name of a friend")
    options.add_argument("--dir", help="the tree, else as `mau` finds it")
    options.add_argument(
        "--at", metavar="HOST:PORT", action="append", help="where to find him, the first time"
    )
    options.add_argument("--listen", metavar="HOST:PORT", help="where to be reached")
    asyncio.run(chat(options.parse_args()))
