"""What a check can find, in words, and what to do about it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from mau.fingerprint import Fingerprint

Kind = Literal[
    "account",
    "keyring",
    "key",
    "mode",
    "stray",
    "name",
    "clash",
    "leftover",
    "version-name",
    "renamed",
    "half-saved",
    "deleted",
    "damaged",
    "unread",
    "older",
    "unproven",
    "index",
]


@dataclass(frozen=True, slots=True)
class Description:
    """A kind in words. `repair`: what `--repair` does about it, as a question; "" when it does nothing."""

    title: str
    advice: str
    repair: str = ""


KINDS: Final[dict[Kind, Description]] = {
    "account": Description(
        "the account file cannot be used",
        "bring it back from a backup: mau restore FILE; without it nothing can be read",
    ),
    "keyring": Description(
        "the statement of who your friends are cannot be believed",
        "look with mau friend list, then mau friend confirm --all, or one by one",
    ),
    "key": Description(
        "key files and the statement of who your friends are disagree",
        "mau friend confirm WHO makes it true, mau friend remove WHO ends it; a file that is damaged or gone "
        "comes back with mau friend add or mau restore",
    ),
    "mode": Description(
        "others on this machine can read or change it",
        "mau fsck --repair closes it, or chmod go= does",
        "Close them to others?",
    ),
    "stray": Description(
        "something is in the place of a file or directory: a link, a pipe, a device",
        "move it away; it is never followed",
    ),
    "name": Description(
        "no post can be called so",
        "rename it; until then it is neither listed nor served",
    ),
    "clash": Description(
        "two names differ by case or normal form only",
        "rename one of them: other machines may hold one file only",
    ),
    "leftover": Description(
        "left by a program that was cut off",
        "mau fsck --repair finishes what was begun; so does the next mau serve or mau up",
        "Finish what was cut off, and remove what it left?",
    ),
    "version-name": Description(
        "an older content is not called by its sha256",
        "mau fsck --repair gives it its right name",
        "Give them their right names?",
    ),
    "renamed": Description(
        "a post of yours that was renamed by hand; it is not published",
        "mau fsck --repair signs it anew under its name, or rename it back",
        "Sign them anew under the names that they have?",
    ),
    "half-saved": Description(
        "a file of yours that is no signed post; it is not published",
        "write it again with mau post or mau share, or take the .pgp off its name",
    ),
    "deleted": Description(
        "a post of yours that is there although you deleted it; it is not published",
        "mau fsck --repair takes the delete back, or remove it once more with mau delete",
        "Take the deletes back, so that they are published again?",
    ),
    "damaged": Description(
        "what somebody wrote does not hold any more",
        "mau fsck --repair makes it an older version, and mau sync WHO --full fetches the true one",
        "Move them to the versions, so that they can be fetched again?",
    ),
    "unread": Description(
        "it cannot be read, or there is no room to look into it",
        "mau doctor says whether the disk has room; then check again. A disk that fails has to be replaced",
    ),
    "older": Description(
        "an older content that does not hold",
        "it is kept in case that something of it can be saved; remove the file when you want it no more",
    ),
    "unproven": Description(
        "it does not hold as far as is known now",
        "a newer copy of a key may prove it, or those whom it is for; nothing needs to be done",
    ),
    "index": Description(
        "the index has another sum of it, though nothing says that it was changed",
        "mau fsck --repair reads it again; when it comes back, look at the disk",
        "Read them into the index again?",
    ),
}
"""In the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found: where in the tree, and what is the matter there.

    `author`, `hidden` and `name` say of which post, `sha256` of which content of it, for whoever repairs it.
    """

    kind: Kind
    path: str
    words: str
    author: Fingerprint | None = None
    hidden: bool = False
    name: str = ""
    sha256: str = ""

    @property
    def repairable(self) -> bool:
        """Whether something can be done about it here."""
        return bool(KINDS[self.kind].repair)


def counted(findings: Iterable[Finding]) -> dict[Kind, int]:
    """How many of each kind, in the order in which they are told."""
    counts = Counter(finding.kind for finding in findings)
    return {kind: counts[kind] for kind in KINDS if counts[kind]}
