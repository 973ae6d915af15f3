"""Small routers on loopback, written from the RFCs and not from our packets; each can be told to lie."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

HERE = "127.0.0.1"


class PmpRouter(asyncio.DatagramProtocol):
    """Speaks NAT-PMP and PCP at one port, or one of them, or lies. ``mapped``: external port by internal."""

    def __init__(self, *, natpmp: bool = True, pcp: bool = True) -> None:
        self.natpmp, self.pcp = natpmp, pcp
        self.address = "11.22.33.44"
        self.code = 0
        self.longest = 24 * 3600
        self.began = time.monotonic() - 1000
        self.mapped: dict[int, int] = {}
        self.offset = 0  # of the external port from the one that was wished
        self.asked: list[str] = []
        self.twist: Callable[[bytes], list[bytes]] = lambda packet: [packet]
        self.port = 0
        self._heard = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self.port = transport.get_extra_info("sockname")[1]

    def restart(self) -> None:
        self.began = time.monotonic()
        self.mapped.clear()
        self.asked.clear()

    async def until(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until a condition holds, which is looked at after each packet."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._heard.clear()
                await self._heard.wait()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(data)
        assert self._transport is not None
        if answer is not None:
            for packet in self.twist(answer):
                self._transport.sendto(packet, addr)
        self._heard.set()

    def _answer(self, data: bytes) -> bytes | None:
        epoch = int(time.monotonic() - self.began)
        host = socket.inet_aton(self.address)
        if data[0] == 0 and self.natpmp:
            if data[1] == 0:
                self.asked.append("address")
                return struct.pack("!BBHI4s", 0, 128, self.code, epoch, host)
            internal, wished, lifetime = struct.unpack_from("!HHI", data, 4)
            external, lifetime = self._map(internal, wished, lifetime)
            return struct.pack("!BBHIHHI", 0, 130, self.code, epoch, internal, external, lifetime)
        if data[0] == 0 and self.pcp:
            return struct.pack("!BBBBII12x", 2, data[1] | 0x80, 0, 1, 0, epoch)
        if data[0] == 2 and self.pcp:
            lifetime = int.from_bytes(data[4:8], "big")
            internal, wished = struct.unpack_from("!HH", data, 40)
            external, lifetime = self._map(internal, wished or internal, lifetime)
            head = struct.pack("!BBBBII12x", 2, 0x81, 0, self.code, lifetime, epoch)
            return head + data[24:42] + struct.pack("!H", external) + bytes(10) + b"\xff\xff" + host
        if data[0] == 2 and self.natpmp:
            return struct.pack("!BBHI", 0, 0x80 | data[1] & 0x7F, 1, epoch)
        return None

    def _map(self, internal: int, wished: int, lifetime: int) -> tuple[int, int]:
        if not lifetime:
            self.asked.append("unmap")
            self.mapped.pop(internal, None)
            return 0, 0
        self.asked.append("map")
        if not self.code:
            self.mapped[internal] = wished + self.offset
            self.offset = 0
        return wished if self.code else self.mapped[internal], min(lifetime, self.longest)


@contextlib.asynccontextmanager
async def pmp_router(*, natpmp: bool = True, pcp: bool = True) -> AsyncIterator[PmpRouter]:
    loop = asyncio.get_running_loop()
    transport, router = await loop.create_datagram_endpoint(
        lambda: PmpRouter(natpmp=natpmp, pcp=pcp), local_addr=(HERE, 0)
    )
    try:
        yield router
    finally:
        transport.close()


@dataclass
class Igd:
    """A UPnP router: its entries, and how it misbehaves."""

    entries: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    """(internal host, internal port, lease) by external port."""
    address: str = "11.22.33.44"
    control: str = "/ctl"
    permanent_only: bool = False
    location: str = ""
    fetched: list[str] = field(default_factory=list)
    ssdp: tuple[str, int] = (HERE, 0)
    hang: threading.Event = field(default_factory=threading.Event)
    """Cleared: answers wait until it is set."""

    def do(self, action: str, values: dict[str, str]) -> dict[str, str] | int:
        """What an action answers, or an error code of WANIPConnection."""
        if action == "GetExternalIPAddress":
            return {"NewExternalIPAddress": self.address}
        port = int(values.get("NewExternalPort", "0"))
        if action == "GetSpecificPortMappingEntry":
            if port not in self.entries:
                return 714
            host, internal, lease = self.entries[port]
            return {
                "NewInternalPort": str(internal),
                "NewInternalClient": host,
                "NewEnabled": "1",
                "NewPortMappingDescription": "somebody",
                "NewLeaseDuration": str(lease),
            }
        if action == "AddPortMapping":
            client, lease = values["NewInternalClient"], int(values["NewLeaseDuration"])
            if port in self.entries and self.entries[port][0] != client:
                return 718
            if self.permanent_only and lease:
                return 725
            self.entries[port] = (client, int(values["NewInternalPort"]), lease)
            return {}
        if action == "DeletePortMapping":
            return {} if self.entries.pop(port, None) else 714
        return 401


_SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1"
_DESCRIPTION = """<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>
<deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><serviceList><service>
<serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType><controlURL>/cif</controlURL>
</service><service><serviceType>{service}</serviceType><controlURL>{control}</controlURL>
</service></serviceList></device></root>"""


@contextlib.contextmanager
def igd() -> Iterator[Igd]:
    """A UPnP router on loopback, asked by SSDP at ``router.ssdp``."""
    router = Igd()
    router.hang.set()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            router.fetched.append(self.path)
            self._send(200, _DESCRIPTION.format(service=_SERVICE, control=escape(router.control)))

        def do_POST(self) -> None:
            action = self.headers["SOAPAction"].strip('"').partition("#")[2]
            router.fetched.append(action)
            router.hang.wait(30)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            values = {
                piece.partition(">")[0]: piece.partition(">")[2].partition("<")[0]
                for piece in body.split("<")
                if piece.startswith("New")
            }
            answer = router.do(action, values)
            if isinstance(answer, int):
                error = f"<errorCode>{answer}</errorCode><errorDescription>no</errorDescription>"
                space = 'xmlns="urn:schemas-upnp-org:control-1-0"'
                inner = f"<s:Fault><detail><UPnPError {space}>{error}</UPnPError></detail></s:Fault>"
            else:
                fields = "".join(f"<{name}>{value}</{name}>" for name, value in answer.items())
                inner = f'<u:{action}Response xmlns:u="{_SERVICE}">{fields}</u:{action}Response>'
            envelope = 'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
            text = f'<?xml version="1.0"?><s:Envelope {envelope}><s:Body>{inner}</s:Body></s:Envelope>'
            self._send(500 if isinstance(answer, int) else 200, text)

        def _send(self, code: int, text: str) -> None:
            body = text.encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", 'text/xml; charset="utf-8"')
            self.send_header("Connection", "close")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer((HERE, 0), Handler)
    server.daemon_threads = True
    searched = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    searched.bind((HERE, 0))
    router.ssdp = searched.getsockname()
    router.location = f"http://{HERE}:{server.server_port}/desc.xml"

    def answer() -> None:
        while True:
            packet, asker = searched.recvfrom(2000)
            if packet == b"end":
                return
            target = next(line[4:] for line in packet.decode().split("\r\n") if line.startswith("ST: "))
            lines = ["HTTP/1.1 200 OK", f"ST: {target}", f"LOCATION: {router.location}", "", ""]
            searched.sendto("\r\n".join(lines).encode(), asker)

    threads = [threading.Thread(target=server.serve_forever, args=(0.05,)), threading.Thread(target=answer)]
    for thread in threads:
        thread.start()
    try:
        yield router
    finally:
        router.hang.set()
        server.shutdown()
        server.server_close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"end", router.ssdp)
        for thread in threads:
            thread.join()
        searched.close()
