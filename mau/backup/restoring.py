"""From an archive into a tree, empty or living (spec/backup.md B20-B38).

First the account, then the keyring, then posts and their versions, then whatever else lay beside them. Each
step is whole by itself and finds what was done before, so a run that was cut off is finished by another one.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Final, Literal

from mau.account import MAX_ACCOUNT_FILE, Account
from mau.backup.archive import Archive, Member
from mau.backup.keys import Keys
from mau.backup.others import put_beside
from mau.backup.posts import Posts, make_directory
from mau.backup.report import Restored, What, require_of_one, words_of
from mau.deletion.publishing import withdraw
from mau.errors import AccountDamaged, KeyRefused, NoAccount, NoRoom, TreeError, WrongPassphrase
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.keyring.restoring import Decided, KeptFile, restore_keyring
from mau.keyring.store import MAX_STATEMENT
from mau.openpgp import SecretKey
from mau.openpgp.lifetime import read_revocation
from mau.tree import safe
from mau.tree.layout import Root
from mau.tree.names import KEYRING_NAME
from mau.tree.recovery import recover_root

Progress = Callable[[int, int], None]
"""``progress(done, total)``, in files."""

Whose = Literal["same", "other spelling", "another's"]

_MAX_REVOCATION: Final = 1 << 16
_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def restore_account(root: Root, archive: Archive, passphrase: str, *, dry_run: bool = False) -> Account:
    """The account of an archive, put into a tree that has none, when the passphrase opens it.

    NoAccount when the archive has none either; WrongPassphrase, AccountDamaged, AccountExists.
    """
    member = archive.account
    if member is None:
        raise NoAccount("there is no account in the tree, and none in the archive")
    if member.size > MAX_ACCOUNT_FILE:
        raise AccountDamaged("what the archive has in the account's place is too large to be one")
    data = archive.read(member)
    if dry_run:
        return Account(root, SecretKey.unlock(data, passphrase))
    with _told_when_full():
        return Account.restore(root, data, passphrase)


def restore(
    account: Account,
    archive: Archive,
    restored: Restored,
    *,
    passphrase: str | None = None,
    fresh: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> None:
    """Bring everything back that holds and is not held; what became of each file goes into `restored`.

    `passphrase`: opens an account file of another spelling, to tell whose it is. `fresh`: the account came
    from this archive just now. NoRoom when the disk is full: what was done until then is done.
    """
    done, total = 0, archive.files

    def step() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    with _told_when_full():
        if not dry_run:
            recover_root(account.root)
        whose = _account(account, archive, restored, passphrase, fresh=fresh)
        _revocations(account, archive, restored, dry_run=dry_run)
        _keyring(account, archive, restored, step, dry_run=dry_run)
        keyring = Keyring.load(account, suspect=True)
        posts = Posts(
            account,
            Keys(account, keyring, archive),
            archive,
            restored,
            ours=whose != "another's",
            dry_run=dry_run,
        )
        there = _directories(account, archive, keyring, whose, dry_run=dry_run)
        own = [member.place.name for member in posts.run(step)]
        for member in archive.others:
            put_beside(account, archive, member, restored, there, dry_run=dry_run)
            step()
        if own and not dry_run:
            _take_back_deletes(account, keyring, own, restored)
    if keyring.problem is not None and not dry_run:
        restored.problems.append(str(keyring.problem))


@contextlib.contextmanager
def _told_when_full() -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        number = error.errno if isinstance(error, OSError) else error.sqlite_errorcode
        if number not in (_DISK_FULL if isinstance(error, OSError) else (sqlite3.SQLITE_FULL,)):
            raise
        raise NoRoom(
            "the disk is full; what came back stays. Make room, and do it again: it goes on where it was"
        ) from None


def _take_back_deletes(account: Account, keyring: Keyring, names: list[str], restored: Restored) -> None:
    """Who brings a deleted post of his own back wants it to be there again (design section 5)."""
    for done in withdraw(account, keyring, names):
        restored.withdrawn += len(done.withdrawn)
        if done.problem is not None:
            restored.problems.append(
                f"{done.name!r} was deleted, and still counts as deleted: {done.problem}"
            )
        elif done.left_out:
            people = ", ".join(fingerprint.hex for fingerprint in sorted(done.left_out))
            restored.problems.append(f"{done.name!r} was signed anew; no longer for {people}")


# --- account and keyring -----------------------------------------------------------------------------------


def _account(
    account: Account, archive: Archive, restored: Restored, passphrase: str | None, *, fresh: bool
) -> Whose:
    """Whose backup it is: the very account file that is here tells, or another one of the same account."""
    member = archive.account
    if member is None:
        return "another's"
    if fresh:
        restored.add(member.path, "back")
        return "same"
    with contextlib.suppress(TreeError, OSError):
        held = safe.read_bytes(account.root.account_file, MAX_ACCOUNT_FILE)
        if member.size == len(held) and archive.read(member) == held:
            restored.add(member.path, "same")
            return "same"
    words = (
        "it does not open with the passphrase of the account that is here: it is older, or another account"
    )
    if passphrase is not None and member.size <= MAX_ACCOUNT_FILE:
        with contextlib.suppress(WrongPassphrase, AccountDamaged):
            other = SecretKey.unlock(archive.read(member), passphrase).fingerprint
            if other == account.fingerprint:
                restored.add(member.path, "kept", "the account that is here stays as it is")
                return "other spelling"
            words = f"it is the account {other}, and here is {account.fingerprint}"
    restored.add(member.path, "refused", words)
    return "another's"


def _revocations(account: Account, archive: Archive, restored: Restored, *, dry_run: bool) -> None:
    for member in archive.revocations:
        path = account.root.revocation_file(member.place.author or account.fingerprint)
        if member.place.author != account.fingerprint:
            restored.add(member.path, "refused", "it is of another account")
        elif not _is_revocation(archive, member, account):
            restored.add(member.path, "refused", "it is no revocation certificate of this account")
        elif path.is_symlink() or path.exists():
            restored.add(member.path, "same")
        else:
            if not dry_run:
                safe.write_bytes(path, archive.read(member), below=account.root.path)
            restored.add(member.path, "back", "move it to another place")


def _is_revocation(archive: Archive, member: Member, account: Account) -> bool:
    if member.size > _MAX_REVOCATION:
        return False
    try:
        return bool(read_revocation(account.key.anchor, archive.read(member)))
    except KeyRefused:
        return False


def _keyring(
    account: Account, archive: Archive, restored: Restored, step: Callable[[], None], *, dry_run: bool
) -> None:
    statement = next(
        (
            member
            for member in archive.posts
            if member.place.author == account.fingerprint
            and member.place.name == KEYRING_NAME
            and not member.place.hidden
        ),
        None,
    )
    data = archive.read(statement) if statement is not None and statement.size <= MAX_STATEMENT else None
    if not dry_run:
        with safe.closing(account.root.open()) as root, contextlib.ExitStack() as stack:
            fd = stack.enter_context(safe.closing(safe.open_dir(".mau", at=root)))
            for member in archive.groups:
                inner = fd
                try:
                    for part in member.place.group.split("/"):
                        inner = stack.enter_context(safe.closing(safe.make_dir(part, at=inner)))
                except (TreeError, OSError) as error:
                    require_of_one(error)
                    restored.add(member.path, "refused", words_of(error))

    def files() -> Iterator[KeptFile]:
        for member in archive.keys:
            # One byte more than belongs there is enough to see that it does not.
            small = archive.read(member) if member.size <= MAX_STATEMENT else b""
            step()
            if member.place.author is not None:
                yield KeptFile(member.place.author, member.place.group, small)

    decided, keys = restore_keyring(account, data, files(), dry_run=dry_run)
    for member, one in zip(archive.keys, keys, strict=True):
        _note(restored, member, one)
    if statement is None:
        return
    archive.posts.remove(statement)
    step()
    if data is None or decided is None:
        restored.add(statement.path, "refused", "it is too large for a keyring statement")
    elif decided.what == "older":
        sha256 = hashlib.sha256(data).hexdigest()
        posts = account.posts()
        if not dry_run and sha256 not in {version.sha256 for version in posts.versions(KEYRING_NAME)}:
            from mau.tree.filing import file_version

            with posts.stage() as staged:
                staged.file.write(data)
                file_version(staged, KEYRING_NAME, min(statement.mtime_ns, time.time_ns()))
        restored.add(statement.path, "version", decided.words)
    else:
        _note(restored, statement, decided)
        if decided.words and decided.what != "refused":
            restored.problems.append(f"{KEYRING_NAME}: {decided.words}")


def _note(restored: Restored, member: Member, decided: Decided) -> None:
    what: What = "version" if decided.what == "older" else decided.what
    restored.add(member.path, what, decided.words)


def _directories(
    account: Account, archive: Archive, keyring: Keyring, whose: Whose, *, dry_run: bool
) -> set[Fingerprint]:
    """Follow again whom a backup of ours follows and the keyring knows; who is held hidden by now stays so.

    Whose directory is there then, or, with `dry_run`, would be.
    """
    held = {account.fingerprint, *(author for author, _ in account.root.authors())}
    for member in archive.authors:
        author = member.place.author
        if author is None or author in held:
            continue
        if whose == "same" or keyring.person(author) is not None:
            held.add(author)
            if not dry_run:
                with contextlib.suppress(
                    TreeError
                ):  # something is in the way, as is said of what belongs there
                    hidden = member.place.hidden or whose == "another's"
                    make_directory(account.root, author, hidden=hidden)
    return held
