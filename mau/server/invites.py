"""The way in for guests: who shows the token of an invite is put before the owner (spec/finding.md N78-N83).

A guest proves a fingerprint, as every visitor does, and leaves the key that it is made of. Nobody becomes a
friend here: the owner says the word. Every token that does not count looks like every other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from aiohttp import web

from mau.account import Account
from mau.errors import KeyRefused, LinkMalformed, SecretKeyOffered
from mau.fingerprint import Fingerprint
from mau.hostport import believable
from mau.invite.book import InviteBook
from mau.invite.facts import Request
from mau.invite.link import Link, parse_link
from mau.openpgp import Certificate
from mau.server.answers import Refusal, empty
from mau.server.limits import Buckets, Rate, network_of, retry_after
from mau.wire.invite import LINK_HEADER, MAX_KEY
from mau.wire.targets import InviteTarget

_BODY_SECONDS: Final = 30.0
"""For the whole key to come."""
_A_DAY: Final = Rate(10 / 86_400, 10)
"""Requests from one network of who is no friend."""
_WAIT: Final = 3600
"""Seconds until it may be tried again when too many wait for the owner's word."""
T = TypeVar("T")


class Invites:
    """Answers below /invite for one account."""

    def __init__(
        self,
        account: Account,
        is_friend: Callable[[Fingerprint | None], bool],
        refuses: Callable[[Fingerprint], bool] = lambda _: False,
    ) -> None:
        """``refuses``: whose tokens never count."""
        self._own = account.fingerprint
        self._is_friend = is_friend
        self._refuses = refuses
        self._book = InviteBook(account)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mau-invites")
        self._networks = Buckets(_A_DAY)
        self._closed = False

    async def answer(
        self, request: web.BaseRequest, target: InviteTarget, proven: Fingerprint | None
    ) -> web.StreamResponse:
        """204 once the guest is put before the owner; Refusal otherwise."""
        if proven is None:
            raise Refusal(403, "only for those who prove who they are")
        # Before anything of the body is read, or said: who has no token learns nothing here.
        counts = await self._in_turn(lambda: self._book.counts(target.token, proven))
        if not counts or proven == self._own or self._refuses(proven):
            raise Refusal(404)
        friend = self._is_friend(proven)
        network, now = network_of(request.remote or ""), time.monotonic()
        if not friend and (wait := self._networks.wait(network, now)):
            raise Refusal(429, "too many requests came from there", {"Retry-After": str(retry_after(wait))})
        certificate = await self._key(request, proven)
        asked = Request(bytes(certificate), int(time.time()), "", "", _link(request, proven))
        taken = await self._in_turn(lambda: self._book.take(target.token, proven, asked, known=friend))
        if taken == "gone":  # somebody else was quicker
            raise Refusal(404)
        if taken == "full":
            raise Refusal(429, "too many wait for a word already", {"Retry-After": str(_WAIT)})
        if taken == "taken" and not friend:
            self._networks.take(network, now)
        return empty(204, {})

    async def close(self) -> None:
        """Let go of the book."""
        if self._closed:
            return
        self._closed = True
        await self._in_turn(self._book.close)
        self._thread.shutdown(wait=False)

    async def _key(self, request: web.BaseRequest, proven: Fingerprint) -> Certificate:
        """The certificate that the guest sends, which is that of the proven fingerprint."""
        length = request.content_length
        if length is None:
            raise Refusal(411, "how long is it? Content-Length is needed")
        if length > MAX_KEY:
            raise Refusal(413, f"a key has at most {MAX_KEY} bytes here")
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await request.content.readexactly(length)
        except TimeoutError as error:
            raise Refusal(408, f"the key did not come within {_BODY_SECONDS:.0f} s") from error
        except asyncio.IncompleteReadError as error:
            raise Refusal(400, "the key did not come to its end") from error
        try:
            certificate = await self._in_turn(lambda: _judge(body))
        except SecretKeyOffered as error:
            raise Refusal(400, "that is a secret key, which nobody may see; it was not kept") from error
        except KeyRefused as error:
            raise Refusal(400, "not a public OpenPGP key that can be used") from error
        if certificate.fingerprint != proven:
            raise Refusal(400, "the key is another one than that of the connection")
        return certificate

    async def _in_turn(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _judge(body: bytes) -> Certificate:
    certificate = Certificate.parse(body).without_others()
    certificate.check_usable()
    return certificate


def _link(request: web.BaseRequest, proven: Fingerprint) -> Link:
    """The guest's own link, as far as it is about the guest and can be known to one who asks from there."""
    teller = request.remote or ""
    try:
        link = parse_link(request.headers.get(LINK_HEADER, ""))
    except LinkMalformed:
        return Link(proven)
    if link.fingerprint != proven:
        return Link(proven)
    return Link(
        proven,
        link.name,
        tuple(one for one in link.addresses if believable(one[0], teller)),
        tuple(one for one in link.relays if believable(one[1][0], teller)),
    )
