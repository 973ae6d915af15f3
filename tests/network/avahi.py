"""Debian's avahi on a host of a test: the other program that must see what we announce."""

from __future__ import annotations

from pathlib import Path

from tests.network.netns import Host
from tests.network.process import Process

_BUS = "/run/bus"  # the host's own /run
_BUS_CONFIG = f"""<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type><listen>unix:path={_BUS}</listen><auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
    <allow send_type="method_return"/><allow send_type="error"/><allow receive_type="method_call"/>
    <allow receive_type="signal"/><allow receive_type="method_return"/><allow receive_type="error"/>
  </policy>
</busconfig>
"""
_CONFIG = """[server]
host-name=box
use-ipv4=yes
use-ipv6=yes
[wide-area]
enable-wide-area=no
[publish]
publish-workstation=no
publish-hinfo=no
"""


class Avahi:
    """avahi-daemon with a bus of its own."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={_BUS}"}
        bus, config = host.home / "bus.conf", host.home / "avahi.conf"
        bus.write_text(_BUS_CONFIG)
        config.write_text(_CONFIG)
        words = [f"--config-file={bus}", "--nofork", "--nopidfile", "--print-address"]
        host.start(["dbus-daemon", *words]).expect("unix:path")
        self.daemon = host.start(
            [_daemon(), "--no-drop-root", "--no-chroot", "--no-rlimits", "--no-proc-title", "-f", config],
            env=self._env,
        )
        self.daemon.expect("Server startup complete")

    def browse(self) -> list[list[str]]:
        """The fields of what ``avahi-browse -rpt`` prints of the resolved services."""
        done = self._host.run(["avahi-browse", "-rpt", "_mau._tcp"], env=self._env)
        return [line.split(";") for line in done.text.splitlines() if line.startswith("=")]

    def publish(self, label: str, port: int) -> Process:
        """Announce a service until the process is ended."""
        words = ["-s", label, "_mau._tcp", str(port), "v=1"]
        process = self._host.start(["avahi-publish", *words], env=self._env)
        process.expect("Established")
        return process


def _daemon() -> str:
    """Where Debian puts what only root runs; not on everybody's PATH."""
    place = Path("/usr/sbin/avahi-daemon")
    return str(place) if place.exists() else "avahi-daemon"
