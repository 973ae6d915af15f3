"""SSDP: the search for UPnP routers, and what answers are believed (UPnP Device Architecture 1.1, 1.3). Pure.

Anybody on the network may answer. Believed is only who answers from the gateway's own address, with a
description on that same address: we fetch nothing from anywhere else because a packet says so.
"""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

GROUP: Final = ("239.255.255.250", 1900)
MAX_PACKET: Final = 4096
TARGETS: Final = (
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
)
_MAX_URL: Final = 512


def search(target: str, *, seconds: int = 1) -> bytes:
    """The question who is a ``target``; devices wait up to ``seconds`` before they answer."""
    host, port = GROUP
    lines = (
        "M-SEARCH * HTTP/1.1",
        f"HOST: {host}:{port}",
        'MAN: "ssdp:discover"',
        f"MX: {seconds}",
        f"ST: {target}",
    )
    return "\r\n".join((*lines, "", "")).encode()


def read_location(packet: bytes, sender: str, gateway: str) -> str | None:
    """The URL of a router's description, from an answer that ``gateway`` itself sent; None for all others."""
    if sender != gateway or len(packet) > MAX_PACKET:
        return None
    try:
        lines = packet.decode("ascii").split("\r\n")
    except UnicodeDecodeError:
        return None
    if not lines[0].startswith("HTTP/1.1 200"):
        return None
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
    }
    if fields.get("st") not in TARGETS:
        return None
    location = fields.get("location", "")
    return location if is_on(location, gateway) else None


def is_on(url: str, gateway: str) -> bool:
    """Whether a URL is plain http on the gateway's address, written as an address."""
    if len(url) > _MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
        host = ipaddress.IPv4Address(parts.hostname or "")
    except ValueError:
        return False
    return (
        parts.scheme == "http"
        and host == ipaddress.IPv4Address(gateway)
        and parts.username is None
        and parts.password is None
        and port != 0
    )
