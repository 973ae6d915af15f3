"""The listing of an author as JSON (spec/http.yaml): written in one shape, read in any of the three in use.

A name stands in it as it is; in paths it is percent-encoded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any

from mau.errors import InvalidName, PeerMisbehaved
from mau.fingerprint import Fingerprint
from mau.tree.names import check_name
from mau.wire.paths import ROOT, SUFFIX, list_path

MAX_SIZE = 2**63 - 1
_SHA256 = re.compile(r"[0-9a-f]{64}")

# A listing of that many bytes or more must look like one before it is parsed: an honest item has at most one
# of "{[," in 25 bytes, and every one of them costs some 70 bytes of memory once it is parsed.
_WORTH_COUNTING = 64 * 1024
_BYTES_PER_MARK = 16


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a listing: the file's name with ``.pgp``, its bytes, their SHA-256 in lower-case hex."""

    name: str
    size: int
    sum: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a peer listed: ``items`` in its order, and what was refused as (what it called it, reason)."""

    items: list[Item]
    refused: list[tuple[str, str]]


def dump_listing(author: Fingerprint, items: Iterable[Item]) -> bytes:
    """The JSON of a listing. Each item has ``path`` and ``name``, for the two kinds of readers there are."""
    # By hand: five times faster than json.dumps of a list of dicts, and 10,000 items are common.
    start = f'{{"path":"{ROOT}/{author.hex}/'
    parts = []
    for item in items:
        name = encode_basestring(item.name)[1:-1]
        parts.append(f'{start}{name}","name":"{name}","size":{item.size},"sum":"{item.sum}"}}')
    return f"[{','.join(parts)}]".encode()


def parse_listing(body: bytes, author: Fingerprint) -> Listing:
    """Read a listing of ``author`` in any of the three shapes that exist; each item is checked by itself.

    An array of items with ``path`` (``/p2p/FPR/NAME.pgp``, not percent-encoded) or ``name`` (``NAME.pgp``),
    or an object with such an array as ``files``, where ``path`` may be a bare name without ``.pgp``. ``null``
    is empty. PeerMisbehaved when the whole is none of these.
    """
    marks = sum(map(body.count, (b"{", b"[", b","))) if len(body) >= _WORTH_COUNTING else 0
    if marks * _BYTES_PER_MARK > len(body):
        raise PeerMisbehaved("the listing is not one: too many things in too few bytes")
    try:
        document = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise PeerMisbehaved("the listing is not JSON") from error
    bare = isinstance(document, dict)
    if bare:
        document = document.get("files", "none")
    if document is None:
        document = []
    if not isinstance(document, list):
        raise PeerMisbehaved("the listing is not a list of files")
    items: list[Item] = []
    refused: list[tuple[str, str]] = []
    seen: set[str] = set()
    for entry in document:
        try:
            item = _item(entry, author, bare)
            if item.name in seen:
                raise _Refused("listed twice")
            seen.add(item.name)
            items.append(item)
        except _Refused as reason:
            refused.append((_label(entry), str(reason)))
    return Listing(items, refused)


class _Refused(Exception):
    """Why an item is not taken."""


def _item(entry: Any, author: Fingerprint, bare: bool) -> Item:
    if not isinstance(entry, dict):
        raise _Refused("not an object")
    path, name, size, digest = (entry.get(key) for key in ("path", "name", "size", "sum"))
    if path is not None:
        named = _name_in_path(path, author, bare)
        if name is not None and name != named:
            raise _Refused("its path and its name differ")
        name = named
    if not isinstance(name, str) or not name.endswith(SUFFIX):
        raise _Refused("no file name ending in .pgp")
    try:
        check_name(name)
    except InvalidName as error:
        raise _Refused(f"not a name that a file may have: {error}") from error
    except UnicodeError as error:
        raise _Refused("not a name that a file may have: not Unicode") from error
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= MAX_SIZE:
        raise _Refused("no size in bytes")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise _Refused("no SHA-256 in lower-case hex")
    return Item(name, size, digest)


def _name_in_path(path: Any, author: Fingerprint, bare: bool) -> str:
    if not isinstance(path, str):
        raise _Refused("its path is not text")
    if bare and "/" not in path:
        return path if path.endswith(SUFFIX) else path + SUFFIX
    start = list_path(author) + "/"
    if not path.startswith(start):
        raise _Refused("not a path of this author")
    return path[len(start) :]


def _label(entry: Any) -> str:
    """What to call a refused item when reporting it: text from the peer, cut; clean it before showing."""
    if isinstance(entry, dict):
        for key in ("name", "path"):
            value = entry.get(key)
            if isinstance(value, str):
                return value[:300]
    return ""
