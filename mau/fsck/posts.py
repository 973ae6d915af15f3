"""One file of an author: whether its name, structure, signature and sum hold (spec/backup.md C3-C6)."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mau.errors import FromTheFuture, MauError, NotReadable, PostError, Renamed, SignerExpired
from mau.fingerprint import Fingerprint
from mau.fsck.finding import Finding, Kind
from mau.openpgp import MEMORY_LIMIT, read_head
from mau.openpgp import Kind as MessageKind
from mau.reader.open import open_source
from mau.tree import safe
from mau.tree.names import KEYRING_NAME
from mau.tree.scratch import scratch_file

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring

IN_MEMORY = 1 << 20
_UNPACKS_TO = 32


@dataclass(frozen=True, slots=True)
class Opener:
    """Whoever can open posts: the account and the keys. Without them only heads are read."""

    account: Account
    keyring: Keyring


def check_content(
    opener: Opener | None, author: Fingerprint, name: str, file: BinaryIO
) -> tuple[str, PostError | None]:
    """The sha256 of an open file, and what does not hold about it as the post `name`."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    data = file.read() if size <= IN_MEMORY else None
    sha256 = _sum(file) if data is None else hashlib.sha256(data).hexdigest()
    file.seek(0)
    try:
        if opener is None:
            _check_head(file)
        elif data is not None:
            _open(opener, author, name, data, size, None)
        else:
            with scratch_file(opener.account.root, "reader") as sink:
                _open(opener, author, name, file, size, sink)
    except PostError as error:
        return sha256, error
    return sha256, None


def _open(
    opener: Opener, author: Fingerprint, name: str, source: bytes | BinaryIO, size: int, sink: Path | None
) -> None:
    limit = max(MEMORY_LIMIT, _UNPACKS_TO * size) if sink else None
    # What was taken in before its author revoked his key is whole all the same (spec/messages.md M64).
    open_source(opener.account, opener.keyring, author, name, source, sink=sink, limit=limit, held=True)


def _check_head(file: BinaryIO) -> None:
    from mau.errors import MalformedPost

    if read_head(file).kind is MessageKind.OTHER:
        raise MalformedPost("it is no OpenPGP message that could be a post")


def _sum(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(safe.CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def kind_of(error: PostError, *, own: bool | None) -> Kind:
    """What kind of finding it is; `own` None: it is not known whose files these are."""
    passing = SignerExpired | FromTheFuture | NotReadable
    if isinstance(error, passing) or (own is not True and error.lasting == "deferred"):
        return "unproven"
    if own:
        return "renamed" if isinstance(error, Renamed) else "half-saved"
    return "damaged"


def check_post(
    opener: Opener | None,
    directory: int,
    path: str,
    author: Fingerprint,
    hidden: bool,
    name: str,
    noted: tuple[str, bytes] | None,
) -> list[Finding]:
    """Everything about one post. `noted`: sum and stamp of the index, None when it knows nothing of it."""
    from mau.tree.index import stamp_of

    own = None if opener is None else author == opener.account.fingerprint
    try:
        fd, found = safe.open_regular(name, at=directory)
    except MauError as error:
        with contextlib.suppress(FileNotFoundError):
            os.stat(name, dir_fd=directory, follow_symlinks=False)
            return [Finding("stray", path, str(error))]
        return []
    except OSError as error:
        return [unread(path, error)]
    with os.fdopen(fd, "rb") as file:
        try:
            sha256, problem = check_content(opener, author, name, file)
        except OSError as trouble:  # also of the place where it is unpacked: that says nothing about it
            return [unread(path, trouble)]
        after = os.fstat(file.fileno())
    found_all = []
    if noted is not None and noted[1] == stamp_of(found) == stamp_of(after) and noted[0] != sha256:
        words = f"it has the sum {sha256[:16]}..., the index says {noted[0][:16]}..."
        found_all.append(Finding("index", path, words, author, hidden, name))
    if problem is not None and not (own and name == KEYRING_NAME):
        kind = kind_of(problem, own=own)
        found_all.append(Finding(kind, path, words_of(problem), author, hidden, name, sha256))
    return found_all


def unread(path: str, error: OSError) -> Finding:
    """What could not be looked into says nothing about itself."""
    return Finding("unread", path, f"it could not be read: {error.strerror}")


def words_of(error: PostError) -> str:
    """What does not hold."""
    return str(error) or (error.__doc__ or "").strip().partition("\n")[0]
