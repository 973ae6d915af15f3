"""A peer of the handmade kind that gives its listing in pages and its files in archives (spec/http.yaml)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from aiohttp import web

from tests.syncer.peers import Liar, item
from tests.wire.test_bulk import archive


@dataclass
class Paging(Liar):
    """Lists what it was given, oldest change first; ``generation`` is part of every position.

    ``most``: items of a page, whatever is asked for. ``bulk``: whether it sends archives. ``packed``: what
    becomes of an archive before it is sent. ``queries``: those of the listings, as they came.
    """

    changes: list[str] = field(default_factory=list)
    generation: int = 1
    most: int = 1000
    bulk: bool = True
    packed: Callable[[bytes], bytes] = bytes
    queries: list[str] = field(default_factory=list)
    archives: int = 0
    clock: int = 0
    times: dict[str, int] = field(default_factory=dict)

    def put(self, name: str, data: bytes) -> None:
        """Add or change a file."""
        self.files[name] = data
        self.changes = [*(one for one in self.changes if one != name), name]
        self.times[name] = self.clock = self.clock + 1

    def slip_in(self, name: str, data: bytes) -> None:
        """Add a file as if it had been there from the beginning, as no honest server does."""
        self.files[name] = data
        self.changes.insert(0, name)
        self.times[name] = 1

    def token(self, time: int) -> str:
        return f"g{self.generation}-{time}"

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if path != f"/p2p/{self.whose.hex}":
            return await super().answer(request)
        self.asked.append(path)
        self.queries.append(query)
        fields = {key: values[0] for key, values in parse_qs(query).items()}
        start = 0
        if cursor := fields.get("cursor"):
            generation, _, time = cursor.partition("-")
            if generation != f"g{self.generation}":
                return web.Response(status=410)
            start = int(time)
        limit = min(int(fields["limit"]), self.most)
        names = [name for name in self.changes if self.times[name] > start][:limit]
        if self.bulk and "application/x-tar" in request.headers.get("Accept", ""):
            return self.pack(names, int(fields["most"]))
        return self.page(names, self.token(self.times[names[-1]] if names else start))

    def page(self, names: list[str], cursor: str) -> web.StreamResponse:
        body = json.dumps([item(self.whose, name, self.files[name]) for name in names])
        link = f'</p2p/{self.whose.hex}?limit=1000&cursor={cursor}>; rel="next"'
        date = "Sun, 06 Nov 1994 08:49:37 GMT"
        return web.Response(text=body, headers={"Link": link, "ETag": '"x"', "Last-Modified": date})

    def pack(self, names: list[str], most: int) -> web.StreamResponse:
        self.archives += 1
        entries = [
            (name, self.files[name], self.token(self.times[name]))
            for name in names
            if len(self.files[name]) <= most
        ]
        return web.Response(body=self.packed(archive(entries)), content_type="application/x-tar")

    def sums(self) -> dict[str, str]:
        return {name: hashlib.sha256(data).hexdigest() for name, data in self.files.items()}
