"""Settings of what browsers are shown. Pure."""

from __future__ import annotations

from typing import Any, Final, Literal

from mau.config.keys.key import Key
from mau.config.kinds import Choice, PathText, WebListen

PlainWeb = Literal["loopback", "anywhere"]

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
    WEB_LISTEN,
    WEB_PLAIN,
    WEB_CERTIFICATE,
    WEB_KEY,
)
