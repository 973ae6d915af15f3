"""A router with Debian's miniupnpd in it: UPnP, NAT-PMP and PCP as homes have them."""

from __future__ import annotations

from tests.network.netns import Router
from tests.network.process import Process


def start_miniupnpd(
    router: Router, *, upnp: bool = True, pmp: bool = True, port: int = 5000, more: str = ""
) -> Process:
    """Start it and wait until it listens; ``pmp``: NAT-PMP and PCP, which the program has at one port."""
    lines = [
        "ext_ifname=wan",
        "ext_ifname6=wan",
        "listening_ip=lan",
        f"http_port={port}",
        f"enable_upnp={'yes' if upnp else 'no'}",
        f"enable_natpmp={'yes' if pmp else 'no'}",
        "min_lifetime=2",
        "max_lifetime=86400",
        "secure_mode=yes",
        "system_uptime=no",
        f"uuid=6275e801-72ba-49f5-a065-{router.namespace.encode().hex()[-12:]:0>12}",
        "allow 1024-65535 0.0.0.0/0 1024-65535",
        "deny 0-65535 0.0.0.0/0 0-65535",
        more,
    ]
    config = router.home / "miniupnpd.conf"
    config.write_text("\n".join(lines) + "\n")
    daemon = router.start(["miniupnpd", "-d", "-f", config, "-P", router.home / "miniupnpd.pid"])
    daemon.expect("Listening for NAT-PMP" if pmp else "HTTP listening")
    return daemon
