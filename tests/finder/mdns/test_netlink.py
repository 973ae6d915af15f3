"""What the kernel says is what its own program says; what it does not say breaks nothing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from shutil import which

import ifaddr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.finder.mdns import interfaces, netlink

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="netlink is Linux's")


def test_interfaces_are_those_of_the_system() -> None:
    found = {link.index: link.name for link in netlink.links(netlink.dump(netlink.GETLINK))}
    assert found == dict(socket.if_nameindex())


@pytest.mark.skipif(which("ip") is None, reason="`ip` is not installed")
def test_addresses_and_flags_are_those_that_ip_shows() -> None:
    shown = json.loads(subprocess.run(["ip", "-j", "addr"], capture_output=True, check=True).stdout)
    hidden = ("temporary", "tentative", "deprecated", "dadfailed")
    assert sorted(str(one) for _, one in netlink.addresses(netlink.dump(netlink.GETADDR))) == sorted(
        f"{one['local']}/{one['prefixlen']}"
        for link in shown
        for one in link["addr_info"]
        if not any(one.get(flag) for flag in hidden)
    )
    loopbacks = [
        one.name for one in netlink.links(netlink.dump(netlink.GETLINK)) if one.flags & netlink.LOOPBACK
    ]
    assert loopbacks == [link["ifname"] for link in shown if "LOOPBACK" in link["flags"]]


def test_loopback_is_no_network() -> None:
    assert "lo" not in {network.interface for network in interfaces.current_networks()}


def test_where_there_is_no_netlink_networks_have_no_name() -> None:
    others = interfaces._of_others()
    assert {one.interface for one in others} <= {adapter.name for adapter in ifaddr.get_adapters()}
    assert all(network.name is None for network in others)


@given(st.binary(max_size=300), st.sampled_from([16, 20, 24, 28]))
def test_whatever_is_read_ends(data: bytes, kind: int) -> None:
    for body in netlink.messages(data, kind):
        assert len(body) <= len(data)
        netlink.attributes(body, 8)


def test_what_is_cut_off_is_read_as_far_as_it_goes() -> None:
    whole = netlink.dump(netlink.GETADDR)
    for end in range(len(whole)):
        list(netlink.addresses(whole[:end]))
