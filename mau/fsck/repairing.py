"""What is done about a finding once its owner said so (spec/backup.md C8). Nothing here deletes a content."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import PurePath
from typing import TYPE_CHECKING

from mau.content.binding import Public, states_by_notation
from mau.errors import MauError, NoSuchPost, NotAFile, PassphraseNeeded, Renamed, UsageError
from mau.fsck.finding import Finding
from mau.publish import publish_document, publish_file, writable
from mau.reader.open import open_post
from mau.tree import safe
from mau.tree.layout import Root
from mau.tree.lock import locked
from mau.tree.names import POST_SUFFIX
from mau.tree.posts import AuthorDir
from mau.tree.recovery import recover_root
from mau.tree.scratch import scratch_file
from mau.tree.staging import hash_fd

if TYPE_CHECKING:
    from mau.fsck.posts import Opener
    from mau.tree.index import Index


def repair(root: Root, finding: Finding, opener: Opener | None, index: Index | None) -> str:
    """Mend one; what was done, in words. MauError or OSError with the reason when that cannot be.

    UsageError for what is not repairable.
    """
    match finding.kind:
        case "mode":
            return _close(root, finding)
        case "leftover":
            return _recover(root, finding, opener)
        case "version-name":
            return _rename_version(root, finding)
        case "damaged":
            return _retire(root, finding)
        case "index":
            return _read_again(finding, index)
        case "renamed":
            return _sign_again(finding, _needed(opener))
        case "deleted":
            return _take_back(finding, _needed(opener))
        case _:
            raise UsageError("nothing can be done about that here")


def _needed(opener: Opener | None) -> Opener:
    if opener is None:
        raise PassphraseNeeded("that takes the account's passphrase")
    return opener


def _directory(root: Root, finding: Finding, *, own: bool = False) -> AuthorDir:
    if finding.author is None:
        raise UsageError("nothing can be done about that here")
    return AuthorDir(root, finding.author, finding.hidden, own=own and not finding.hidden)


def _close(root: Root, finding: Finding) -> str:
    """Take everybody else's rights away from a file or directory, reached over no link."""
    with ExitStack() as stack:
        fd = stack.enter_context(safe.closing(root.open()))
        for part in PurePath(finding.path).parts:
            fd = stack.enter_context(safe.closing(_open_either(part, fd)))
        mode = os.fstat(fd).st_mode & 0o700
        os.fchmod(fd, mode)
    return f"its mode is {mode:04o}"


def _open_either(name: str, directory: int) -> int:
    try:
        return safe.open_dir(name, at=directory)
    except NotAFile:
        return safe.open_regular(name, at=directory)[0]


def _recover(root: Root, finding: Finding, opener: Opener | None) -> str:
    if finding.author is None:
        recover_root(root)
    else:
        own = opener is not None and finding.author == opener.account.fingerprint
        _directory(root, finding, own=own).recover()
    if os.path.lexists(root.path / finding.path):
        raise NotAFile("it could not be told what it belongs to; look at it, and move it away")
    return "done"


def _rename_version(root: Root, finding: Finding) -> str:
    """Give a version the name of what it holds; what is there under that name already stays, as does this."""
    path = PurePath(finding.path)
    with (
        safe.closing(safe.open_dir(_directory(root, finding).path)) as directory,
        locked(directory),
        safe.closing(safe.open_dir(path.parent.name, at=directory)) as versions,
    ):
        fd, _ = safe.open_regular(path.name, at=versions)
        with safe.closing(fd):
            right = hash_fd(fd)[0] + POST_SUFFIX
        try:
            os.link(path.name, right, src_dir_fd=versions, dst_dir_fd=versions, follow_symlinks=False)
        except FileExistsError:
            raise NotAFile(f"{right!r} is there already, so this one can be removed") from None
        os.unlink(path.name, dir_fd=versions)
        safe.sync(versions)
    return f"it is called {right[:16]}... now"


def _retire(root: Root, finding: Finding) -> str:
    """Make it an older version, and have the syncer not take that for a removal that was meant."""
    from mau.syncer.state import State

    directory = _directory(root, finding)
    # What was fetched meanwhile may be the true one.
    sha256 = directory.retire(finding.name, expect=finding.sha256 or None)
    state = State(root)
    try:
        state.recall(directory.fpr, finding.name)
        state.remove(directory.fpr, [(finding.name, sha256)], for_good=False)
    finally:
        state.close()
    return f"it is the version {sha256[:12]} now; fetch the true one with mau sync WHO --full"


def _read_again(finding: Finding, index: Index | None) -> str:
    if index is None or finding.author is None:
        raise UsageError("there is no index")
    index.check(finding.author, [finding.name])
    return "it was read again"


def _sign_again(finding: Finding, opener: Opener) -> str:
    """Sign an own post under the name that it has now; what it was becomes a version."""
    account, keyring = opener.account, opener.keyring
    with scratch_file(account.root, "reader") as path:
        post = open_post(account, keyring, account.fingerprint, finding.name, sink=path, anyway=True)
        if not isinstance(post.problem, Renamed):
            raise NoSuchPost("it is not what it was; look again") if post.problem is None else post.problem
        if post.audience is None:
            raise UsageError("it does not say for whom it is; write it again")
        audience = writable(keyring, post.audience)
        by_document = not states_by_notation(post.opened.notations) and post.document is not None
        if by_document and post.document is not None:
            publish_document(account, keyring, post.document, finding.name, audience)
        else:
            with path.open("rb") as source:
                publish_file(
                    account, keyring, source, finding.name, audience, post.filename, attached=post.attached
                )
    if isinstance(audience, Public) or isinstance(post.audience, Public) or audience == post.audience:
        return "it is published under its name"
    missing = ", ".join(one.hex for one in sorted(post.audience - audience))
    return f"it is published under its name, but no longer for {missing}"


def _take_back(finding: Finding, opener: Opener) -> str:
    from mau.deletion.publishing import withdraw

    done = withdraw(opener.account, opener.keyring, [finding.name])
    problem: MauError | None = next((one.problem for one in done if one.problem is not None), None)
    if problem is not None:
        raise problem
    return "it is published again"
