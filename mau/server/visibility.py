"""Which files of an author a visitor may read: the rules of spec/http.yaml, section "Who may read". Pure.

The decision has two looks. The first needs only the head of the file, the second what its signature states;
opening a message costs a hundred times more, so it is done once for each content, and only for files that the
visitor would otherwise get. What it costs to turn a visitor away says nothing about what a file holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from mau.acceptance import HIDDEN
from mau.content.binding import PUBLIC, Audience
from mau.fingerprint import Fingerprint
from mau.openpgp import Kind
from mau.tree.names import PRIVATE_NAMES

Relay = Literal["none", "friends", "public"]
RELAYS: tuple[Relay, ...] = ("none", "friends", "public")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: what the handshake proved, and what is known of that person here."""

    fingerprint: Fingerprint | None
    keyids: frozenset[bytes] = frozenset()
    """The encryption keys of which this person, and nobody else, is the holder (8 bytes each)."""
    friend: bool = False
    refused: bool = False
    """Blocked by the owner: there is nothing here for this person, not even what is for everybody."""


ANONYMOUS = Visitor(None)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Whose files they are, on whose host, and to whom that host passes on what others wrote."""

    author: Fingerprint
    me: Fingerprint
    relay: Relay


@dataclass(frozen=True, slots=True)
class Outline:
    """What the head of a file says: encrypted, signed only or other, and the key ids it is encrypted to."""

    kind: Kind
    recipients: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Proof:
    """What opening the file showed. ``holds``: exactly one valid signature, by the author of the shelf.

    ``name`` and ``audience`` are what he signed; None is where he stated nothing.
    """

    holds: bool
    name: str | None = None
    audience: Audience | None = None


NO_PROOF = Proof(False)


class Look(Enum):
    """What the head of a file decides about one visitor."""

    NO = 0
    YES = 1
    PROVE = 2
    """It depends on what the signature states: see second_look."""


def may_enter(shelf: Shelf, visitor: Visitor) -> bool:
    """Whether there can be anything for the visitor on this shelf. If not, it is not even looked at.

    So a stranger learns nothing about whose files are held here, not by the time an answer takes either.
    """
    if visitor.refused:
        return False
    return visitor.fingerprint == shelf.author or _passed_on(shelf, visitor) or shelf.relay == "public"


def first_look(shelf: Shelf, visitor: Visitor, name: str, outline: Outline) -> Look:
    """What can be decided without opening the file ``name``."""
    if outline.kind is Kind.OTHER or HIDDEN in outline.recipients:
        return Look.NO
    if visitor.fingerprint == shelf.author:
        return Look.YES
    if name in PRIVATE_NAMES:  # who somebody's friends are is for nobody else, whatever its recipients say
        return Look.NO
    if outline.kind is Kind.SIGNED:
        return Look.PROVE if _passed_on(shelf, visitor) or shelf.relay == "public" else Look.NO
    if visitor.keyids.isdisjoint(outline.recipients) or not _passed_on(shelf, visitor):
        return Look.NO
    return Look.PROVE if shelf.author == shelf.me else Look.YES


def second_look(shelf: Shelf, visitor: Visitor, name: str, outline: Outline, proof: Proof) -> bool:
    """Whether a file that the first look left open may be read, now that its signature was judged."""
    if not proof.holds or proof.name not in (None, name):
        return False
    if outline.kind is Kind.ENCRYPTED:
        return proof.audience is None or proof.audience == PUBLIC or visitor.fingerprint in proof.audience
    if proof.audience is None:
        # Signed, but it does not say for whom: whoever stripped the encryption off could show the same
        # bytes. Only the author's own host may claim that this is how it was meant.
        return shelf.me in (shelf.author, visitor.fingerprint)
    return proof.audience == PUBLIC and (proof.name == name or shelf.author == shelf.me)


def _passed_on(shelf: Shelf, visitor: Visitor) -> bool:
    """Whether this host gives the visitor anything of this author at all."""
    if shelf.me in (shelf.author, visitor.fingerprint):
        return True
    return shelf.relay != "none" and visitor.friend
