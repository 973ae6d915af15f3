"""Which post is meant: from WHO and NAME as people write them to a file that is held."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mau.errors import AmbiguousPost, AmbiguousWho, NoSuchPost, UnknownWho, UsageError

if TYPE_CHECKING:
    from mau.content.address import Address
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.reader.open import OpenedPost
    from mau.tree.posts import AuthorDir
    from mau_cli.context import Session

_IN_MEMORY = 1 << 20  # bytes of a stored file; larger ones are opened into a file
_HEX = re.compile(r"[0-9a-f]{4,64}")
_LISTED = 10
ME = "me"  # as in mau.keyring, without what that loads


@dataclass(frozen=True, slots=True)
class Meant:
    """A post that is held, and where. `version` is the one that was asked for; None: the current content."""

    author: Fingerprint
    name: str
    directory: AuthorDir
    version: str | None = None


def resolve_ref(session: Session, keyring: Keyring, ref: str) -> Meant:
    """The one post that is held and that REF means (spec/conversations.md CV30-CV34).

    REF is an address (``mau:/p2p/FPR/NAME.pgp``, also with ``//HOST:PORT`` or its path alone), ``WHO/NAME``,
    or the name of anybody's post; of a name its beginning serves, or that of its random letters.
    UnknownWho, AmbiguousWho, AddressMalformed, UsageError, NoSuchPost; AmbiguousPost lists what it can be.
    """
    if "/" in ref:
        meant, version = find_post(session, keyring, ref, None)
        return replace(meant, version=version)
    return _of_anybody(session, keyring, ref)


def resolve_address(session: Session, keyring: Keyring, ref: str) -> Address:
    """As `resolve_ref`, but a whole address (also ``FPR/NAME.pgp``) need not be of a post that is held."""
    from mau.content.address import Address

    try:
        meant = resolve_ref(session, keyring, ref)
    except NoSuchPost:
        if "/" not in ref:
            raise
        author, name, version = address_in(keyring, ref)
        from mau.tree.names import is_post_name

        if not is_post_name(name):
            raise
        return Address(author, name, version)
    return Address(meant.author, meant.name, meant.version)


def ref_words(keyring: Keyring, author: Fingerprint, name: str) -> str:
    """A post as `resolve_ref` reads it, as short as it stays true: ``bob/k3v9x2qa``, ``me/kettle``."""
    from mau.conversation.naming import short_name

    person = keyring.person(author)
    who = author.hex if person is None or "/" in person.label else person.label
    return f"{who}/{short_name(name)}"


def _of_anybody(session: Session, keyring: Keyring, word: str) -> Meant:
    from mau.conversation.naming import meant_names
    from mau.tree.posts import AuthorDir

    account = session.account()
    authors = session.root.authors()
    for hidden in (False, True):  # what is out of sight is meant only when nothing in sight is
        found: list[tuple[AuthorDir, str]] = []
        for author, aside in authors:
            if aside == hidden:
                directory = AuthorDir(session.root, author, hidden, own=author == account.fingerprint)
                found += [(directory, name) for name in directory.names()]
        best = set(meant_names(word, [name for _, name in found]))
        fits = [(directory, name) for directory, name in found if name in best]
        if len(fits) == 1:
            return Meant(fits[0][0].fpr, fits[0][1], fits[0][0])
        if fits:
            listed = [ref_words(keyring, directory.fpr, name) for directory, name in fits]
            raise _ambiguous(word, listed)
    with suppress(UnknownWho, AmbiguousWho):
        who = keyring.resolve(word).label
        raise UsageError(f"which post? {who!r} is a person; say WHO/NAME, or an address")
    raise NoSuchPost(f"no post {word!r} is held here; `mau timeline` and `mau files WHO` list what is")


def _ambiguous(word: str, listed: list[str]) -> AmbiguousPost:
    shown = "".join(f"\n{one}" for one in sorted(listed)[:_LISTED])
    more = f"\nand {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return AmbiguousPost(f"{word!r} can be {len(listed)} posts; write more of it:{shown}{more}")


def find_post(
    session: Session, keyring: Keyring, who: str, name: str | None, *, exact: bool = False
) -> tuple[Meant, str | None]:
    """The post that ``WHO NAME`` means, or REF alone (see `resolve_ref`); with the version that it names.

    NAME may lack its ``.pgp``, and may be the beginning of one name only (not when it must be `exact`). Of
    ``me`` it may be an address. UnknownWho, AmbiguousWho, UsageError, NoSuchPost, AmbiguousPost.
    """
    from mau.reader.open import directories_of

    version = None
    if name is None and "/" not in who:
        return _of_anybody(session, keyring, who), None
    if name is None:
        author, name, version = address_in(keyring, who)
    else:
        author = keyring.resolve_fingerprint(who)
        if who == ME and "/" in name:
            with suppress(UnknownWho):  # then it is no address, and as a name it is refused below
                author, name, version = address_in(keyring, name)
        if who == ME and author != keyring.me.fingerprint:
            raise UsageError("that is a post of somebody else; say NAME of one of yours")
    for directory in directories_of(session.account(), author):
        found = find_name(directory, name, exact=exact)
        if found is not None:
            return Meant(author, found, directory), version
    if "/" in who:
        raise NoSuchPost(f"no post {who!r} is held here; `mau thread` looks for it, by its whole address")
    raise NoSuchPost(f"no post {name!r} of {who!r} is held here; `mau files {who}` lists what is")


def address_in(keyring: Keyring, text: str) -> tuple[Fingerprint, str, str | None]:
    """Author, name and version of an address or of ``WHO/NAME``, whether the post is held or not."""
    from mau.content.address import resolve_iri

    if text.startswith(("mau:", "/p2p/", "//")):
        address = resolve_iri(text, keyring.me.fingerprint)
        if address is None or address.name is None:
            raise UsageError(f"that is the address of a person; which post? {text!r:.120}")
        return address.author, address.name, address.version
    who, slash, name = text.partition("/")
    if not slash or not name:
        raise UsageError("which post? Say WHO and NAME, or an address")
    return keyring.resolve_fingerprint(who), name, None


def find_name(directory: AuthorDir, word: str, *, exact: bool = False) -> str | None:
    """The name that is held and meant by a word: itself, the same but for case, or the only one it begins.

    When it must be `exact`: itself, or the one with these random letters.
    """
    from mau.conversation.naming import meant_names, names_with_letters
    from mau.tree.names import POST_SUFFIX, post_name

    whole = post_name(word)
    for same_word in dict.fromkeys((whole, word)):
        if same_word.endswith(POST_SUFFIX) and (directory.entry(same_word) or directory.versions(same_word)):
            return same_word
    names = directory.names()
    names = names_with_letters(word, names) if exact else meant_names(word, names)
    if len(names) > 1:
        raise _ambiguous(word, names)
    return names[0] if names else None


def find_version(meant: Meant, word: str) -> str | None:
    """The sha256 of the version whose beginning `word` is; None when that is the current content."""
    if not _HEX.fullmatch(word):
        raise UsageError("a version is named by its sha256, or by 4 or more of its first hex digits")
    held = {version.sha256 for version in meant.directory.versions(meant.name)}
    current = meant.directory.sha256(meant.name) if meant.directory.entry(meant.name) else None
    fits = sorted(sha256 for sha256 in held | ({current} if current else set()) if sha256.startswith(word))
    if not fits:
        raise NoSuchPost(f"there is no version {word} of {meant.name!r}; `mau versions` lists them")
    if len(fits) > 1:
        raise UsageError(f"{word} can be {len(fits)} versions; write more digits:\n" + "\n".join(fits))
    return fits[0] if fits[0] in held else None


@contextmanager
def opened(
    session: Session, keyring: Keyring, meant: Meant, version: str | None = None, *, anyway: bool = False
) -> Iterator[tuple[OpenedPost, Path | None]]:
    """Open a post (one PostError when it does not hold); with a file that has its content when that is large.

    The file is gone after the block.
    """
    from mau.reader.open import open_post
    from mau.tree.scratch import scratch_file

    account = session.account()
    if _stored_size(meant, version) <= _IN_MEMORY:
        yield open_post(account, keyring, meant.author, meant.name, version, anyway=anyway), None
        return
    with scratch_file(session.root, "reader") as path:
        post = open_post(account, keyring, meant.author, meant.name, version, sink=path, anyway=anyway)
        yield post, path


def _stored_size(meant: Meant, version: str | None) -> int:
    if version is None:
        entry = meant.directory.entry(meant.name)
        return entry.size if entry is not None else 0
    return max((one.size for one in meant.directory.versions(meant.name) if one.sha256 == version), default=0)


def document_facts(document: Any) -> Any:
    """A document as `--json` can show it: numbers beyond all bounds become null."""
    if isinstance(document, dict):
        return {key: document_facts(value) for key, value in document.items()}
    if isinstance(document, list):
        return [document_facts(value) for value in document]
    return None if isinstance(document, float) and not math.isfinite(document) else document


def local_time(seconds: float) -> str:
    """A time as people here read it, to the second, with its offset."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="seconds")


def size_words(size: int) -> str:
    """A size in bytes as people read it."""
    amount = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{size} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"
