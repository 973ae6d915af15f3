"""What a path in an archive stands for (spec/backup.md B10-B14). Pure.

The archive may come from anywhere: a path is understood or refused, never repaired.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from mau.errors import InvalidFingerprint, InvalidName, UsageError
from mau.fingerprint import Fingerprint
from mau.tree.layout import STATE_DIRS, parse_author
from mau.tree.names import (
    KEYS_DIR,
    KNOWN_GROUP,
    MAX_BYTES,
    POST_SUFFIX,
    check_group,
    check_name,
    check_sha256,
    is_post_name,
    versions_name,
)

Kind = Literal["account", "key", "group", "revocation", "author", "post", "version", "other", "derived"]
Parts = tuple[str, ...]

OWN_TEMPORARY: Final = re.compile(r"\.mau-[0-9a-f]{16}\.|\.mau\.lock$")
"""How names begin that our writers give to what is not there to stay."""
DEEPEST: Final = 32
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_REVOCATION: Final = re.compile(r"revocation-([0-9a-f]{40})\.asc")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something belongs.

    account, revocation: those files. key: a key file of `author` in `group`. group: a directory of that name.
    author: a directory of posts. post, version: `name`, and the `sha256` that a version is called by.
    other: anything else in an author's directory, at `inner`. derived: state that is made anew.
    """

    kind: Kind
    author: Fingerprint | None = None
    hidden: bool = False
    name: str = ""
    sha256: str = ""
    group: str = ""
    inner: Parts = ()


def split_path(path: str) -> Parts:
    """The segments of a path in an archive; InvalidName when it leads anywhere but down."""
    if path.startswith("/"):
        raise InvalidName("its path is absolute")
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if ".." in parts:
        raise InvalidName("its path leads upwards")
    if len(parts) > 2 * DEEPEST:
        raise InvalidName("its path is too deep")
    return parts


def prefix_of(paths: Iterable[Parts]) -> Parts | None:
    """What stands before the tree in all paths that belong to it: where ``.mau`` lies, else an author.

    None when nothing looks like a tree.
    """
    best: tuple[int, int] | None = None
    found: Parts | None = None
    for parts in paths:
        for depth, part in enumerate(parts):
            if part == KEYS_DIR or parse_author(part) is not None:
                rank = (0 if part == KEYS_DIR else 1, depth)
                if best is None or rank < best:
                    best, found = rank, parts[:depth]
                break
    return found


def place_of(parts: Parts, *, directory: bool) -> Place | None:
    """Where what is called so in a tree belongs; None for directories that say nothing. InvalidName."""
    if not parts:
        return None
    first, inner = parts[0], parts[1:]
    if first == KEYS_DIR:
        return _in_keys(inner, directory=directory)
    author = parse_author(first)
    if author is not None:
        if not inner:
            if not directory:
                raise InvalidName("a directory belongs there")
            return Place("author", *author)
        return None if directory else _in_author(author[0], author[1], inner)
    if first.removeprefix(".") in STATE_DIRS and first.startswith("."):
        return Place("derived")
    if OWN_TEMPORARY.match(first):
        return Place("derived")
    revocation = _REVOCATION.fullmatch(first)
    if revocation and not inner and not directory:
        return Place("revocation", Fingerprint.parse(revocation[1]))
    raise InvalidName("it is no part of a tree")


def _in_keys(inner: Parts, *, directory: bool) -> Place | None:
    if not inner:
        if not directory:
            raise InvalidName("a directory belongs there")
        return None
    if directory:
        return None if inner == (KNOWN_GROUP,) else Place("group", group=_group(inner))
    if inner == ("account.pgp",):
        return Place("account")
    try:
        fingerprint = Fingerprint.parse(inner[-1].removesuffix(POST_SUFFIX))
    except InvalidFingerprint:
        raise InvalidName("it is no key file") from None
    if not inner[-1].endswith(POST_SUFFIX):
        raise InvalidName("it is no key file")
    return Place("key", fingerprint, group=_group(inner[:-1]))


def _group(parts: Parts) -> str:
    name = "/".join(parts)
    if name in ("", KNOWN_GROUP):
        return name
    try:
        if len(parts) <= DEEPEST and check_group(name) == name:
            return name
    except UsageError:
        pass
    raise InvalidName("no group can be called so")


def _in_author(author: Fingerprint, hidden: bool, inner: Parts) -> Place:
    name = inner[0]
    if any(OWN_TEMPORARY.match(part) for part in inner):
        return Place("derived")
    if len(inner) == 1 and name.endswith(POST_SUFFIX):
        check_name(name)
        return Place("post", author, hidden, name)
    if len(inner) == 2:
        post = name.removesuffix(versions_name(""))
        if name == versions_name(post) and is_post_name(post):
            try:
                return Place(
                    "version", author, hidden, post, check_sha256(inner[1].removesuffix(POST_SUFFIX))
                )
            except InvalidName:
                pass
    if len(inner) > DEEPEST:
        raise InvalidName("its path is too deep")
    for part in inner:
        if _CONTROL.search(part) or len(part.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            raise InvalidName("its name is too long, or holds control characters")
    return Place("other", author, hidden, inner=inner)
