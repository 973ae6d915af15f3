"""Whether one content of an archive may come back, and as what (spec/backup.md B20-B26).

An archive is a relay: it can withhold, but not forge, rename, widen an audience or roll back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from mau.account import Account
from mau.backup.keys import Keys
from mau.deletion.rules import Deletes, check_deleted
from mau.errors import (
    FromTheFuture,
    NoSuchPost,
    PostError,
    SignerExpired,
    SignerRevoked,
    UnboundFromRelay,
    UnknownAuthor,
)
from mau.fingerprint import Fingerprint
from mau.openpgp import MEMORY_LIMIT, Certificate
from mau.openpgp.lifetime import extended
from mau.reader.open import Keys as Verifying
from mau.reader.open import OpenedPost, open_source
from mau.tree.posts import AuthorDir
from mau.tree.scratch import scratch_file

IN_MEMORY: Final = 1 << 20
"""Contents up to so many bytes are held in memory."""
UNPACKS_TO: Final = 32
"""A large file may unpack to so many times its size."""
NEVER: Final = 1 << 63
"""For what may hold, though that cannot be told now: nothing is signed later."""
_SCRATCH: Final = "reader"

Decision = Literal["take", "same", "older"]


@dataclass(frozen=True, slots=True)
class Content:
    """One content as it was read from the archive: the bytes when they are few, else a file."""

    sha256: str
    size: int
    source: bytes | BinaryIO


class Judge:
    """Opens what an archive holds, and what is held, with the keys that count."""

    def __init__(
        self, account: Account, keys: Keys, deletes_of: Callable[[Fingerprint], Deletes], *, ours: bool
    ) -> None:
        """`deletes_of`: what an author said is deleted. It binds an archive as it binds a relay.

        `ours`: the archive brings this account's file, so it is a backup that its owner made.
        """
        self._account = account
        self._keys = keys
        self._deletes_of = deletes_of
        self._ours = ours

    def signed_at(self, author: Fingerprint, name: str, content: Content) -> int:
        """When a content was signed (unix seconds), if everything about it holds; else one PostError."""
        if self._keys.certificate(author) is None:
            raise UnknownAuthor("the key of its author is not held here, so nobody can check it")
        if author == self._account.fingerprint:
            return self._own(name, content).signed_at
        opened = self._open(author, name, content, from_author=False)
        check_deleted(opened.piece(content.sha256, content.size), self._deletes_of(author))
        return opened.signed_at

    def _own(self, name: str, content: Content) -> OpenedPost:
        """What the owner signed stays his, whatever became of his key since."""
        author = self._account.fingerprint
        try:
            opened = self._open(author, name, content, held=True)
        except SignerExpired:
            # That a signature is too late is found before whether it is one: so it is judged once more.
            opened = self._open(author, name, content, held=True, keys=_Unexpired(self._account, self._keys))
        if not self._ours and not opened.opened.encrypted and not opened.statement.bound:
            # A mail to few, say, from which somebody took the encryption: in the own directory it is public.
            raise UnboundFromRelay(
                "you signed it, but it states neither its name nor for whom it is, and this is no backup of "
                "this account; if it is a post of yours, take it out of the archive by hand"
            )
        return opened

    def held_since(self, directory: AuthorDir, name: str) -> int | None:
        """When what is held was signed; None when it does not hold, so that anything that does is better.

        What may hold once more is known is not known to be older than anything.
        """
        try:
            with directory.open(name) as file:
                size = file.seek(0, 2)
                file.seek(0)
                source: bytes | BinaryIO = file.read() if size <= IN_MEMORY else file
                opened = self._open(directory.fpr, name, Content("", size, source), anyway=True)
        except PostError as error:
            return NEVER if error.lasting == "deferred" else None
        except NoSuchPost:
            return None
        problem = opened.problem
        if problem is None or isinstance(problem, SignerRevoked | SignerExpired | FromTheFuture):
            return opened.signed_at
        return NEVER if problem.lasting == "deferred" else None

    def _open(
        self,
        author: Fingerprint,
        name: str,
        content: Content,
        *,
        from_author: bool = True,
        anyway: bool = False,
        held: bool = False,
        keys: Verifying | None = None,
    ) -> OpenedPost:
        def opened(source: bytes | BinaryIO, sink: Path | None) -> OpenedPost:
            return open_source(
                self._account,
                keys or self._keys,
                author,
                name,
                source,
                sink=sink,
                anyway=anyway,
                held=held,
                from_author=from_author,
                sha256=content.sha256,
                limit=max(MEMORY_LIMIT, UNPACKS_TO * content.size) if sink else None,
            )

        if isinstance(content.source, bytes):
            return opened(content.source, None)
        content.source.seek(0)
        with scratch_file(self._account.root, _SCRATCH) as sink:
            return opened(content.source, sink)


class _Unexpired:
    """The same keys, but the owner's own as if it never expired."""

    def __init__(self, account: Account, keys: Keys) -> None:
        self._keys = keys
        self._own = account.fingerprint
        self._certificate = extended(account.key, None).certificate

    def certificate(self, fingerprint: Fingerprint) -> Certificate | None:
        """Any key that verifies."""
        return self._certificate if fingerprint == self._own else self._keys.certificate(fingerprint)

    def owner_of(self, keyid: bytes) -> Fingerprint | None:
        """The one person who holds that key id."""
        return self._keys.owner_of(keyid)


def decide(
    content: Content, signed_at: int, held: str | None, held_since: Callable[[], int | None]
) -> Decision:
    """What becomes of a content that holds. `held`: the sha256 under its name, None when nothing is there.

    `held_since` is asked when it matters. take: what is there is older, or does not hold. older: it is newer.
    """
    if held == content.sha256:
        return "same"
    if held is None:
        return "take"
    since = held_since()
    return "take" if since is None or signed_at > since else "older"


def held_sum(directory: AuthorDir, name: str) -> str | None:
    """The sha256 of what is held under a name; None when nothing is. NotAFile."""
    with contextlib.suppress(NoSuchPost):
        return directory.sha256(name)
    return None
