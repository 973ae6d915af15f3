"""The one table of everything that can be set (spec/config.md C5). Pure.

A setting has one name everywhere: ``server.listen`` in the file is ``MAU_SERVER_LISTEN`` in the environment
and ``--listen`` of `mau serve`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypeVar

from mau.config.kinds import (
    Audience,
    Choice,
    Command,
    Kind,
    Listen,
    LogPlace,
    LoopbackListen,
    PathText,
    Size,
    Switch,
    WebListen,
    Whole,
)
from mau.errors import ConfigError, InvalidFingerprint
from mau.fingerprint import Fingerprint

T = TypeVar("T")
Relay = Literal["none", "friends", "public"]
PlainWeb = Literal["loopback", "anywhere"]
Received = Literal["version", "remove", "ignore"]

PREFIX: Final = "MAU_"


@dataclass(frozen=True, slots=True)
class Key(Generic[T]):
    """One setting. ``default`` None: ``otherwise`` says what holds then."""

    name: str
    kind: Kind[T]
    default: T
    meaning: str
    option: str
    otherwise: str = ""

    @property
    def variable(self) -> str:
        """The environment variable of the same name."""
        return PREFIX + self.name.upper().replace(".", "_")


_RELAY: Final = Choice[Relay]("none", "friends", "public")

DIR: Final[Key[str | None]] = Key(
    "dir",
    PathText(),
    None,
    "the directory tree to work in where the current directory holds none",
    "--dir",
    "~/Mau",
)
PASSPHRASE_FILE: Final[Key[str | None]] = Key(
    "passphrase.file",
    PathText(),
    None,
    "the file whose first line is the passphrase",
    "--passphrase-file",
    "the system's keyring or the terminal is asked",
)
PASSPHRASE_COMMAND: Final[Key[str | None]] = Key(
    "passphrase.command",
    Command(),
    None,
    "the command whose first line of output is the passphrase",
    "--passphrase-command",
    "the system's keyring or the terminal is asked",
)
POST_AUDIENCE: Final[Key[tuple[str, ...] | None]] = Key(
    "post.audience",
    Audience(),
    None,
    "for whom a post is when no option says it; never everybody",
    "post --to, --friends, --me",
    "it is asked on a terminal, and an error elsewhere",
)
DELETE_RECEIVED: Final[Key[Received]] = Key(
    "delete.received",
    Choice[Received]("version", "remove", "ignore"),
    "version",
    "what becomes of a post that its author deleted: it becomes a version, it goes for good, or it stays",
    "",
)
DELETE_ON_RM: Final[Key[bool]] = Key(
    "delete.on_rm",
    Switch(),
    False,
    "whether removing a post of yours by hand tells those who could read it, as mau delete does",
    "",
)
SYNC_ASK_FRIENDS: Final[Key[bool]] = Key(
    "sync.ask_friends",
    Switch(),
    True,
    "whether friends are asked for the posts of one who is away, which tells them whom you follow",
    "",
)
SYNC_MAX_FILE: Final[Key[int]] = Key(
    "sync.max_file",
    Size(),
    1 << 30,
    "the largest file that is fetched by itself; 0 is no limit",
    "",
)
SYNC_QUOTA: Final[Key[int]] = Key(
    "sync.quota",
    Size(),
    10 << 30,
    "the most that is held of one person you follow, older versions included; 0 is no limit",
    "",
)
SYNC_QUOTA_FILES: Final[Key[int]] = Key(
    "sync.quota_files",
    Whole(1, 10**9, off=True),
    200_000,
    "the most files and versions that are held of one person you follow; 0 is no limit",
    "",
)
SYNC_TREE_QUOTA: Final[Key[int]] = Key(
    "sync.tree_quota",
    Size(),
    100 << 30,
    "the most that is held of everybody you follow together; 0 is no limit",
    "",
)
SYNC_FREE: Final[Key[int]] = Key(
    "sync.free",
    Size(),
    256 << 20,
    "what stays free on the disk, whoever wants to be fetched",
    "",
)
SERVER_LISTEN: Final[Key[str]] = Key(
    "server.listen",
    Listen(),
    ":8880",
    "where the server listens; no HOST is every address of this machine, port 0 any free port",
    "serve --listen",
)
SERVER_RELAY: Final[Key[Relay]] = Key(
    "server.relay",
    _RELAY,
    "friends",
    "whom to give what others wrote: nobody; friends of yours who may read it; or to anyone what is public",
    "serve --relay",
)
SERVER_BYTES_PER_SECOND: Final[Key[int]] = Key(
    "server.bytes_per_second",
    Whole(1_000, 10**12, off=True),
    0,
    "the most that one visitor is sent; 0 is no limit",
    "serve --bytes-per-second",
)
SERVER_ACCESS_LOG: Final[Key[str | None]] = Key(
    "server.access_log",
    LogPlace(),
    None,
    "the file that gets a line of JSON for each request",
    "serve --access-log",
    "none is written",
)
SERVER_METRICS: Final[Key[str | None]] = Key(
    "server.metrics",
    LoopbackListen(),
    None,
    "where /healthz and /metrics (Prometheus) are answered, for this machine only",
    "serve --metrics",
    "they are not answered",
)
SERVER_CONNECTIONS: Final[Key[int]] = Key(
    "server.connections",
    Whole(8, 100_000),
    512,
    "connections that may be open at once, half of them for friends only",
    "",
)
SERVER_CONNECTIONS_PER_ADDRESS: Final[Key[int]] = Key(
    "server.connections_per_address",
    Whole(1, 100_000),
    64,
    "connections that may be open at once from one address",
    "",
)
SERVER_FRIEND_REQUESTS: Final[Key[int]] = Key(
    "server.friend_requests_per_second",
    Whole(1, 1_000_000),
    500,
    "requests of one friend, in the long run; a hundred times as many at once",
    "",
)
SERVER_STRANGER_REQUESTS: Final[Key[int]] = Key(
    "server.stranger_requests_per_second",
    Whole(1, 1_000_000),
    50,
    "requests of one who proves a fingerprint that is no friend's; twenty times as many at once",
    "",
)
SERVER_ANONYMOUS_REQUESTS: Final[Key[int]] = Key(
    "server.anonymous_requests_per_second",
    Whole(1, 1_000_000),
    20,
    "requests from one address of those who prove nothing; 25 times as many at once",
    "",
)
RELAY_OF: Final[Key[Relay | None]] = Key(
    "relay.FPR",
    _RELAY,
    None,
    "the same for what one author wrote, whose fingerprint is FPR",
    "",
    "server.relay",
)
WEB_LISTEN: Final[Key[str | None]] = Key(
    "web.listen",
    WebListen(),
    None,
    "where to show your public posts to browsers; http:// is without TLS",
    "serve --web-listen",
    "they are not shown to browsers",
)
WEB_PLAIN: Final[Key[PlainWeb]] = Key(
    "web.plain",
    Choice[PlainWeb]("loopback", "anywhere"),
    "loopback",
    "where http:// may listen; anywhere is for a proxy on another machine that does TLS",
    "serve --web-plain",
)
WEB_CERTIFICATE: Final[Key[str | None]] = Key(
    "web.certificate",
    PathText(),
    None,
    "the certificate for browsers with its chain, in PEM; together with web.key",
    "serve --web-certificate",
    "one is made, which browsers warn of",
)
WEB_KEY: Final[Key[str | None]] = Key(
    "web.key",
    PathText(),
    None,
    "the private key of web.certificate, in PEM without a passphrase",
    "serve --web-key",
    "one is made, which browsers warn of",
)

KEYS: Final[tuple[Key[Any], ...]] = (
    DIR,
    PASSPHRASE_FILE,
    PASSPHRASE_COMMAND,
    POST_AUDIENCE,
    DELETE_RECEIVED,
    DELETE_ON_RM,
    SYNC_ASK_FRIENDS,
    SYNC_MAX_FILE,
    SYNC_QUOTA,
    SYNC_QUOTA_FILES,
    SYNC_TREE_QUOTA,
    SYNC_FREE,
    SERVER_LISTEN,
    SERVER_RELAY,
    SERVER_BYTES_PER_SECOND,
    SERVER_ACCESS_LOG,
    SERVER_METRICS,
    SERVER_CONNECTIONS,
    SERVER_CONNECTIONS_PER_ADDRESS,
    SERVER_FRIEND_REQUESTS,
    SERVER_STRANGER_REQUESTS,
    SERVER_ANONYMOUS_REQUESTS,
    RELAY_OF,
    WEB_LISTEN,
    WEB_PLAIN,
    WEB_CERTIFICATE,
    WEB_KEY,
)
"""In the order in which they are shown."""

EXCLUSIVE: Final[tuple[Key[Any], ...]] = (PASSPHRASE_FILE, PASSPHRASE_COMMAND)
"""Of these at most one stands in one place."""

_RELAY_SECTION: Final = "relay"
_FIXED: Final = {key.name: key for key in KEYS if key is not RELAY_OF}
SECTIONS: Final = frozenset(key.name.partition(".")[0] for key in KEYS if "." in key.name)
"""The names of tables in the file."""


def relay_of(author: Fingerprint) -> Key[Relay | None]:
    """The setting for one author."""
    name = f"{_RELAY_SECTION}.{author.hex}"
    return Key(name, RELAY_OF.kind, None, RELAY_OF.meaning, RELAY_OF.option, RELAY_OF.otherwise)


def author_of(name: str) -> Fingerprint | None:
    """The author whom a setting is for, if it is one of `relay_of`."""
    section, _, author = name.partition(".")
    return Fingerprint.parse(author) if section == _RELAY_SECTION else None


def find_key(parts: Iterable[str], place: str = "") -> Key[Any]:
    """The setting of that name, in the parts between its dots; ConfigError names the nearest right one.

    A fingerprint may be written in any of the usual spellings. ``place`` begins the message.
    """
    words = tuple(parts)
    match words:
        case (section, author) if section == _RELAY_SECTION:
            try:
                return relay_of(Fingerprint.parse_loose(author))
            except InvalidFingerprint:
                raise ConfigError(
                    f"{place}{_RELAY_SECTION}.{author!r:.80}: an author is named by the 40 hex digits of the "
                    "fingerprint; `mau friend list` shows them"
                ) from None
        case (_,) | (_, _) if (key := _FIXED.get(".".join(words))) is not None and "." not in words[-1]:
            return key
    name = ".".join(words)
    if any("." in word for word in words):
        raise ConfigError(
            f"{place}there is no setting {name!r:.80}; a name with dots is written without quotes"
        )
    raise ConfigError(f"{place}there is no setting {name!r:.80}{nearest(name, [key.name for key in KEYS])}")


def find_variable(variable: str) -> Key[Any] | None:
    """The setting that an environment variable stands for; None when the variable is not one of ours.

    Whatever begins like the settings of a section must be one of them (ConfigError): a misspelt one would
    silently do nothing.
    """
    for key in _FIXED.values():
        if key.variable == variable:
            return key
    section, _, rest = variable.removeprefix(PREFIX).partition("_")
    if not variable.startswith(PREFIX) or not rest or section.lower() not in SECTIONS:
        return None
    if section.lower() == _RELAY_SECTION:
        return find_key((_RELAY_SECTION, rest), f"{variable[:80]!r}: ")
    hint = nearest(variable, [key.variable for key in KEYS])
    raise ConfigError(f"there is no setting {variable!r:.80} in the environment{hint}")


def nearest(name: str, names: Iterable[str]) -> str:
    """The words that name the right one: "; did you mean x?", or a list when nothing is near."""
    folded = {_fold(one): one for one in names}
    found = difflib.get_close_matches(_fold(name), folded, n=1, cutoff=0.5)
    if found:
        return f"; did you mean {folded[found[0]]}?"
    return f"; there are {', '.join(folded.values())}"


def _fold(name: str) -> str:
    return name.casefold().replace("_", ".").replace("-", ".")
