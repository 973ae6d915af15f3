"""The public posts as static files that any web server can show (spec/web.md W40-W44). Blocking."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from mau.errors import NotAFile, TreeError
from mau.fingerprint import Fingerprint
from mau.web.feed import feed
from mau.web.page import list_page, post_page
from mau.web.post import IN_FEED, PER_PAGE, Brief, Post, count_pages, shown_of
from mau.web.shelf import Shelf

MANIFEST: Final = ".mau-site.json"
"""Which files are ours, each with its sum; null while a run may be writing it."""
_MAX_MANIFEST: Final = 256 << 20
_TEMP: Final = ".mau-"

_Sums = dict[str, str | None]


@dataclass(slots=True)
class Exported:
    """What came of it: paths relative to the directory. ``kept``: not ours any more, so not removed."""

    posts: int = 0
    written: list[str] = field(default_factory=list)
    same: int = 0
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def export_site(shelf: Shelf, directory: Path) -> Exported:
    """Bring ``directory`` to what is public now; TreeError when something else is in the way.

    Each file is replaced in one step. Nothing is overwritten or removed that an earlier run did not write.
    """
    owner = shelf.owner.fingerprint
    directory.mkdir(parents=True, exist_ok=True)
    before = _read_manifest(directory, owner)
    briefs = shelf.briefs()
    planned = set(_paths(owner, briefs))
    _check_nothing_in_the_way(directory, planned - before.keys())
    return _Writer(shelf, directory, before, planned).run(briefs)


def page_link(page: int) -> str:
    """The address of a page of the list."""
    return f"page-{page}.html" if page > 1 else "index.html"


def _file_path(owner: Fingerprint, name: str) -> str:
    return f"p2p/{owner.hex}/{name}"


def _page_path(name: str) -> str:
    return f"posts/{name.removesuffix('.pgp')}.html"


def _paths(owner: Fingerprint, briefs: list[Brief]) -> Iterator[str]:
    """Every path that may be written."""
    for brief in briefs:
        yield _file_path(owner, brief.name)
        yield _page_path(brief.name)
    yield from (page_link(page) for page in range(1, count_pages(len(shown_of(briefs))) + 1))
    yield from (_file_path(owner, "index.json"), "feed.atom", "key.asc")


class _Writer:
    """One run."""

    def __init__(self, shelf: Shelf, directory: Path, before: _Sums, planned: set[str]) -> None:
        self._shelf = shelf
        self._directory = directory
        self._sums = before
        self._now: _Sums = {}
        self._planned = planned
        self._done = Exported()

    def run(self, briefs: list[Brief]) -> Exported:
        shelf, owner = self._shelf, self._shelf.owner
        # From here on they are ours, whatever comes in between.
        self._sums |= dict.fromkeys(self._planned)
        self._note()
        there: list[Brief] = []
        newest: list[Post] = []
        for brief in briefs:
            post = self._post(brief)
            if post is not None:
                there.append(brief)
                if brief.shown and len(newest) < IN_FEED:
                    newest.append(post)
        shown = shown_of(there)
        for page in range(1, count_pages(len(shown)) + 1):
            part = shown[(page - 1) * PER_PAGE : page * PER_PAGE]
            posts = [post for brief in part if (post := shelf.post(brief.name)) is not None]
            self._text(page_link(page), list_page(owner, posts, page, len(shown), page_link))
        self._text("feed.atom", feed(owner, newest))
        self._bytes("key.asc", shelf.key())
        self._bytes(_file_path(owner.fingerprint, "index.json"), shelf.listing(there))
        self._remove_the_rest()
        self._sums = self._now
        self._note()
        self._done.posts = len(there)
        return self._done

    def _post(self, brief: Brief) -> Post | None:
        """Write the file and the page of a post; None when it is no longer that one."""
        post = self._shelf.post(brief.name)
        if post is None or post.brief != brief:
            return None
        path = _file_path(self._shelf.owner.fingerprint, brief.name)
        if self._is_there(path, brief.sha256):
            self._now[path] = brief.sha256
        elif not self._put(path, lambda out: self._shelf.copy(brief, out), brief.sha256):
            return None
        self._text(_page_path(brief.name), post_page(self._shelf.owner, post))
        return post

    def _text(self, path: str, text: str) -> None:
        self._bytes(path, text.encode())

    def _bytes(self, path: str, data: bytes) -> None:
        digest = hashlib.sha256(data).hexdigest()
        if self._is_there(path, digest):
            self._now[path] = digest
            return

        def write(out: BinaryIO) -> bool:
            out.write(data)
            return True

        self._put(path, write, digest)

    def _is_there(self, path: str, digest: str) -> bool:
        there = _sum(self._directory / path) == digest
        self._done.same += there
        return there

    def _put(self, path: str, write: Callable[[BinaryIO], bool], digest: str) -> bool:
        """Replace a file; False when there was nothing to write."""
        with _explaining(path):
            written = _replace(self._directory / path, write)
        if written:
            self._now[path] = digest
            self._done.written.append(path)
        return written

    def _remove_the_rest(self) -> None:
        for path in sorted(self._sums.keys() - self._now.keys()):
            place = self._directory / path
            found = _sum(place)
            if found is None:
                continue
            if self._sums[path] not in (None, found):
                self._done.kept.append(path)  # somebody put his own there
                continue
            with _explaining(path):
                place.unlink()
                self._done.removed.append(path)

    def _note(self) -> None:
        document = {
            "fingerprint": self._shelf.owner.fingerprint.hex,
            "files": dict(sorted(self._sums.items())),
        }
        data = json.dumps(document, ensure_ascii=True, indent=0).encode()

        def write(out: BinaryIO) -> bool:
            out.write(data)
            return True

        with _explaining(MANIFEST):
            _replace(self._directory / MANIFEST, write)


def _read_manifest(directory: Path, owner: Fingerprint) -> _Sums:
    place = directory / MANIFEST
    try:
        if place.stat().st_size > _MAX_MANIFEST:
            raise ValueError
        document = json.loads(place.read_bytes())
        files, whose = document["files"], document["fingerprint"]
        if not all(_is_ours(path) and (one is None or isinstance(one, str)) for path, one in files.items()):
            raise ValueError
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise TreeError(
            f"{str(place)!r} is damaged; remove it together with the site, or export elsewhere"
        ) from None
    if whose != owner.hex:
        raise TreeError(f"the site in {str(directory)!r} is another's; export elsewhere")
    return dict(files)


def _is_ours(path: str) -> bool:
    """Whether that is a path that a site can have: nothing leads out of the directory."""
    parts = path.split("/")
    return (
        not path.startswith("/") and not any(part in ("", ".", "..") for part in parts) and "\0" not in path
    )


def _check_nothing_in_the_way(directory: Path, paths: set[str]) -> None:
    for path in sorted(paths):
        if os.path.lexists(directory / path):
            raise NotAFile(
                f"{str(directory / path)!r} is in the way, and no export put it there; move it away"
            )


def _sum(path: Path) -> str | None:
    """The sha256 of a regular file; None when there is none."""
    with suppress(OSError):
        if not path.is_symlink() and path.is_file():
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
    return None


def _replace(path: Path, write: Callable[[BinaryIO], bool]) -> bool:
    """Put a file that everybody may read, as far as the umask goes, in its place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f"{_TEMP}{secrets.token_hex(8)}.tmp")
    try:
        with os.fdopen(
            os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "wb"
        ) as out:
            if not write(out):
                return False
        temp.replace(path)  # not waited for: what a crash spoils, the next run sees by its sum
    finally:
        temp.unlink(missing_ok=True)
    return True


@contextmanager
def _explaining(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TreeError(f"{path!r} cannot be written: {error.strerror}") from error
