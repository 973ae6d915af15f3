"""The networks that the other tests stand on are what they say."""

from __future__ import annotations

import contextlib
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.network.kernel import not_allowed
from tests.network.netns import Host, Network

WAN = "11.22.33.0/24"


def _serve(host: Host, family: int = socket.AF_INET) -> int:
    """Listen on every address of a host; send each caller the address that he comes from."""
    listening = host.call(socket.socket, family, socket.SOCK_STREAM)
    listening.settimeout(25.0)
    listening.bind(("", 0))
    listening.listen()

    def answer() -> None:
        with contextlib.suppress(OSError), listening:
            connection, caller = listening.accept()
            with connection:
                connection.sendall(caller[0].encode())

    threading.Thread(target=answer, daemon=True).start()
    return int(listening.getsockname()[1])


def _ask(host: Host, address: str, port: int, timeout: float = 5.0) -> str:
    with host.call(socket.create_connection, (address, port), timeout) as connection:
        return connection.makefile().read()


@pytest.mark.parametrize("networks", [["192.168.7.0/24"], ["fd00:7::/64"]], ids=["IPv4", "IPv6 only"])
def test_two_hosts_of_a_switch_reach_each_other(net: Network, networks: list[str]) -> None:
    lan = net.switch(*networks)
    alice, bob = net.host("alice"), net.host("bob")
    alice.plug(lan)
    bob.plug(lan)
    family = socket.AF_INET6 if ":" in networks[0] else socket.AF_INET
    assert _ask(bob, alice.addresses[0], _serve(alice, family)) == bob.addresses[0]


def test_a_pulled_cable_is_a_network_that_is_away_until_it_is_put_in(net: Network) -> None:
    lan = net.switch("192.168.7.0/24")
    alice, bob = net.host("alice"), net.host("bob")
    alice.plug(lan)
    link = bob.plug(lan)
    port = _serve(alice)
    link.pull()
    with pytest.raises(OSError, match=r"timed out|unreachable|No route"):
        _ask(bob, alice.addresses[0], port, timeout=0.3)
    link.push()
    assert _ask(bob, alice.addresses[0], port, timeout=20.0) == bob.addresses[0]
    link.remove()
    with pytest.raises(OSError, match="unreachable"):
        _ask(bob, alice.addresses[0], port)


def test_a_router_translates_lets_out_and_lets_nobody_in(net: Network) -> None:
    lan, wan = net.switch("192.168.7.0/24", "2601:7::/64"), net.switch(WAN, "2601:1::/64")
    home, away = net.host("home"), net.host("away")
    router = net.router("router", inside=lan, outside=wan)
    home.plug(lan, gateway=True)
    away.plug(wan)
    away.ip("route", "add", "2601:7::/64", "via", router.wan.addresses[1])
    assert _ask(home, away.addresses[0], _serve(away)) == router.wan.addresses[0]
    assert _ask(home, away.addresses[1], _serve(away, socket.AF_INET6)) == home.addresses[1]
    for address, family in zip(home.addresses, (socket.AF_INET, socket.AF_INET6), strict=True):
        port = _serve(home, family)
        with pytest.raises(OSError, match=r"timed out|unreachable"):
            _ask(away, address, port, timeout=0.3)


def test_multicast_crosses_a_switch(net: Network) -> None:
    lan = net.switch("192.168.7.0/24")
    alice, bob = net.host("alice"), net.host("bob")
    alice.plug(lan)
    bob.plug(lan)

    def listen() -> socket.socket:
        hearing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        hearing.settimeout(10.0)
        hearing.bind(("", 5353))
        joined = struct.pack("4s4s", socket.inet_aton("224.0.0.251"), socket.inet_aton(alice.addresses[0]))
        hearing.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
        return hearing

    def shout() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as shouting:
            own = socket.inet_aton(bob.addresses[0])
            shouting.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
            shouting.sendto(b"hello", ("224.0.0.251", 5353))

    with alice.call(listen) as hearing:
        bob.call(shout)
        data, sender = hearing.recvfrom(100)
    assert (data, sender[0]) == (b"hello", bob.addresses[0])


def test_each_host_has_its_own_tree_home_and_run(net: Network) -> None:
    alice, bob = net.host("alice"), net.host("bob")
    alice.account()
    bob.account()
    keys = {host.mau("whoami", "--json").text for host in (alice, bob)}
    assert len(keys) == 2
    alice.run(["touch", "/run/seen"])
    assert not Path("/run/seen").exists()
    assert alice.run(["ls", "/run"]).text == "seen\n"
    assert not bob.run(["ls", "/run"]).text
    bob.use_resolver("192.168.7.1")
    assert bob.run(["cat", "/etc/resolv.conf"]).text == "nameserver 192.168.7.1\n"


def test_lines_of_a_process_are_awaited_and_its_end_is_told(net: Network) -> None:
    host = net.host("host")
    process = host.start(
        ["sh", "-c", "trap 'echo bye; exit 3' TERM; echo one; echo two >&2; sleep 600 >/dev/null 2>&1 & wait"]
    )
    process.expect("two")
    process.send(signal.SIGTERM)
    process.expect("bye")
    assert process.wait() == 3
    assert process.out == ["one", "bye"]
    with pytest.raises(AssertionError, match="it ended"):
        process.expect("three")


def test_nothing_is_left_also_after_a_failure(tmp_path: Path) -> None:
    escape = "import os, time; os.fork() and os._exit(0); os.setsid(); print(os.getpid(), flush=True)"

    def fail() -> None:
        with Network(tmp_path) as net:
            host = net.host("host")
            host.plug(net.switch("192.168.7.0/24"))
            process = host.start([sys.executable, "-c", f"{escape}; time.sleep(600)"])
            found.append(process.expect(r"^(\d+)$")[1])
            spaces.extend(net._namespaces)
            raise ZeroDivisionError

    found: list[str] = []
    spaces: list[str] = []
    with pytest.raises(ZeroDivisionError):
        fail()
    with contextlib.suppress(FileNotFoundError):  # or it waits for init to take note, with nothing left of it
        assert not Path("/proc", found[0], "cmdline").read_bytes()
    assert len(spaces) == 2
    assert not {
        line.split()[0] for line in subprocess.check_output(["ip", "netns"], text=True).splitlines()
    } & {*spaces}


def test_where_namespaces_are_not_allowed_the_end_of_the_run_says_so(tmp_path: Path) -> None:
    """Without the right to make them (as root without capabilities), a run skips and says how many."""
    assert not not_allowed()
    place = Path(__file__)
    checkout = place.parent.parent.parent
    words = [
        "-n0",
        "-p",
        "no:cacheprovider",
        "--basetemp",
        tmp_path / "base",
        f"{place}::test_multicast_crosses_a_switch",
    ]
    done = subprocess.run(
        [
            "setpriv",
            "--bounding-set=-all",
            "--inh-caps=-all",
            sys.executable,
            "-m",
            "pytest",
            *map(str, words),
        ],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NETWORK NAMESPACES NOT ALLOWED HERE: 1 tests that need them did not run" in done.stdout
