"""Who announces, listens and lies in the local network of a test."""

from __future__ import annotations

import itertools
import re
import socket
from collections.abc import Iterable
from pathlib import Path

from zeroconf import (  # type: ignore[attr-defined]
    DNSAddress,
    DNSOutgoing,
    DNSPointer,
    DNSQuestion,
    DNSRecord,
    DNSService,
)

from mau.finder.mdns.names import SERVICE
from tests.network.netns import Host
from tests.network.process import Process

LAN = "192.168.7.0/24"
PERSON = Path(__file__).with_name("mdns_person.py")
GROUP, PORT = "224.0.0.251", 5353
ALICE, BOB, CAROL, MALLORY = ("a1" * 20, "b2" * 20, "c3" * 20, "ee" * 20)
A, _PTR, SRV, _IN, _FLUSH = 1, 12, 33, 1, 0x8001
_NUMBERS = itertools.count(1)
_QUERY, _ANSWER = 0, 0x8400


def person(host: Host, who: str, port: str = "8880", *words: str) -> Process:
    """Somebody who announces a port (not: "-") and listens, in every network unless ``words`` say where."""
    process = host.python(PERSON, who, port, *(words or ("everywhere",)))
    process.expect(r"^at ")
    return process


def hears(process: Process, who: str, host: str, port: int, *, sign: str = "+") -> float:
    """Wait until a hint is heard, or with "-" until it goes; the seconds since the listener began."""
    found = process.expect(rf"^{re.escape(sign)} {who} {re.escape(host)} {port} ([0-9.]+)$", timeout=20)
    return float(found[1])


class Shouter:
    """Sends whatever he likes to everybody in the network of a host."""

    def __init__(self, host: Host) -> None:
        self._socket = host.call(socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        self._socket.bind((host.addresses[0], PORT))

    def __enter__(self) -> Shouter:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def records(self, records: Iterable[DNSRecord]) -> None:
        """An answer that nobody asked for."""
        out = DNSOutgoing(_ANSWER)
        for record in records:
            out.add_answer_at_time(record, 0)
        for packet in out.packets():
            self._socket.sendto(packet, (GROUP, PORT))

    def claims(self, who: str, port: int, *hosts: str, ttl: int = 120, target: str = "") -> None:
        """Says that somebody is at these addresses."""
        self.records(self.claim(who, port, *hosts, ttl=ttl, target=target))

    @staticmethod
    def claim(who: str, port: int, *hosts: str, ttl: int = 120, target: str = "") -> list[DNSRecord]:
        name, target = f"{who}.{SERVICE}", target or f"m-{who[-16:]}.local."
        return [
            DNSPointer(SERVICE, _PTR, _IN, ttl, name),
            DNSService(name, SRV, _FLUSH, ttl, 0, 0, port, target),
            *(DNSAddress(target, A, _FLUSH, ttl, socket.inet_aton(host)) for host in hosts),
        ]


def asked_directly(host: Host, address: str, timeout: float) -> bytes:
    """The answer to a question sent to port 5353 of one machine; TimeoutError."""
    number = next(_NUMBERS)  # the same bytes twice in a second would be a repetition, which nobody answers
    out = DNSOutgoing(_QUERY, multicast=False, id_=number)
    out.add_question(DNSQuestion(SERVICE, _PTR, _IN))
    with host.call(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(timeout)
        asking.sendto(out.packets()[0], (address, PORT))
        return asking.recv(9000)
