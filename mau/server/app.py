"""From a request to its answer (spec/http.yaml): the shell around paths, conditions and the library."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final, TypeVar

from aiohttp import web

from mau.errors import NoAccount
from mau.fingerprint import Fingerprint
from mau.server.answers import Refusal, empty, problem, send_bytes, send_file
from mau.server.athand import AtHand
from mau.server.bulk import Bulk, wants_bulk
from mau.server.circuits import Circuits
from mau.server.conditions import failed_condition, http_date, quoted, range_applies
from mau.server.disposition import attachment
from mau.server.files import OpenFile
from mau.server.invites import Invites
from mau.server.kad import Kad
from mau.server.library import Library
from mau.server.listings import Listings
from mau.server.ranges import Unsatisfiable, parse_range
from mau.wire.paths import BadPath, UnknownPath, UnsupportedOperation, is_invite, parse
from mau.wire.targets import (
    CircuitTarget,
    FileTarget,
    InviteTarget,
    KadTarget,
    KeyTarget,
    ListTarget,
    VersionTarget,
)

_log = logging.getLogger("mau.server")
_METHODS: Final = ("GET", "HEAD")
_OF_INVITES: Final = ("PUT",)
_QUANTUM: Final = 0.005
"""Seconds. What is missing and what is not permitted are answered on the same beat."""
_T = TypeVar("_T")
_LISTS: Final = ("If-Match", "If-None-Match")
_SINGLE: Final = ("If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range")


class App:
    """Answers requests; knows nothing of sockets."""

    def __init__(
        self,
        library: Library,
        listings: Listings,
        kad: Kad,
        circuits: Circuits,
        invites: Invites,
        threads: Executor,
    ) -> None:
        self._library = library
        self._kad = kad
        self._circuits = circuits
        self._invites = invites
        self._listings = listings
        self._bulk = Bulk(library, listings, threads)
        self._threads = threads
        self.at_hand = AtHand(library)

    async def handle(self, request: web.BaseRequest, proven: Fingerprint | None) -> web.StreamResponse:
        """The answer to a visitor who proved to be ``proven``; whatever goes wrong is an answer, too."""
        began = time.monotonic()
        try:
            return await self._route(request, proven)
        except Refusal as refusal:
            if refusal.status == 404:
                await _next_beat(began)
            return problem(refusal.status, refusal.detail, refusal.headers)
        except NoAccount:  # the disk was taken away: nothing can be said of what is on it
            return problem(503, "the files are not there just now", {"Retry-After": "5"})
        except Exception:
            # Not the request: it may hold what its sender would not want in a log.
            _log.exception("a request could not be answered")
            return problem(500)

    async def _route(self, request: web.BaseRequest, proven: Fingerprint | None) -> web.StreamResponse:
        methods = _OF_INVITES if is_invite(request.raw_path) else _METHODS
        if request.method not in methods:
            raise Refusal(405, f"only {' and '.join(methods)}", {"Allow": ", ".join(methods)})
        if request.version >= (1, 1) and len(request.headers.getall("Host", ())) != 1:
            raise Refusal(400, "exactly one Host header")
        try:
            target = parse(request.raw_path)
        except UnknownPath as error:
            raise Refusal(404) from error
        except UnsupportedOperation as error:
            raise Refusal(501, str(error)) from error
        except BadPath as error:
            raise Refusal(400, str(error)) from error
        if isinstance(target, CircuitTarget | InviteTarget):
            await self._in_thread(self._library.rules)  # who is a friend, and who is blocked, as of now
        if isinstance(target, KadTarget):
            return await self._kad.answer(request, target, proven)
        if isinstance(target, CircuitTarget):
            return await self._circuits.answer(request, target, proven)
        if isinstance(target, InviteTarget):
            return await self._invites.answer(request, target, proven)
        conditions = _conditions(request)
        if isinstance(target, KeyTarget):
            return await self._key(request, target, proven, conditions)
        if isinstance(target, ListTarget):
            return await self._list(request, target, proven, conditions)
        return await self._file(request, target, proven, conditions)

    async def _list(
        self,
        request: web.BaseRequest,
        target: ListTarget,
        proven: Fingerprint | None,
        conditions: dict[str, str],
    ) -> web.StreamResponse:
        began = time.monotonic()
        if wants_bulk(request.headers.getall("Accept", ())):
            return await self._bulk.answer(request, target, proven)
        answer = await self._listings.answer(request, target, proven, conditions)
        if "Last-Modified" not in answer.headers:
            await _next_beat(began)
        return answer

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    # --- keys ----------------------------------------------------------------------------------------------

    async def _key(
        self,
        request: web.BaseRequest,
        target: KeyTarget,
        proven: Fingerprint | None,
        conditions: dict[str, str],
    ) -> web.StreamResponse:
        owner = target.owner
        if not self._library.is_mine(owner) and not await self._listings.has_any(owner, proven):
            raise Refusal(404)
        body = await self._in_thread(lambda: self._library.key(owner))
        if body is None:
            raise Refusal(404)
        tag = hashlib.sha256(body).hexdigest()
        headers = {"ETag": quoted(tag)}
        conditions.pop("If-Unmodified-Since", None)  # a key has no date
        status = failed_condition(conditions, tag=tag, modified=0, now=0)
        if status is not None:
            return _condition_answer(status, headers)
        return await send_bytes(request, body, "application/pgp-keys", headers)

    # --- files ---------------------------------------------------------------------------------------------

    async def _file(
        self,
        request: web.BaseRequest,
        target: FileTarget | VersionTarget,
        proven: Fingerprint | None,
        conditions: dict[str, str],
    ) -> web.StreamResponse:
        def find() -> OpenFile | None:
            if isinstance(target, VersionTarget):
                return self._library.open_version(target.author, target.name, target.sha256, proven)
            return self._library.open(target.author, target.name, proven)

        file = None
        if isinstance(target, FileTarget):
            file = self.at_hand.find(target.author, target.name, proven)
        if file is None:
            file = await self._in_thread(find)
            if file is None:
                raise Refusal(404)
            self.at_hand.keep(file)
        try:
            now = int(time.time())
            headers = {
                "ETag": quoted(file.sha256),
                "Accept-Ranges": "bytes",
                "Last-Modified": http_date(min(file.modified, now)),
            }
            status = failed_condition(conditions, tag=file.sha256, modified=file.modified, now=now)
            if status is not None:
                return _condition_answer(status, headers)
            spans = None
            if request.method == "GET" and range_applies(conditions, tag=file.sha256):
                try:
                    spans = parse_range(conditions["Range"], file.size)
                except Unsatisfiable as error:
                    unsatisfied = {**headers, "Content-Range": f"bytes */{file.size}"}
                    raise Refusal(416, "no byte of the file is in that range", unsatisfied) from error
            headers["Content-Disposition"] = attachment(target.name)
            return await send_file(request, file, spans, headers, self._threads)
        finally:
            file.close()


def _conditions(request: web.BaseRequest) -> dict[str, str]:
    """The headers that decide about an answer; of those that may stand only once, several are none or 400."""
    found = {}
    for name in _LISTS:
        values = request.headers.getall(name, ())
        if values:
            found[name] = ", ".join(values)
    for name in _SINGLE:
        values = request.headers.getall(name, ())
        if len(values) == 1:
            found[name] = values[0]
        elif values:
            found[name] = ", ".join(values)  # malformed, and dealt with as such
    return found


def _condition_answer(status: int, headers: dict[str, str]) -> web.Response:
    if status == 304:
        return empty(status, headers)
    return problem(status, headers=headers)


async def _next_beat(began: float) -> None:
    elapsed = time.monotonic() - began
    await asyncio.sleep(_QUANTUM - elapsed % _QUANTUM)
