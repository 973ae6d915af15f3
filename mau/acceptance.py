"""Whether a piece that somebody brought may be believed, and whether it replaces what is held.

Pure: no clock, no disk, no keys. The rules are numbered in spec/messages.md (M30-M49); each way out is one
`PostError`, whose `lasting` says whether the reason lies in the bytes, in this source, or may pass.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal

from mau.content.binding import Public, Statement
from mau.errors import FromTheFuture, Leaked, Renamed, RolledBack, UnboundFromRelay
from mau.fingerprint import Fingerprint

MAX_AHEAD = 30 * 60  # seconds that a signature may lie ahead of this clock
HIDDEN = bytes(8)
"""The key id of a recipient who is not named, so that nobody can check for whom it really is."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One opened and verified file, as it was brought.

    `name` is the whole file name it came under, `signed_at` unix seconds, `recipients` the key ids in its
    head in their order, `statement` what `content.binding.read_statement` read in it.
    """

    author: Fingerprint
    name: str
    sha256: str
    size: int
    signed_at: int
    encrypted: bool
    recipients: tuple[bytes, ...]
    statement: Statement


@dataclass(frozen=True, slots=True)
class Held:
    """What lies under the name now; `signed_at` is None when it does not open."""

    sha256: str
    signed_at: int | None


OwnerOf = Callable[[bytes], Fingerprint | None]
NamedBy = Callable[[str], Statement | None]


def check_piece(
    piece: Piece,
    *,
    me: Fingerprint,
    owner_of: OwnerOf,
    from_author: bool,
    now: int,
    named_by: NamedBy | None = None,
) -> Piece:
    """Check a piece by itself; what is returned is the piece with the statement that counts for it.

    `owner_of` tells whose key an id is (only owners that are certain); `from_author` says that the author's
    own proven host brought it, or that it was accepted before; `named_by` finds the bound post of the same
    author that states this sha256, for a piece that states nothing itself. Raises Leaked, Renamed,
    UnboundFromRelay or FromTheFuture, in this order: what lasts for ever comes first.
    """
    if piece.statement.name is None and piece.statement.audience is None and named_by is not None:
        stated = named_by(piece.sha256)
        if stated is not None:
            piece = replace(piece, statement=stated)
    _check_audience(piece, me, owner_of)
    name = piece.statement.name
    if name is not None and name != piece.name:
        raise Renamed(f"its author signed it as {name!r}, it came as {piece.name!r}")
    if not from_author and not piece.statement.bound and not _is_for(me, piece, owner_of):
        raise UnboundFromRelay(
            f"{piece.name!r} does not state name and audience: only its author's host may bring it"
        )
    if piece.signed_at > now + MAX_AHEAD:
        raise FromTheFuture(
            f"{piece.name!r} was signed {_ahead(piece.signed_at - now)} ahead of this clock; "
            "one of the two clocks is wrong"
        )
    return piece


def _check_audience(piece: Piece, me: Fingerprint, owner_of: OwnerOf) -> None:
    audience = piece.statement.audience
    if audience is None or isinstance(audience, Public):
        return
    if not piece.encrypted:
        raise Leaked(f"{piece.name!r} was meant for few, but is not encrypted: somebody stripped that off")
    if me not in audience:
        raise Leaked(f"{piece.name!r} was not meant for you: somebody else made it readable for you")
    for keyid in piece.recipients:
        owner = owner_of(keyid)
        if owner is not None and owner not in audience:
            raise Leaked(f"{piece.name!r} was not meant for {owner}, who can read it")


def _is_for(me: Fingerprint, piece: Piece, owner_of: OwnerOf) -> bool:
    return piece.encrypted and any(keyid == HIDDEN or owner_of(keyid) == me for keyid in piece.recipients)


def _ahead(seconds: int) -> str:
    hours = seconds // 3600
    return (
        f"{seconds // 60} minutes" if hours < 2 else f"{hours} hours" if hours < 48 else f"{hours // 24} days"
    )


def decide(
    piece: Piece, held: Held | None, versions: Collection[str], from_author: bool
) -> Literal["take", "same"]:
    """Whether a piece that `check_piece` let pass replaces what is held under its name.

    `versions` are the sha256 that were held under this name before. The author's own host is right whatever
    the signature's time; from anybody else only a later signature replaces (RolledBack), and what states no
    name and audience never does (UnboundFromRelay).
    """
    if held is not None and held.sha256 == piece.sha256:
        return "same"
    if from_author:
        return "take"
    if piece.sha256 in versions:
        raise RolledBack(f"{piece.name!r} is a content that was replaced before")
    if held is None:
        return "take"
    if not piece.statement.bound:
        raise UnboundFromRelay(f"{piece.name!r} does not state its name, so it replaces nothing")
    if held.signed_at is None or piece.signed_at <= held.signed_at:
        raise RolledBack(f"{piece.name!r} was not signed later than what is held")
    return "take"
