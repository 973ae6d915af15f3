"""Settings of the server, and of whom it gives what others wrote. Pure."""

from __future__ import annotations

from typing import Any, Final, Literal

from mau.config.keys.key import Key
from mau.config.kinds import Choice, Listen, LogPlace, LoopbackListen, Whole

Relay = Literal["none", "friends", "public"]

_RELAY: Final = Choice[Relay]("none", "friends", "public")

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

KEYS: Final[tuple[Key[Any], ...]] = (
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
)
