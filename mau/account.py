"""The account: the tree's owner, unlocked (spec/tree.md, "The account").

``.mau/account.pgp`` is the only thing that needs the passphrase; with it open, everything else of the tree
can be read and written. Opening costs the derivation of a key from the passphrase and next to nothing more:
what is expensive to load (PGPy, TLS) waits until something needs it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mau import ownkey
from mau.errors import (
    AccountDamaged,
    AccountExists,
    AccountRevoked,
    NoAccount,
    NoSuchPost,
    TreeChanged,
    WrongPassphrase,
)
from mau.openpgp import Certificate, SecretKey
from mau.passphrase import check_new
from mau.tree import safe
from mau.tree.recovery import recover_root

if TYPE_CHECKING:
    from pathlib import Path

    from mau.fingerprint import Fingerprint
    from mau.tree.layout import Root
    from mau.tree.posts import AuthorDir
    from mau.wire.identity import Identity

# An RSA-4096 key of a person with many user ids and signatures is some ten KiB.
MAX_ACCOUNT_FILE = 16 * 1024 * 1024

_REVOCATION_WORDS = """\
This is the revocation certificate of
  {who}
  {fingerprint}

Keep it apart from the account: print it, or move it to a disk that is not this one. With it you can declare
the key invalid when its secret is lost or stolen. It is no secret that opens anything, but whoever has it can
make others believe that you gave up this key; and there is no way back.

To use it: mau key revoke --certificate THIS-FILE in the account's directory; no passphrase is needed. Friends
learn of it with their next contact. Or, where there is no Mau: gpg --import this file, with the public key
imported before; then export the public key again and give it to your friends.

"""


@dataclass(frozen=True, eq=False)  # no slots: the identity is made once
class Account:
    """The owner of a tree with the secret key in memory. Its repr shows nothing secret."""

    root: Root
    key: SecretKey

    @classmethod
    def create(cls, root: Root, key: SecretKey, passphrase: str) -> Account:
        """Make ``key`` the account of this tree: revocation certificate, own directory, account file last.

        Raises AccountExists, whatever lies at the account file's place, and PassphraseError for a passphrase
        that may not be.
        """
        check_new(passphrase)
        account = cls(root, key)
        cls.require_none(root)
        locked = _lock(key, passphrase)
        try:
            root.ensure()
        except OSError as error:  # say the whole path: it may have been a typing error
            raise OSError(error.errno, error.strerror, str(root.path)) from None
        with _alone(root):
            cls.require_none(root)  # another program may have been quicker
            safe.write_bytes(account.revocation_file, _revocation_text(key).encode("utf-8"))
            with safe.closing(root.open()) as top:
                os.close(safe.make_dir(key.fingerprint.hex, at=top))
            safe.write_bytes(root.account_file, locked)
            ownkey.write(root, key.certificate)
        return account

    @classmethod
    def restore(cls, root: Root, locked: bytes, passphrase: str) -> Account:
        """Make an account file that was kept elsewhere the account of a tree that has none.

        WrongPassphrase or AccountDamaged when it does not open, AccountExists; nothing is written then.
        """
        account = cls(root, SecretKey.unlock(locked, passphrase))
        cls.require_none(root)
        root.ensure()
        with _alone(root):
            cls.require_none(root)
            with safe.closing(root.open()) as top:
                os.close(safe.make_dir(account.fingerprint.hex, at=top))
            safe.write_bytes(root.account_file, locked)
            ownkey.write(root, account.key.certificate)
        return account

    @classmethod
    def open(cls, root: Root, passphrase: str) -> Account:
        """Unlock the account of this tree; NoAccount, WrongPassphrase, AccountDamaged, NotAFile."""
        try:
            locked = safe.read_bytes(root.account_file, MAX_ACCOUNT_FILE)
        except NoSuchPost:
            raise NoAccount(_absent_words(root)) from None
        return cls.of_key(root, SecretKey.unlock(locked, passphrase))

    @classmethod
    def of_key(cls, root: Root, key: SecretKey) -> Account:
        """The account of this tree with its key, which somebody who opened it holds already."""
        public = ownkey.read(root.certificate_file)
        if public is not None and public.fingerprint == key.fingerprint:
            key.learn(public)
        return cls(root, key)

    @staticmethod
    def require(root: Root) -> None:
        """NoAccount when nothing lies at the account file's place: say it before asking for a passphrase."""
        if not os.path.lexists(root.account_file):
            raise NoAccount(_absent_words(root))

    @staticmethod
    def require_none(root: Root) -> None:
        """AccountExists when anything lies at the account file's place."""
        if os.path.lexists(root.account_file):
            raise AccountExists(
                f"there is an account in {str(root.path)!r} already, and it is never overwritten; "
                f"say --dir for another place"
            )

    def change_passphrase(self, old: str, new: str) -> None:
        """Lock the account file with another passphrase: at any moment the old or the new one opens it.

        WrongPassphrase when ``old`` does not open the file as it lies there now, TreeChanged when it became
        somebody else's; PassphraseError when ``new`` may not be.
        """
        check_new(new)
        locked = _lock(self.key, new)
        with _alone(self.root):
            if Account.open(self.root, old).fingerprint != self.fingerprint:
                raise TreeChanged("the account file became another account's; nothing was written")
            safe.write_bytes(self.root.account_file, locked)

    def change_key(self, passphrase: str, change: Callable[[SecretKey], SecretKey]) -> Account:
        """Put what ``change`` makes of the key in the account file; the account as it is then.

        ``change`` gets the key as it lies there now. The new file is proven to open, and to hold every secret
        of the old one, before it takes the old one's place in one step: at any moment one of them is there.
        Running programs notice the new public key. WrongPassphrase, TreeChanged, and what ``change`` raises.
        """
        with _alone(self.root):
            held = Account.open(self.root, passphrase).key
            if held.fingerprint != self.fingerprint:
                raise TreeChanged("the account file became another account's; nothing was written")
            key = change(held)
            if key.secrets != held.secrets or key.fingerprint != held.fingerprint:
                raise AccountDamaged("the changed key lacks secrets of the old one; nothing was written")
            safe.write_bytes(self.root.account_file, _lock(key, passphrase))
            ownkey.write(self.root, key.certificate)
        return Account(self.root, key)

    @staticmethod
    def check_revocation(certificate: Certificate, written: bytes) -> None:
        """KeyMalformed or KeyRefused unless it is a revocation certificate for that key; AccountRevoked."""
        from mau.openpgp.lifetime import read_revocation

        read_revocation(certificate, written)
        if certificate.compromised:
            raise AccountRevoked("your key is revoked already")

    @staticmethod
    def revoke_by_certificate(root: Root, certificate: Certificate, written: bytes) -> Certificate:
        """Put a revocation that was made earlier into the copy beside the account, without a passphrase.

        Whoever opens the account finds it there. The account file takes it in with its next change.
        """
        from mau.openpgp.lifetime import read_revocation, with_revocation

        with _alone(root):
            revoked = with_revocation(certificate, read_revocation(certificate, written))
            ownkey.write(root, revoked)
        return revoked

    @property
    def fingerprint(self) -> Fingerprint:
        """Who this is."""
        return self.key.fingerprint

    @property
    def certificate(self) -> Certificate:
        """The public key, with what another process made of it meanwhile (`mau key`)."""
        news = self._public_copy.news()
        if news is not None and news.fingerprint == self.key.fingerprint:
            self.key.learn(news)
        return self.key.certificate

    @cached_property
    def _public_copy(self) -> ownkey.PublicCopy:
        return ownkey.PublicCopy(self.root.certificate_file)

    def check_signs(self) -> None:
        """AccountRevoked or KeyExpired when nobody would believe what this account signs from now on."""
        _ = self.certificate
        self.key.check_signs()

    @property
    def name(self) -> str:
        """The name in the first user id, "" when there is none."""
        return self.certificate.name

    @property
    def email(self) -> str:
        """The e-mail address in the first user id, "" when there is none."""
        return self.certificate.email

    @property
    def revocation_file(self) -> Path:
        """Where `mau init` put the revocation certificate; it may have been moved since, and should be."""
        return self.root.revocation_file(self.fingerprint)

    def identity(self) -> Identity:
        """What TLS shows and proves, the same object at every call (spec/tls.md)."""
        return self._identity

    @cached_property
    def _identity(self) -> Identity:
        from mau.wire.identity import Identity

        return Identity(self.fingerprint, self.key.created, self.key.private_key())

    def posts(self) -> AuthorDir:
        """The directory of the own posts."""
        from mau.tree.posts import AuthorDir

        return AuthorDir(self.root, self.fingerprint, own=True)


def _revocation_text(key: SecretKey) -> str:
    """The armored revocation with an explanation above it, which OpenPGP programs pass over."""
    who = " ".join(key.certificate.user_ids[:1])
    if not who.isprintable():  # an imported key may be called anything
        who = "the account"
    words = _REVOCATION_WORDS.format(who=who, fingerprint=key.fingerprint.hex)
    return words + key.revocation_certificate()


def _lock(key: SecretKey, passphrase: str) -> bytes:
    """Lock the key and prove that what came out opens again, before anything rests on it."""
    locked = key.lock(passphrase)
    try:
        again = SecretKey.unlock(locked, passphrase)
    except (WrongPassphrase, AccountDamaged):
        again = None
    if again is None or again.fingerprint != key.fingerprint:
        raise AccountDamaged("the locked account does not open again; nothing was written")
    return locked


@contextmanager
def _alone(root: Root) -> Iterator[None]:
    """Hold the lock under which the account file is made and changed: the one of its directory."""
    with safe.closing(safe.open_dir(root.mau)) as directory:
        fcntl.flock(directory, fcntl.LOCK_EX)
        recover_root(root)  # what a run that was cut off left: an account file that nobody asked to keep
        yield


def _absent_words(root: Root) -> str:
    return f"there is no account in {str(root.path)!r}; `mau init` makes one"
