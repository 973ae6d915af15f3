"""HOST:PORT, read and written: where a peer is, and where a server listens. Pure."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final, Literal

from mau.errors import AddressMalformed, InvalidFingerprint
from mau.fingerprint import Fingerprint

Address = tuple[str, int]
Scope = Literal["loopback", "link", "private", "global", "name", "nowhere"]
"""Who can mean the same machine by a host: itself, its link, its private network, everybody."""

_PORT = re.compile(r"[0-9]{1,5}")
_SITE = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?",
    re.IGNORECASE,
)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9.])?")
_ZONE = re.compile(r"[A-Za-z0-9._~+=:-]{1,15}")
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.DOTALL | re.IGNORECASE)
"""No name ends in a number, but resolvers take 127.1 and 0x7f.1 for the machine itself."""


def parse_address(text: str) -> Address:
    """Read ``HOST:PORT`` or ``[IPV6]:PORT`` as (host without brackets, port); else AddressMalformed."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
        raise AddressMalformed(f"not an address, HOST:PORT is needed: {text!r:.80}")
    if host.startswith("[") and host.endswith("]"):
        try:
            return _ipv6(host[1:-1]), int(port)
        except ValueError:
            raise AddressMalformed(f"not an IPv6 address: {host!r:.80}") from None
    if not _HOST.fullmatch(host):
        hint = " (an IPv6 address needs brackets: [::1]:PORT)" if ":" in host else ""
        raise AddressMalformed(f"not the name of a host: {host!r:.80}{hint}")
    return host.lower(), int(port)


def _ipv6(text: str) -> str:
    """One spelling for each address, so that places can be counted; ValueError.

    Only an address of a link has an interface (``fe80::1%eth0``): elsewhere it would be one more spelling.
    """
    found = ipaddress.IPv6Address(text)
    if found.scope_id is not None and not (found.is_link_local and _ZONE.fullmatch(found.scope_id)):
        raise ValueError("an interface where none belongs")
    return str(found if found.ipv4_mapped is None else found.ipv4_mapped)


def parse_listen(text: str) -> Address:
    """As `parse_address`, for where to listen: HOST may be missing, which is every address, and PORT be 0."""
    host, colon, port = text.strip().rpartition(":")
    any_port = bool(re.fullmatch("0+", port))
    parsed = parse_address(f"{host if host or not colon else 'any'}:{1 if any_port else port}")
    return (parsed[0] if host else ""), (0 if any_port else parsed[1])


def parse_web_listen(text: str) -> tuple[str, Address]:
    """As `parse_listen`, with ``http://``, ``https://`` or nothing before it: (scheme, address)."""
    scheme, found, rest = text.strip().partition("://")
    if not found:
        return "https", parse_listen(text)
    if scheme.lower() not in ("http", "https"):
        raise AddressMalformed(f"not http:// or https://: {text!r:.80}")
    return scheme.lower(), parse_listen(rest.removesuffix("/"))


def parse_loopback(text: str) -> Address:
    """As `parse_listen`, for where only this machine may ask; AddressMalformed for every other HOST."""
    host, port = parse_listen(text)
    if host.rstrip(".") == "localhost":
        host = "127.0.0.1"
    if not host or not is_loopback(host):
        raise AddressMalformed(f"for this machine only, as 127.0.0.1:{port or 9880}, not {text!r:.80}")
    return host, port


def is_site(text: str) -> bool:
    """Whether a text is meant as an address of the web."""
    return text.lstrip().lower().startswith(("https:", "http:"))


def parse_site(text: str) -> str:
    """Read the address below which posts are on the web, and end it with a slash; AddressMalformed.

    ``http://`` is for this machine only: on the way from another one, anybody could leave posts out.
    """
    text = text.strip()
    match = _SITE.fullmatch(text)
    if match is None:
        raise AddressMalformed(f"not https://HOST/... without user, query and fragment: {text!r:.80}")
    if match["scheme"].lower() == "http" and not is_loopback(match["host"].strip("[]")):
        raise AddressMalformed(f"http:// is for this machine only; say https://: {text!r:.80}")
    port = match["port"]
    if port is not None and not 0 < int(port) < 65536:
        raise AddressMalformed(f"not a port: {text!r:.80}")
    return text if text.endswith("/") else text + "/"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name, whatever is asked."""
    if host.rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_NEAR: Final = (".local", ".lan", ".home", ".internal", ".home.arpa", ".localdomain")
_NET = ipaddress.ip_network
_PRIVATE: Final = tuple(
    map(
        _NET,
        # RFC 1918, RFC 6598, RFC 4193, RFC 3879, RFC 8215.
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "fc00::/7",
            "fec0::/10",
            "64:ff9b:1::/48",
        ),
    )
)
_NOWHERE: Final = tuple(map(_NET, ("0.0.0.0/8", "240.0.0.0/4", "::/96")))
"""Nobody's; the last is what IPv4 in IPv6 once looked like (RFC 4291 2.5.5.1)."""
_TRANSLATED: Final = tuple(map(_NET, ("64:ff9b::/96", "::ffff:0:0:0/96")))
"""Networks whose last 32 bits are an IPv4 address, to which a router translates (RFC 6052, RFC 2765)."""


@lru_cache(4096)
def scope_of(host: str) -> Scope:
    """How far a host reaches, by its very text; "name" for what has to be resolved."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if is_loopback(host) or host.rstrip(".").lower().endswith(".localhost"):
            return "loopback"
        return "nowhere" if _NUMBER.fullmatch(host) else "name"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return scope_of(str(found.ipv4_mapped))
        # Somebody on the way would bring us to this IPv4 address: only one of the internet makes sense.
        carried = _carried(found)
        if carried is not None and scope_of(str(carried)) != "global":
            return "nowhere"
    if found.is_loopback:
        return "loopback"
    if found.is_link_local:
        return "link"
    if found.is_multicast or any(found in network for network in _NOWHERE):
        return "nowhere"
    # What Python calls private besides (documentation, benchmarks) is routed in laboratories.
    return "private" if any(found in network for network in _PRIVATE) else "global"


def _carried(found: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address in one of 6to4 (RFC 3056), Teredo (RFC 4380) or of a translator."""
    if found.teredo is not None:
        return found.teredo[1]
    if any(found in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.sixtofour


def is_far(host: str) -> bool:
    """Whether a host means the same from everywhere: no network's own name, and no way through a relay."""
    if "@" in host:
        return False
    scope = scope_of(host)
    return scope == "global" or (scope == "name" and "." in host and not host.rstrip(".").endswith(_NEAR))


def believable(host: str, teller: str) -> bool:
    """Whether somebody at ``teller`` can know of ``host``: nobody on the internet knows our network."""
    order = {"global": 0, "name": 0, "private": 1, "link": 2, "loopback": 3}
    scope = scope_of(host)
    return scope in order and order[scope] <= order.get(scope_of(teller), 0)


@lru_cache(1 << 15)
def prefixes(host: str) -> tuple[str, str]:
    """The narrow and the wide network of a host, as keys: /24 and /16 of IPv4, /48 and /32 of IPv6.

    Of a name: its last two labels, and all names together.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return f"name {'.'.join(host.rstrip('.').split('.')[-2:])}", "names"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    bits = address.packed
    if isinstance(address, ipaddress.IPv4Address):
        return f"{bits[:3].hex()}/24", f"{bits[:2].hex()}/16"
    return f"{bits[:6].hex()}/48", f"{bits[:4].hex()}/32"


def circuit(relay: Fingerprint, address: Address) -> Address:
    """What stands for an address where somebody is reached through a circuit relay that is at ``address``.

    Everything that tries addresses tries this one as any other (spec/circuit.md R1).
    """
    return f"{relay.hex}@{format_address(address)}", 0


def circuit_of(host: str) -> tuple[Fingerprint, Address] | None:
    """The circuit relay and where it is, of a host that was made by `circuit`; None of any other."""
    relay, at, address = host.partition("@")
    if not at:
        return None
    try:
        return Fingerprint.parse(relay), parse_address(address)
    except (InvalidFingerprint, AddressMalformed):
        return None


def format_address(address: Address) -> str:
    """The text of an address, with brackets around IPv6; of one through a relay RELAY@HOST:PORT."""
    host, port = address
    if "@" in host:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
