"""The link that introduces somebody: fingerprint, name, addresses, token (spec/finding.md N70-N75). Pure.

    mau://HOST:PORT/p2p/FPR?name=...&at=HOST:PORT&via=RELAY@HOST:PORT&invite=TOKEN

Nothing in it is proven. The fingerprint is what is asked for, the addresses are places to try, and the name
is what whoever wrote the link calls that person.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote, unquote_to_bytes

from mau.content.address import located_iri, location_of, person_iri, resolve_iri
from mau.errors import AddressMalformed, InvalidFingerprint, LinkMalformed
from mau.fingerprint import Fingerprint
from mau.hostport import Address, format_address, parse_address

MAX_LINK: Final = 2000
"""Characters of a whole link."""
MAX_ADDRESSES: Final = 8
MAX_RELAYS: Final = 4
MAX_NAME: Final = 80
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What no IRI may hold unescaped (RFC 3987 section 2.2).
_FORBIDDEN: Final = re.compile(r"""[\x00-\x20\x7f-\x9f<>"{}|\\^`\ud800-\udfff]""")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS: Final = "\u200c\u200d"  # Persian and Indic names and emoji need them
_SAFE: Final = "-._~:@"
_NOBODY: Final = Fingerprint(bytes(20))

_T = TypeVar("_T")
Via = tuple[Fingerprint, Address]
"""A circuit relay, and where it is."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says. ``name`` is a claim, and "" when there is none; the best address stands first."""

    fingerprint: Fingerprint
    name: str = ""
    addresses: tuple[Address, ...] = ()
    relays: tuple[Via, ...] = ()
    token: str | None = None


def is_link(text: str) -> bool:
    """Whether a word can only be meant as a link."""
    return text.lstrip()[:4].lower() == "mau:"


def is_token(text: str) -> bool:
    """Whether a text has the form of a token: 128 bits in base64url (RFC 4648 section 5), unpadded."""
    return _TOKEN.fullmatch(text) is not None


def clean_name(text: str) -> str:
    """A name as it may be shown: NFC, single blanks, nothing that cannot be seen or turns the direction."""
    seen = "".join(
        character
        for character in unicodedata.normalize("NFC", " ".join(text.split()))
        if character in _JOINERS or unicodedata.category(character) not in _UNSEEN
    )
    return " ".join(seen.split())


def format_link(link: Link) -> str:
    """The link as ASCII, percent-encoded (RFC 3986); LinkMalformed when it says more than one may."""
    first, *others = link.addresses or (None,)
    iri = person_iri(link.fingerprint) if first is None else located_iri(link.fingerprint, first)
    fields = [("name", link.name)] if link.name else []
    fields += [("at", format_address(one)) for one in others if one is not None]
    fields += [("via", f"{relay.hex}@{format_address(at)}") for relay, at in link.relays]
    fields += [("invite", link.token)] if link.token is not None else []
    query = "&".join(f"{field}={quote(value, safe=_SAFE)}" for field, value in fields)
    text = f"{iri}?{query}" if query else iri
    if parse_link(text) != link:
        raise LinkMalformed("a link cannot say that")
    return text


def parse_link(text: str) -> Link:
    """Read a link; LinkMalformed for everything that is none. Fields of other names mean nothing."""
    text = text.strip()
    if not is_link(text):
        raise LinkMalformed(f"not a link, which begins with mau: {text!r:.80}")
    if len(text) > MAX_LINK:
        raise LinkMalformed(f"a link has at most {MAX_LINK:,} characters")
    if _FORBIDDEN.search(text) or _BAD_ESCAPE.search(text) or "#" in text:
        raise LinkMalformed("a link holds characters that must be percent-encoded; was it cut?")
    iri, _, query = text.partition("?")
    try:
        place, person = location_of(iri), resolve_iri(iri, _NOBODY)
    except AddressMalformed as error:
        raise LinkMalformed(f"not a link to a person: {error}") from None
    if person is None or person.name is not None:
        raise LinkMalformed("that is the address of a post, not a link to a person")
    fields = [_field(part) for part in query.split("&") if part]
    addresses = [] if place is None else [place]
    addresses += [_address(value) for name, value in fields if name == "at"]
    relays = [_relay(value) for name, value in fields if name == "via"]
    return Link(
        person.author,
        clean_name(_only(fields, "name", MAX_NAME) or ""),
        _few(addresses, MAX_ADDRESSES, "addresses"),
        _few(relays, MAX_RELAYS, "relays"),
        _token(_only(fields, "invite", MAX_LINK)),
    )


def _field(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    try:
        return unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise LinkMalformed("a link that is not UTF-8") from None


def _only(fields: list[tuple[str, str]], wanted: str, most: int) -> str | None:
    values = [value for name, value in fields if name == wanted]
    if len(values) > 1:
        raise LinkMalformed(f"a link says {wanted} once")
    if values and len(values[0]) > most:
        raise LinkMalformed(f"{wanted} has at most {most} characters in a link")
    return values[0] if values else None


def _address(text: str) -> Address:
    try:
        return parse_address(text)
    except AddressMalformed as error:
        raise LinkMalformed(f"a link to a place that is none: {error}") from None


def _relay(text: str) -> Via:
    relay, _, where = text.partition("@")
    try:
        return Fingerprint.parse(relay), _address(where)
    except InvalidFingerprint:
        raise LinkMalformed("a link names a relay that is none: FPR@HOST:PORT is needed") from None


def _few(found: list[_T], most: int, what: str) -> tuple[_T, ...]:
    several = tuple(dict.fromkeys(found))
    if len(several) > most:
        raise LinkMalformed(f"a link has at most {most} {what}")
    return several


def _token(text: str | None) -> str | None:
    if text is not None and not is_token(text):
        raise LinkMalformed("the invite in the link is not whole; was it cut?")
    return text
