"""Networks of this machine's own: hosts, switches and routers, each a network namespace of the kernel.

    with Network(tmp_path) as net:
        lan = net.switch("192.168.1.0/24", "fd00:1::/64")
        alice, bob = net.host("alice"), net.host("bob")
        alice.plug(lan), bob.plug(lan)              # .2 and .3 (::2 and ::3); .1 is left to a router
        wan = net.switch("11.22.33.0/24")
        net.router("router", inside=lan, outside=wan)   # .1 in both; translates addresses to the outside
        server = alice.start_mau("serve")
        server.expect("listening")
        bob.mau("friend", "add", ...)

Nothing of it is in the namespace of whoever runs the tests: the switches stand in one of their own, so no
name clashes and nothing reaches the internet. Leaving the block kills whatever runs in these namespaces and
removes them, also after a failure.

Addresses of the internet are made of numbers that really belong to somebody (11.22.33.0/24, 2601:1::/64):
those for documentation are, for routers and for us, no addresses of the internet.
"""

from __future__ import annotations

import contextlib
import ipaddress
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from mau.account import Account
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from tests.cli.conftest import MAU, PASSPHRASE, Ended, check_silence
from tests.network.kernel import do, enter, kill_all
from tests.network.process import PATIENCE, Process

T = TypeVar("T")
_NUMBERS = itertools.count(1)
# A program of a host has a /run of its own, and its own name servers where the host has some.
_ENTER = (
    'mount --bind "$1" /run || exit 97; [ ! -e "$2" ] || mount --bind "$2" /etc/resolv.conf || exit 97; '
    'shift 2; exec "$@"'
)
# The names of the chains are those in which miniupnpd writes by default.
_TRANSLATING = """
table inet filter {
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" accept
    jump miniupnpd
  }
  chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
  chain postrouting {
    type nat hook postrouting priority 100;
    jump postrouting_miniupnpd
    oifname "wan" meta nfproto ipv4 masquerade
  }
}
"""


class Switch:
    """A bridge. Each network given is numbered from 2 on; number 1 is the router's."""

    def __init__(self, network: Network, name: str, networks: Sequence[str]) -> None:
        self.name = name
        self.networks = [ipaddress.ip_network(one) for one in networks]
        self._network = network
        self._numbers = itertools.count(2)

    @property
    def gateways(self) -> list[str]:
        """The addresses that a router of this switch has."""
        return self.numbered(1, prefix=False)

    def numbered(self, number: int, *, prefix: bool = True) -> list[str]:
        """The addresses with this number in each of the networks, as ``192.168.1.2/24``."""
        return [f"{one[number]}/{one.prefixlen}" if prefix else str(one[number]) for one in self.networks]

    def next(self) -> list[str]:
        return self.numbered(next(self._numbers))


class Link:
    """A cable between a host and a switch."""

    def __init__(self, host: Host, switch: Switch, name: str, far: str, addresses: Sequence[str]) -> None:
        self.host, self.switch, self.name = host, switch, name
        self._far = far
        self.addresses = [one.partition("/")[0] for one in addresses]

    def pull(self) -> None:
        """Pull the cable: the host keeps its addresses and hears nobody."""
        self.switch._network.ip("link", "set", self._far, "down")

    def push(self) -> None:
        """Put the cable in again."""
        self.switch._network.ip("link", "set", self._far, "up")

    def remove(self) -> None:
        """Take the interface away, and its addresses and routes with it."""
        self.host.ip("link", "del", self.name)


class Host:
    """A machine: interfaces, a home, a tree, programs. ``name`` is what its directory is called."""

    def __init__(self, network: Network, name: str) -> None:
        self.name = name
        self.namespace = network.add_namespace()
        self.home = network.path / name
        self.tree = self.home / "Mau"
        self.links: list[Link] = []
        self._network = network
        self._run = self.home / "run"
        self._run.mkdir(parents=True, mode=0o700)
        self.env: dict[str, str] = {
            "HOME": str(self.home),
            **{f"XDG_{x}_HOME": str(self.home / x.lower()) for x in ("CONFIG", "STATE", "CACHE", "DATA")},
        }
        # An address is there at once, not after a second of asking whether somebody else has it.
        self.sysctl("net/ipv6/conf/all/accept_dad", "0")
        self.sysctl("net/ipv6/conf/default/accept_dad", "0")
        self.sysctl("net/ipv4/ip_unprivileged_port_start", "0")
        self.ip("link", "set", "lo", "up")

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def ip(self, *words: str) -> str:
        """Run ``ip WORDS`` on this host; return what it prints."""
        return do("ip", "-n", self.namespace, *words)

    def sysctl(self, key: str, value: str) -> None:
        """Set a value of the kernel for this host, as ``net/ipv4/ip_forward``."""
        self.call(Path("/proc/sys", key).write_text, value)

    def plug(self, switch: Switch, *addresses: str, name: str = "", gateway: bool | str = False) -> Link:
        """Connect to a switch, with the next number of each of its networks, or with ``addresses``.

        ``gateway``: whether the switch's router is the way out; or the address of another gateway.
        """
        name = name or f"eth{len(self.links)}"
        given = list(addresses) or switch.next()
        far = self._network.cable(self.namespace, name, switch.name)
        lines = [f"addr add {one} dev {name}{' nodad' if ':' in one else ''}" for one in given]
        lines.append(f"link set {name} up")
        ways = switch.gateways if gateway is True else [gateway] if gateway else []
        lines += [f"route add default via {way} dev {name}" for way in ways]
        do("ip", "-n", self.namespace, "-batch", "-", stdin="\n".join(lines) + "\n")
        link = Link(self, switch, name, far, given)
        self.links.append(link)
        return link

    @property
    def addresses(self) -> list[str]:
        """The addresses of all its links, without lengths, in the order of plugging."""
        return [address for link in self.links for address in link.addresses]

    def use_resolver(self, *servers: str) -> None:
        """What programs that start from now on find in /etc/resolv.conf."""
        (self.home / "resolv.conf").write_text("".join(f"nameserver {one}\n" for one in servers))

    # Programs

    def _argv(self, argv: Sequence[str | Path]) -> list[str]:
        entered = ["ip", "netns", "exec", self.namespace, "sh", "-c", _ENTER, "sh"]
        return [*entered, str(self._run), str(self.home / "resolv.conf"), *map(str, argv)]

    def _env(self, env: Mapping[str, str] | None) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "DBUS_"))}
        return {**inherited, **self.env, **(env or {})}

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        code: int | None = 0,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout: float = PATIENCE,
    ) -> Ended:
        """Run a program here to its end, which must be ``code`` (None: any)."""
        done = subprocess.run(
            self._argv(argv),
            input=stdin,
            capture_output=True,
            env=self._env(env),
            cwd=self.home,
            start_new_session=True,
            timeout=timeout,
            check=False,
        )
        ended = Ended(done.returncode, done.stdout, done.stderr.decode(errors="replace"))
        assert code is None or ended.code == code, f"{self.name}: {list(argv)}: {ended}"
        return ended

    def start(self, argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> Process:
        """Start a program here; it is killed at the latest when the network ends."""
        process = Process(self._argv(argv), env=self._env(env), cwd=str(self.home))
        self._network.processes.append(process)
        return process

    def mau(
        self,
        *words: str | Path,
        code: int | None = 0,
        passphrase: str = PASSPHRASE,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout: float = PATIENCE,
    ) -> Ended:
        """Run the command of this checkout in the tree of this host, as in ``alice.mau("whoami")``."""
        argv = [*MAU, "--dir", self.tree, *words]
        given = {"MAU_PASSPHRASE": passphrase, **(env or {})}
        ended = self.run(argv, code=code, stdin=stdin, env=given, timeout=timeout)
        check_silence(ended.out, ended.err.encode())
        return ended

    def start_mau(
        self, *words: str | Path, passphrase: str = PASSPHRASE, env: Mapping[str, str] | None = None
    ) -> Process:
        """Start a command that goes on: ``alice.start_mau("up").expect(...)``."""
        argv = [*MAU, "--dir", self.tree, *words]
        return self.start(argv, env={"MAU_PASSPHRASE": passphrase, **(env or {})})

    def python(self, script: Path, *words: str | Path, env: Mapping[str, str] | None = None) -> Process:
        """Start a script with this interpreter and the checkout's code."""
        return self.start([sys.executable, "-u", script, *words], env=env)

    def account(self, passphrase: str = PASSPHRASE) -> Account:
        """Make a key named as the host the account of its tree, without `mau init`."""
        key = SecretKey.generate(self.name.capitalize(), f"{self.name}@example.org")
        return Account.create(Root(self.tree), key, passphrase)

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call a function in a thread of this process that is on this host; return or raise what it does.

        A socket made there stays there, whoever uses it afterwards; so does what runs in
        ``host.call(asyncio.run, main())``, with the threads that it starts. Files below /proc/net are those
        of /proc/thread-self/net.
        """
        results: list[T] = []
        errors: list[BaseException] = []

        def work() -> None:
            try:
                enter(self.namespace)
                results.append(function(*args))
            except BaseException as error:  # it belongs to the caller, in his thread
                errors.append(error)

        thread = threading.Thread(target=work, name=f"on {self.name}")
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]


class Router(Host):
    """Passes on between ``lan`` and ``wan``; from the inside everything, from the outside answers alone."""

    def __init__(self, network: Network, name: str, inside: Switch, outside: Switch, *, public: str) -> None:
        super().__init__(network, name)
        self.sysctl("net/ipv4/ip_forward", "1")
        self.sysctl("net/ipv6/conf/all/forwarding", "1")
        self.lan = self.plug(inside, *inside.numbered(1), name="lan")
        self.wan = self.plug(outside, *([public] if public else outside.next()), name="wan")
        do("ip", "netns", "exec", self.namespace, "nft", "-f", "-", stdin=_TRANSLATING)


class Network:
    """All that a test makes; leaving it removes all of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.processes: list[Process] = []
        self._namespaces: list[str] = []
        self._numbers = itertools.count(1)
        self._fabric = ""

    def __enter__(self) -> Network:
        self._fabric = self.add_namespace()
        # A frame that only crosses a switch is nobody's to filter.
        for which in ("iptables", "ip6tables", "arptables"):
            with contextlib.suppress(AssertionError):  # not every kernel filters there
                key = f"net.bridge.bridge-nf-call-{which}=0"
                do("ip", "netns", "exec", self._fabric, "sysctl", "-qw", key)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            process.kill()
        for name in self._namespaces:
            kill_all(name)  # what left its session, too
            with contextlib.suppress(AssertionError):
                do("ip", "netns", "del", name)
        for process in self.processes:
            process.wait()
        self.processes.clear()
        self._namespaces.clear()

    def add_namespace(self) -> str:
        name = f"mau-{os.getpid()}-{next(_NUMBERS)}"
        self._namespaces.append(name)
        do("ip", "netns", "add", name)
        return name

    def ip(self, *words: str) -> str:
        """Run ``ip WORDS`` where the switches are."""
        return do("ip", "-n", self._fabric, *words)

    def cable(self, namespace: str, name: str, switch: str) -> str:
        """A pair of interfaces: one called ``name`` in a namespace, the other, returned, in the switch."""
        far = f"p{next(self._numbers)}"
        lines = [
            f"link add name {far} type veth peer name {name} netns {namespace}",
            f"link set {far} master {switch} up",
        ]
        do("ip", "-n", self._fabric, "-batch", "-", stdin="\n".join(lines) + "\n")
        return far

    def switch(self, *networks: str) -> Switch:
        """A switch that passes on everything at once, multicast too; ``networks`` number its hosts."""
        name = f"s{next(self._numbers)}"
        self.ip("link", "add", "name", name, "type", "bridge", "mcast_snooping", "0", "forward_delay", "0")
        self.ip("link", "set", name, "up")
        return Switch(self, name, networks)

    def host(self, name: str) -> Host:
        """A machine without interfaces but ``lo``."""
        return Host(self, name)

    def router(self, name: str, *, inside: Switch, outside: Switch, public: str = "") -> Router:
        """A router as people have at home: IPv4 is translated, nobody comes in unasked.

        Inside it is number 1 of each network; outside the next number, or ``public`` (``ADDRESS/LENGTH``).
        """
        return Router(self, name, inside, outside, public=public)
