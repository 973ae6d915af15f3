"""Everything that can go wrong for a person, in one tree.

    MauError                      1  something went wrong
    |- UsageError                 2  the words given do not fit (also InvalidFingerprint, AmbiguousWho,
    |                                UnknownWho, AmbiguousPost, NoAudience, AddressMalformed, LinkMalformed,
    |                                PageMalformed, ConfigError, PictureRefused)
    |- PartlyDone                 3  some of it was done, some was not
    |- PassphraseError            4  WrongPassphrase, PassphraseNeeded
    |- PeerError                  5  PeerNotFound, PeerUnreachable, PeerMisbehaved (NotOffered)
    |- ProofError                 6  a signature or an identity does not hold
    |  |- IdentityError              the other end of a connection is not who it should be
    |  |- KeyRefused                 a key that may not be used (SecretKeyOffered, OwnKey, KeyRevoked,
    |  |                             KeyExpired, KeyTooWeak, KeyUnusable, KeyMalformed, AccountRevoked)
    |  |- KeyringUntrusted           the keyring statement may not be believed (KeyringRolledBack,
    |  |                             KeyringDamaged)
    |  `- PostError                  a post that may not be believed, refused for ever or deferred
    |     |- refused: MalformedPost, NotSigned, BadSignature, SeveralSignatures, WrongSignatureType,
    |     |           SignerRevoked, SignatureTooWeak, NoIntegrity, TooLarge, Leaked
    |     |- deferred: FromTheFuture, SignerExpired, UnknownAuthor, UnknownSigner, NameClash,
    |     |           NotReadable
    |     `- by source: Renamed, RolledBack, UnboundFromRelay, Deleted
    |- TreeError                  1  NoAccount, AccountExists, AccountDamaged, InvalidName, NotAFile,
    |                                NoSuchPost, TreeChanged, NoRoom, KeptOut, ArchiveDamaged
    |- LocalError                 1  AgentError, AlreadyRunning, ServiceError, NoPrivatePlace, EditorFailed,
    |                                AlgorithmFailed
    `- Interrupted              130  EditorInterrupted

A message says what happened and what to do next. Text that others chose is shown with ``!r`` or through
the terminal's cleaner, never raw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint

Lasting = Literal["refused", "deferred", "source"]


class MauError(Exception):
    """Something went wrong."""

    exit_code: ClassVar[int] = 1


# --- words -------------------------------------------------------------------------------------------------


class UsageError(MauError):
    """The words given do not fit."""

    exit_code = 2


class InvalidFingerprint(UsageError):
    """Not 40 hex digits."""


class UnknownWho(UsageError):
    """Nobody is known by that word."""


class AmbiguousWho(UsageError):
    """Several people fit that word; the message lists them."""


class AmbiguousPost(UsageError):
    """Several posts fit that word; the message lists them."""


class NoAudience(UsageError):
    """For whom? Nothing is ever published without saying so."""


class AddressMalformed(UsageError):
    """Not an address of Mau, or not HOST:PORT."""


class LinkMalformed(UsageError):
    """Not a link that introduces somebody; ask for it again, whole."""


class PageMalformed(UsageError):
    """A page that cannot become a post; the message says in which line, and why."""


class ConfigError(UsageError):
    """The configuration holds something that does not fit."""


class PictureRefused(UsageError):
    """A picture that cannot be rid of what it says about its making, or that cannot be shown safely."""


class PartlyDone(MauError):
    """Some of it was done; what was not is named."""

    exit_code = 3


# --- passphrase --------------------------------------------------------------------------------------------


class PassphraseError(MauError):
    """The passphrase is wrong or missing."""

    exit_code = 4


class WrongPassphrase(PassphraseError):
    """The passphrase does not open the account."""


class PassphraseNeeded(PassphraseError):
    """No passphrase was given and there is no terminal to ask on."""


# --- peers -------------------------------------------------------------------------------------------------


class PeerError(MauError):
    """The peer was not found, not reachable, or talks nonsense."""

    exit_code = 5
    there: Fingerprint | None = None
    """Who else proved to be there: nobody did (see IdentityError)."""


class PeerNotFound(PeerError):
    """No address is known for that person."""


class PeerUnreachable(PeerError):
    """No connection to the address."""


class PeerMisbehaved(PeerError):
    """The peer answered something that the protocol does not allow."""


class NotOffered(PeerMisbehaved):
    """The peer listed it, and does not give it out (any more)."""


# --- proof -------------------------------------------------------------------------------------------------


class ProofError(MauError):
    """A signature or an identity does not hold."""

    exit_code = 6


class IdentityError(ProofError):
    """The other end of the connection did not prove that it is who it should be.

    ``there``: who it proved to be instead, where it proved anything.
    """

    def __init__(self, words: str = "", there: Fingerprint | None = None) -> None:
        super().__init__(words)
        self.there = there


class KeyRefused(ProofError):
    """That key may not be used."""


class KeyMalformed(KeyRefused):
    """Not exactly one OpenPGP certificate."""


class SecretKeyOffered(KeyRefused):
    """A secret key where a public one belongs: nobody may ever send you one."""


class OwnKey(KeyRefused):
    """Your own key."""


class KeyRevoked(KeyRefused):
    """Its owner revoked it."""


class AccountRevoked(KeyRefused):
    """You revoked your own key: nothing new is signed with it."""


class KeyExpired(KeyRefused):
    """It has expired; ask its owner for a newer copy."""


class KeyTooWeak(KeyRefused):
    """Too weak to be believed."""


class KeyUnusable(KeyRefused):
    """It cannot do what Mau needs."""


class KeyringUntrusted(ProofError):
    """The statement of who your friends are may not be believed; until you confirm, nobody is one."""


class KeyringRolledBack(KeyringUntrusted):
    """The statement of who your friends are is older than one that was seen before."""


class KeyringDamaged(KeyringUntrusted):
    """The statement of who your friends are is not whole, or not yours."""


class PostError(ProofError):
    """A post that may not be believed.

    ``lasting`` says how long (design section 5): "refused" lies in the bytes and is for ever, "deferred" may
    change when its cause does, "source" holds against this source only.
    """

    lasting: ClassVar[Lasting] = "refused"


class MalformedPost(PostError):
    """Not a whole OpenPGP message."""


class NotSigned(PostError):
    """Nobody signed it."""


class BadSignature(PostError):
    """The signature does not fit the content or its author's key."""


class SeveralSignatures(PostError):
    """More than one signature: which one counts?"""


class WrongSignatureType(PostError):
    """Signed, but not as a binary document."""


class SignerRevoked(PostError):
    """Signed with a key that its owner revoked."""


class SignatureTooWeak(PostError):
    """Signed with an algorithm that proves nothing today."""


class NoIntegrity(PostError):
    """Encrypted without protection against changes, or changed."""


class TooLarge(PostError):
    """It unpacks to more than may be held."""


class Leaked(PostError):
    """Its author wrote it for others than it was brought to."""


class Renamed(PostError):
    """Its author gave it another name or address than the one it was brought under."""

    lasting = "source"


class RolledBack(PostError):
    """Older than what is held, and not from its author's own host."""

    lasting = "source"


class UnboundFromRelay(PostError):
    """It states neither name nor audience, so only its author's own host may bring it."""

    lasting = "source"


class Deleted(PostError):
    """Its author deleted it."""

    lasting = "source"


class FromTheFuture(PostError):
    """Signed more than 30 minutes ahead of this clock."""

    lasting = "deferred"

    def __init__(self, *words: str, until: float = 0.0) -> None:
        """``until``: when that is over by this clock, in unix seconds."""
        super().__init__(*words)
        self.until = until


class SignerExpired(PostError):
    """Signed after its key had expired, as far as the copy of the key held here says."""

    lasting = "deferred"


class UnknownAuthor(PostError):
    """The key of its author is not held here."""

    lasting = "deferred"


class UnknownSigner(PostError):
    """Signed with a key that the copy of its author's certificate held here does not have."""

    lasting = "deferred"


class NameClash(PostError):
    """Its name differs from one that is held by case or normal form only."""

    lasting = "deferred"


class NotReadable(PostError):
    """Not encrypted for this account."""

    lasting = "deferred"


# --- tree --------------------------------------------------------------------------------------------------


class TreeError(MauError):
    """The directory tree is not as it should be."""


class NoAccount(TreeError):
    """There is no account here; `mau init` makes one."""


class AccountExists(TreeError):
    """There is an account here already; it is never overwritten."""


class AccountDamaged(TreeError):
    """The account file is not what it should be; restore it from a backup."""


class InvalidName(TreeError):
    """Not a name that a file may have (spec/tree.md)."""


class NotAFile(TreeError):
    """Something that is no regular file or directory is in the way: a link, a pipe, a device."""


class NoSuchPost(TreeError):
    """No file of that name is held."""


class TreeChanged(TreeError):
    """Another program changed the file meanwhile; nothing was lost, try again."""


class NoRoom(TreeError):
    """The disk has no room for it."""


class KeptOut(TreeError):
    """A limit of yours keeps it out; it comes when there is room, or when you ask for it by name."""


# --- this machine ------------------------------------------------------------------------------------------


class LocalError(MauError):
    """Another program on this machine does not do what is needed."""


class AgentError(LocalError):
    """The agent cannot keep the account open."""


class AlreadyRunning(LocalError):
    """`mau up` runs on this tree already."""


class ServiceError(LocalError):
    """The service manager does not do what is asked of it."""


class NoPrivatePlace(LocalError):
    """There is no place in memory for a text while it is edited."""


class EditorFailed(LocalError):
    """The editor did not end as it should; nothing is published, and the text is kept."""

    def __init__(self, words: str = "", written: bytes | None = None) -> None:
        """``written``: what the person had written until then, None when that is nothing new."""
        super().__init__(words)
        self.written = written


class AlgorithmFailed(LocalError):
    """What orders the timeline does not do what it should; `--algorithm chronological` always does."""


class ArchiveDamaged(TreeError):
    """Not a tar archive, or not a whole one."""


class Interrupted(MauError):
    """Interrupted by a signal; what was finished stays."""

    exit_code = 130


class EditorInterrupted(Interrupted):
    """Told to end while the editor was open; nothing is published, and the text is kept."""

    def __init__(self, words: str = "", written: bytes | None = None) -> None:
        """``written``: what the person had written until then, None when that is nothing new."""
        super().__init__(words)
        self.written = written
