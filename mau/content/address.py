"""Addresses: what a person, a post and a version of it are called inside documents (spec/messages.md M1-M6).

    mau:/p2p/FPR                              a person
    mau:/p2p/FPR/NAME.pgp                     a post
    mau:/p2p/FPR/NAME.pgp.version/SHA256      one version of it
    mau://HOST:PORT/p2p/FPR/...               the same thing, with a hint where to ask

Inside a document of FPR the base is ``mau:/p2p/FPR/``. Everything here is pure; two spellings of one address
become equal `Address` values, so nothing else ever compares the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from mau.errors import AddressMalformed
from mau.fingerprint import Fingerprint
from mau.hostport import format_address, parse_address

PUBLIC_IRI = "https://www.w3.org/ns/activitystreams#Public"

_PERSON = "mau:/p2p/"
_VERSION = ".version"  # appended to a post's name, the sha256 is the next segment
_SEGMENT_SAFE = "-._~!$&'()*+,;=:@"  # RFC 3986 pchar without the percent sign

# RFC 3986 appendix B, written out because urllib.parse drops control characters before it looks.
_PARTS = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_FPR = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# What no IRI may hold unescaped (RFC 3987 section 2.2): controls, space, delimiters; and lone surrogates.
_FORBIDDEN = re.compile(r"""[\x00-\x20\x7f-\x9f<>"{}|\\^`\ud800-\udfff]""")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_AUTHORITY = re.compile(r"[A-Za-z0-9.\-_~:%\[\]]*")
# By far the most frequent spelling, recognised in one step; every other one takes the long way.
_PLAIN = re.compile(r"mau:/p2p/([0-9a-f]{40})(?:/([A-Za-z0-9_-][A-Za-z0-9._-]*))?")


@dataclass(frozen=True, slots=True)
class Address:
    """What an address names: a person (no name), a post, or one version of a post.

    `name` is the whole file name with ``.pgp``, decoded; `version` is a lower-case sha256 in hex.
    """

    author: Fingerprint
    name: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        if self.name is None:
            return person_iri(self.author)
        iri = post_iri(self.author, self.name)
        return iri if self.version is None else f"{iri}{_VERSION}/{self.version}"


def person_iri(author: Fingerprint) -> str:
    """``mau:/p2p/FPR``."""
    return _PERSON + author.hex


def located_iri(author: Fingerprint, address: tuple[str, int]) -> str:
    """``mau://HOST:PORT/p2p/FPR``: a person, with the place where to ask."""
    return f"mau://{format_address(address)}/p2p/{author.hex}"


def location_of(text: str) -> tuple[str, int] | None:
    """The place that an address names as where to ask; None when it names none. AddressMalformed."""
    parts = _PARTS.fullmatch(text)
    if parts is None or (parts[1] or "").lower() != "mau" or not parts[2]:
        return None
    return parse_address(parts[2])


def post_iri(author: Fingerprint, name: str) -> str:
    """``mau:/p2p/FPR/NAME.pgp``, the name percent-encoded as UTF-8, so the whole is ASCII without spaces."""
    return f"{_PERSON}{author.hex}/{quote(name, safe=_SEGMENT_SAFE)}"


def base_iri(author: Fingerprint) -> str:
    """The base against which relative addresses in a document of `author` resolve: ``mau:/p2p/FPR/``."""
    return f"{_PERSON}{author.hex}/"


def resolve_iri(text: str, base_author: Fingerprint) -> Address | None:
    """Read an address as it stands in a document of `base_author`.

    None means that it is an address of something else (the web, another scheme, a blank node). Text that is
    an address of Mau, but a broken one, raises AddressMalformed.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is not None and not text.endswith(_VERSION):
        return Address(Fingerprint(bytes.fromhex(plain[1])), plain[2])
    if text.startswith("_:"):
        return None
    parts = _PARTS.fullmatch(text)
    if parts is None:  # pragma: no cover - the pattern matches every text
        raise AddressMalformed(f"not an address: {text!r:.80}")
    scheme, authority, path, query, fragment = parts.groups()
    if scheme is not None and scheme.lower() != "mau":
        if _SCHEME.fullmatch(scheme):
            return None
        raise AddressMalformed(f"not an address: {text!r:.80}")
    if _FORBIDDEN.search(text) or _BAD_ESCAPE.search(text):
        raise AddressMalformed(f"an address holds characters that must be percent-encoded: {text!r:.80}")
    if query is not None or fragment is not None:
        raise AddressMalformed(f"an address of Mau has no query and no fragment: {text!r:.80}")
    if authority is not None and not _AUTHORITY.fullmatch(authority):
        raise AddressMalformed(f"not HOST:PORT in an address: {text!r:.80}")
    if scheme is None and authority is None and not path.startswith("/"):
        path = f"/p2p/{base_author.hex}/{path}"
    if scheme is None:
        path = _without_dots(path)
    return _from_path(path, text)


def _without_dots(path: str) -> str:
    """Remove ``.`` and ``..`` segments from an absolute path (RFC 3986 section 5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")
    for position, segment in enumerate(segments):
        last = position == len(segments) - 1
        if segment in {".", ".."}:
            if segment == ".." and len(kept) > 1:
                kept.pop()
            if last:
                kept.append("")
        else:
            kept.append(segment)
    return "/".join(kept)


def _from_path(path: str, text: str) -> Address:
    match path.split("/"):
        case ["", "p2p", fpr] | ["", "p2p", fpr, ""] if _FPR.fullmatch(fpr):
            return Address(Fingerprint(bytes.fromhex(fpr)))
        case ["", "p2p", fpr, name] if _FPR.fullmatch(fpr):
            return Address(Fingerprint(bytes.fromhex(fpr)), _decode(name, text))
        case ["", "p2p", fpr, name, version] if _FPR.fullmatch(fpr) and _SHA256.fullmatch(version):
            decoded = _decode(name, text)
            if decoded.endswith(_VERSION) and len(decoded) > len(_VERSION):
                return Address(Fingerprint(bytes.fromhex(fpr)), decoded.removesuffix(_VERSION), version)
    raise AddressMalformed(f"not an address of a person or a post: {text!r:.120}")


def _decode(segment: str, text: str) -> str:
    try:
        name = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise AddressMalformed(f"an address that is not UTF-8: {text!r:.80}") from None
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise AddressMalformed(f"no file can have the name in this address: {text!r:.80}")
    return name
