"""Answers every search for a router at once: ``lying.py OWN ROUTER``. Says what it does, a line each."""

from __future__ import annotations

import http.server
import socket
import struct
import sys
import threading


class _Asked(http.server.BaseHTTPRequestHandler):
    def handle(self) -> None:
        print("asked", flush=True)


def _main(own: str, router: str) -> None:
    server = http.server.HTTPServer((own, 80), _Asked)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hearing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    hearing.bind(("", 1900))
    group = struct.pack("4s4s", socket.inet_aton("239.255.255.250"), socket.inet_aton(own))
    hearing.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    print("ready", flush=True)
    while True:
        packet, asker = hearing.recvfrom(2000)
        target = next((line for line in packet.decode().split("\r\n") if line.startswith("ST: ")), "")
        for place in (f"http://{own}/desc.xml", f"http://{router}:80/desc.xml"):
            lines = ["HTTP/1.1 200 OK", target, f"LOCATION: {place}", "", ""]
            hearing.sendto("\r\n".join(lines).encode(), asker)
        print("lied", flush=True)


_main(*sys.argv[1:])
