"""A bot: answers whoever names it, and rolls the dice that they ask for.

    python examples/bot.py            # until Ctrl-C
    python examples/bot.py --once     # what came while it was away, for cron

    mau message dice "2d6, please"

Shows news since a moment, answers to those who have the post, and how a program remembers nothing: whether
it has answered stands in the thread, so it can be ended at any time and answers each post once.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import secrets
import sys
from datetime import UTC, datetime, timedelta

import mau

DICE = re.compile(r"\b([1-9]\d?)?[dw]([1-9]\d{0,2})\b", re.IGNORECASE)


async def run(words: argparse.Namespace) -> None:
    """Answer what waits since a week, then what comes."""
    async with mau.open_account(words.dir) as me:
        if words.once:
            week = datetime.now(UTC) - timedelta(days=7)
            async for post in me.timeline():
                if post.time < week:
                    break
                await answer(me, post)
            return
        async for post in me.news(since=datetime.now(UTC) - timedelta(days=7)):
            await answer(me, post)


async def answer(me: mau.Me, post: mau.Post) -> None:
    """Answer a post that is for me and asks for dice, unless that was done before."""
    asked = DICE.search(post.text)
    if post.author == me.fingerprint or post.kind == "post" or asked is None:
        return
    # What answers me is left: my answers name the dice, too, and two such bots would never come to an end.
    if any(one.startswith(f"mau:/p2p/{me.fingerprint}/") for one in post.answers):
        return
    answers = [turn.post for turn in await me.thread(post) if turn.parent == post.address and turn.post]
    if any(one.author == me.fingerprint for one in answers):
        return
    count, sides = int(asked[1] or 1), int(asked[2])
    rolled = [1 + secrets.randbelow(sides) for _ in range(count)]
    text = f"{count}d{sides}: {' + '.join(map(str, rolled))} = {sum(rolled)}"
    try:
        # A public question is answered to who asked it alone: the others asked for nothing.
        to = [post.author] if post.audience is mau.PUBLIC or post.audience is None else None
        done = await me.reply(post, text, to=to)
    except mau.MauError as error:
        print(f"{post.address}: {error}", file=sys.stderr)
    else:
        print(done.name, flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--dir", help="the tree, else as `mau` finds it")
    options.add_argument("--once", action="store_true", help="answer what waits, and end")
    asyncio.run(run(options.parse_args()))
