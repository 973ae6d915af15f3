"""What is kept of invites and of those who answered one (spec/finding.md N76-N83). Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any, Final

from mau.errors import LinkMalformed
from mau.fingerprint import Fingerprint
from mau.invite.link import Link, format_link, parse_link

TOKEN_BYTES: Final = 16
MAX_NOTE: Final = 200
_ID: Final = 8


@dataclass(frozen=True, slots=True)
class Invite:
    """An invite that was given out. ``made`` and ``expires`` in unix seconds, ``left`` of ``uses``.

    ``id``: by which its owner names it, and nobody can use it.
    """

    id: str
    made: int
    expires: int
    uses: int
    left: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody who answered an invite and waits for a word.

    ``certificate``: the guest's OpenPGP certificate, binary. ``link``: the guest's own link, if one came: a
    name that is claimed, addresses that nobody proved. ``asked`` in unix seconds; ``invite`` and ``note`` are
    those of the invite that was shown.
    """

    certificate: bytes
    asked: int
    invite: str
    note: str
    link: Link


def new_token() -> str:
    """128 random bits in base64url: 22 characters."""
    return token_urlsafe(TOKEN_BYTES)


def hashed(token: str) -> bytes:
    """What is kept of a token: of so many random bits a plain hash gives nothing away."""
    return hashlib.sha256(token.encode("ascii", "replace")).digest()


def id_of(digest: bytes) -> str:
    """What an invite is called in lists."""
    return digest.hex()[:_ID]


def dump_invite(made: int, expires: int, uses: int, note: str) -> bytes:
    """An invite as it is sealed."""
    return json.dumps([made, expires, uses, note]).encode()


def load_invite(digest: bytes, value: bytes, used: int) -> Invite | None:
    """Read one; None when it is none. ``used``: how many people showed it."""
    match _json(value):
        case [int(made), int(expires), int(uses), str(note)]:
            return Invite(id_of(digest), made, expires, uses, max(uses - used, 0), note)
    return None


def dump_request(request: Request) -> bytes:
    """A request as it is sealed."""
    facts = [
        request.certificate.hex(),
        request.asked,
        request.invite,
        request.note,
        format_link(request.link),
    ]
    return json.dumps(facts).encode()


def load_request(guest: Fingerprint, value: bytes) -> Request | None:
    """Read one; None when it is none."""
    match _json(value):
        case [str(certificate), int(asked), str(invite), str(note), str(link)]:
            try:
                found = parse_link(link)
                data = bytes.fromhex(certificate)
            except (LinkMalformed, ValueError):
                return None
            return Request(data, asked, invite, note, found) if found.fingerprint == guest else None
    return None


def _json(value: bytes) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return None
