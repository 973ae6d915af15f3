"""The paths and the listing of HTTP, in one place (spec/http.yaml).

    /p2p/FPR                              what FPR has published and the visitor may read (a slash may follow)
    /p2p/FPR?limit=N&cursor=TOKEN         a page of that
    /p2p/FPR/NAME.pgp                     one file, as it is now
    /p2p/FPR/NAME.pgp.version/SHA256      one content of it, now or earlier; ``.versions``, ``SHA256.pgp`` too
    /p2p/FPR/index.json                   on the web: the listing as a file (spec/web.md)
    /pks/lookup?op=get&search=0xFPR       the key of FPR (HKP)
    /kad/ping                             whether somebody is there
    /kad/find_peer/FPR                    which peers are near FPR, and where
    /kad/dial_back/PORT                   whether the one who asks can be reached there
    /circuit/register, /circuit/call/FPR, /circuit/answer/TOKEN
                                          connections that are passed on (spec/circuit.md)
    /invite/TOKEN                         where a guest leaves a key (spec/finding.md N78)

In paths a name is percent-encoded UTF-8; in the JSON of a listing it stands as it is.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from mau.errors import InvalidFingerprint, InvalidName
from mau.fingerprint import Fingerprint
from mau.tree.names import check_name
from mau.wire.targets import (
    WHOLE,
    AnswerTarget,
    CallTarget,
    DialBackTarget,
    FileTarget,
    InviteTarget,
    KeyTarget,
    ListTarget,
    PageQuery,
    PeersTarget,
    PingTarget,
    RegisterTarget,
    Target,
    VersionTarget,
)

ROOT = "/p2p"
KAD = "/kad"
CIRCUIT = "/circuit"
INVITE = "/invite"
SUFFIX = ".pgp"
KEY_PATH = "/pks/lookup"
MAX_PORT = 65535

_SHA256 = re.compile(r"[0-9a-f]{64}")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ORIGIN = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_KEY_SEARCH = re.compile(r"0[xX][0-9A-Fa-f]{40}")
_MAX_FIELDS = 16
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TOKEN = re.compile(r"[0-9a-f]{32}")
_INVITE_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_NUMBER = re.compile(r"[0-9]{1,18}")
PAGE_MOST = 1000
"""Items of one page, whatever was asked for."""
_VERSION_FOLDERS = (".pgp.version", ".pgp.versions")


class BadPath(ValueError):
    """Not a path of this protocol: answered with 400. The message is shown to the one who asked."""


class UnknownPath(BadPath):
    """A path where nothing can be: answered with 404."""


class UnsupportedOperation(BadPath):
    """What HKP has and we have not, such as searching by name: answered with 501."""


def list_path(author: Fingerprint) -> str:
    """The path of an author's listing."""
    return f"{ROOT}/{author.hex}"


def page_path(author: Fingerprint, page: PageQuery) -> str:
    """The path of a part of an author's listing, with its query."""
    fields = {
        "limit": page.limit,
        "cursor": page.cursor,
        "from": "newest" if page.newest else None,
        "most": page.most,
    }
    query = "&".join(f"{field}={value}" for field, value in fields.items() if value is not None)
    return f"{list_path(author)}?{query}" if query else list_path(author)


def index_path(author: Fingerprint) -> str:
    """The path of an author's listing on the web, where a file cannot be a directory too (spec/web.md)."""
    return f"{ROOT}/{author.hex}/index.json"


def file_path(author: Fingerprint, name: str) -> str:
    """The path of a file, percent-encoded; ``name`` ends in ``.pgp``."""
    return f"{ROOT}/{author.hex}/{quote(name, safe='')}"


def version_path(author: Fingerprint, name: str, sha256: str) -> str:
    """The path of one content of a file, percent-encoded, in the spelling that every implementation knows."""
    return f"{ROOT}/{author.hex}/{quote(name, safe='')}.version/{sha256}"


def key_path(owner: Fingerprint) -> str:
    """The path of somebody's key, with its query, as GnuPG asks for it."""
    return f"{KEY_PATH}?op=get&options=mr&search=0x{owner.hex}"


def ping_path() -> str:
    """The path that only asks whether somebody is there."""
    return f"{KAD}/ping"


def peers_path(wanted: Fingerprint) -> str:
    """The path of the peers nearest to somebody."""
    return f"{KAD}/find_peer/{wanted.hex}"


def dial_back_path(port: int) -> str:
    """The path that asks to be dialled back."""
    return f"{KAD}/dial_back/{port}"


def register_path() -> str:
    """The path where one waits to be called."""
    return f"{CIRCUIT}/register"


def call_path(callee: Fingerprint) -> str:
    """The path of a circuit to somebody."""
    return f"{CIRCUIT}/call/{callee.hex}"


def answer_path(token: str) -> str:
    """The path where a call is answered."""
    return f"{CIRCUIT}/answer/{token}"


def invite_path(token: str) -> str:
    """The path where a guest shows a token."""
    return f"{INVITE}/{token}"


def is_invite(raw_path: str) -> bool:
    """Whether a raw target is below the path of invites, where nothing can be got."""
    try:
        return _segments(raw_path.partition("?")[0])[:2] == ["", "invite"]
    except BadPath:
        return False


def loggable(raw_path: str) -> str:
    """What of a raw target may be written down: nothing after ``?``, and no token of an invite."""
    return f"{INVITE}/" if is_invite(raw_path) else raw_path.partition("?")[0]


def _segments(raw_path: str) -> list[str]:
    return [_decode(part) for part in _ORIGIN.sub("", raw_path, count=1).split("/")]


def parse(raw_path: str) -> Target:
    """Read the raw target of a request: percent-encoded, an origin before it accepted.

    A query belongs to the paths of keys and of listings; elsewhere it is ignored.

    Nothing is normalised: dot segments, doubled slashes and encoded separators are no spelling of anything.
    Raises BadPath, UnknownPath where the form is right but nothing can be there, or UnsupportedOperation.
    """
    path, _, query = _ORIGIN.sub("", raw_path, count=1).partition("?")
    if "#" in path:
        raise BadPath("a path has no fragment")
    if path == KEY_PATH:
        return _key_target(query)
    segments = [_decode(part) for part in path.split("/")]
    if segments[:2] == ["", "kad"]:
        return _kad_target(segments[2:])
    if segments[:2] == ["", "circuit"]:
        return _circuit_target(segments[2:])
    if segments[:2] == ["", "invite"]:
        return _invite_target(segments[2:])
    if len(segments) < 3 or segments[0] != "" or segments[1] != "p2p":
        raise UnknownPath("there is nothing here")
    author = _fingerprint(segments[2])
    match segments[3:]:
        case [] | [""]:
            return ListTarget(author, _page_query(query))
        case [name]:
            return FileTarget(author, _file_name(name))
        case [folder, version] if folder.endswith(_VERSION_FOLDERS):
            sha256 = version.removesuffix(SUFFIX)
            if not _SHA256.fullmatch(sha256):
                raise BadPath("not the SHA-256 of a version: 64 lower-case hex digits")
            return VersionTarget(author, _file_name(folder.rpartition(".version")[0]), sha256)
    raise BadPath("not a path of this protocol")


def _fingerprint(segment: str) -> Fingerprint:
    try:
        return Fingerprint.parse(segment)
    except InvalidFingerprint as error:
        raise BadPath("not a fingerprint: 40 lower-case hex digits") from error


def _kad_target(segments: list[str]) -> Target:
    match segments:
        case ["ping"]:
            return PingTarget()
        case ["find_peer", wanted]:
            return PeersTarget(_fingerprint(wanted))
        case ["dial_back", port]:
            if not re.fullmatch("[1-9][0-9]{0,4}", port) or int(port) > MAX_PORT:
                raise BadPath("not a port: 1 to 65535")
            return DialBackTarget(int(port))
    raise UnknownPath("there is nothing here")


def _circuit_target(segments: list[str]) -> Target:
    match segments:
        case ["register"]:
            return RegisterTarget()
        case ["call", callee]:
            return CallTarget(_fingerprint(callee))
        case ["answer", token]:
            if not _TOKEN.fullmatch(token):
                raise BadPath("not a token of a call")
            return AnswerTarget(token)
    raise UnknownPath("there is nothing here")


def _invite_target(segments: list[str]) -> Target:
    if len(segments) != 1 or not _INVITE_TOKEN.fullmatch(segments[0]):
        raise UnknownPath("there is nothing here")
    return InviteTarget(segments[0])


def _page_query(query: str) -> PageQuery:
    """Read which part of a listing is asked for; fields of other names mean nothing."""
    if not query:
        return WHOLE
    pairs = _fields(query)

    def only(name: str, form: re.Pattern[str]) -> str | None:
        values = [value for field, value in pairs if field == name]
        if len(values) > 1 or not all(map(form.fullmatch, values)):
            raise BadPath(f"{name} is there twice, or is none")
        return values[0] if values else None

    limit, cursor, most = only("limit", _NUMBER), only("cursor", _CURSOR), only("most", _NUMBER)
    newest = only("from", re.compile("newest")) is not None
    if limit is not None and int(limit) < 1:
        raise BadPath("a page has one item or more")
    if newest and cursor is not None:
        raise BadPath("cursor and from=newest exclude each other")
    return PageQuery(
        None if limit is None else min(int(limit), PAGE_MOST),
        cursor,
        newest,
        None if most is None else int(most),
    )


def _fields(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise BadPath("too many fields in the query") from error


def _key_target(query: str) -> KeyTarget:
    """Read what HKP asks: keys are given by whole fingerprints only; other fields than these mean nothing."""
    pairs = _fields(query)
    operations, searches = ([value for field, value in pairs if field == name] for name in ("op", "search"))
    if len(operations) != 1 or len(searches) != 1:
        raise BadPath("one op and one search are needed: op=get&search=0xFINGERPRINT")
    if operations[0] != "get":
        raise UnsupportedOperation("only op=get: keys are not searched for, nor listed")
    if not _KEY_SEARCH.fullmatch(searches[0]):
        raise UnknownPath("there is nothing here")
    return KeyTarget(Fingerprint(bytes.fromhex(searches[0][2:])))


def _decode(segment: str) -> str:
    """One segment of a path as text; bytes that are not UTF-8 and separators in disguise are refused."""
    if segment.isascii() and segment.isprintable() and "%" not in segment:
        return segment
    if _BROKEN_ESCAPE.search(segment):
        raise BadPath("a broken percent-encoding")
    try:
        # Undecodable bytes of the request line arrive as surrogate escapes.
        text = unquote_to_bytes(segment.encode("utf-8", "surrogateescape")).decode("utf-8")
    except UnicodeError as error:
        raise BadPath("not UTF-8") from error
    if "/" in text or "\0" in text:
        raise BadPath("a separator inside a name")
    return text


def _file_name(name: str) -> str:
    """A name that a file can have, or UnknownPath: there cannot be such a file."""
    if not name.endswith(SUFFIX):
        raise UnknownPath("there is nothing here")
    try:
        return check_name(name)
    except InvalidName as error:
        raise UnknownPath("there is nothing here") from error
