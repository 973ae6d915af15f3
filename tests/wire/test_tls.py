"""Connections carry what was written, whole and in order, and end as connections of Python's ssl end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import hashlib
import io
import itertools
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from mau.errors import IdentityError
from mau.wire.identity import Identity, fingerprint_of, self_signed
from mau.wire.tls import (
    IdentityRefused,
    client_context,
    identity_error,
    peer_fingerprint,
    receive_little,
    server_context,
)

PATIENCE = 20.0
MIB = 1 << 20


@functools.cache
def person(number: int) -> Identity:
    return Identity.of(ed25519.Ed25519PrivateKey.generate(), 1_700_000_000 + number)


HOST, ADA, EVE = person(0), person(1), person(2)


# --- two ends without a network ----------------------------------------------------------------------------


class Pair:
    """A client and a server joined by their buffers; nothing moves unless a test moves it."""

    def __init__(self, client: ssl.SSLContext, server: ssl.SSLContext) -> None:
        self.to_client, self.from_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.to_server, self.from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client: Any = client.wrap_bio(self.to_client, self.from_client, server_hostname="127.0.0.1")
        self.server: Any = server.wrap_bio(self.to_server, self.from_server, server_side=True)

    def carry(self) -> None:
        self.to_server.write(self.from_client.read())
        self.to_client.write(self.from_server.read())

    def shake(self) -> Pair:
        waiting = [self.client, self.server]
        while waiting:
            for end in list(waiting):
                with contextlib.suppress(ssl.SSLWantReadError):
                    end.do_handshake()
                    waiting.remove(end)
            self.carry()
        return self


def pair(client: Identity | None = ADA, server: Identity = HOST, expected: Identity | None = None) -> Pair:
    return Pair(client_context(client, (expected or server).fingerprint), server_context(server))


def read_all(end: Any) -> bytes:
    pieces = []
    with contextlib.suppress(ssl.SSLWantReadError):
        while piece := end.read(MIB):
            pieces.append(piece)
    return b"".join(pieces)


def test_both_ends_know_each_other() -> None:
    ends = pair().shake()
    assert ends.server.peer == ADA.fingerprint
    assert ends.client.peer == HOST.fingerprint
    assert ends.server.getpeercert(binary_form=True) == self_signed(ADA)
    assert ends.server.getpeercert() == {}
    assert ends.client.version() == ends.server.version() == "TLSv1.3"
    assert ends.client.selected_alpn_protocol() == ends.server.selected_alpn_protocol() == "http/1.1"
    assert ends.client.cipher()[1:] == ("TLSv1.3", ends.server.cipher()[2])
    assert ends.client.compression() is None
    assert (ends.client.server_side, ends.server.server_side) == (False, True)
    assert isinstance(ends.client.context, ssl.SSLContext)


def test_a_client_without_a_certificate_is_a_stranger() -> None:
    ends = pair(client=None).shake()
    assert ends.server.peer is None
    assert ends.server.getpeercert() is None
    assert ends.server.getpeercert(binary_form=True) is None
    assert ends.client.peer == HOST.fingerprint


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        lambda: ec.generate_private_key(ec.SECP256R1()),
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: ec.generate_private_key(ec.SECP521R1()),
    ],
)
def test_every_kind_of_key_serves_on_both_sides(make: Callable[[], Any], side: str) -> None:
    who = Identity.of(make(), 1_600_000_000)
    if side == "client":
        assert pair(client=who).shake().server.peer == who.fingerprint
    else:
        assert pair(server=who).shake().client.peer == who.fingerprint


def test_addresses_are_named_in_the_certificate_of_a_server() -> None:
    context = server_context(HOST, ["192.0.2.7:8080"])
    shown = Pair(client_context(ADA, HOST.fingerprint), context).shake().client.getpeercert(binary_form=True)
    assert shown == self_signed(HOST, ["192.0.2.7:8080"])


def test_a_wrong_peer_is_refused_before_it_learns_anything() -> None:
    ends = pair(expected=EVE)
    with contextlib.suppress(ssl.SSLWantReadError):
        ends.client.do_handshake()
    ends.carry()
    with contextlib.suppress(ssl.SSLWantReadError):
        ends.server.do_handshake()
    ends.carry()
    with pytest.raises(IdentityRefused) as caught:
        ends.client.do_handshake()
    assert str(EVE.fingerprint) in str(caught.value)
    assert str(HOST.fingerprint) in str(caught.value)
    assert identity_error(caught.value) is caught.value.identity_error is caught.value.__cause__
    for use in (ends.client.read, lambda: ends.client.write(b"secret"), ends.client.unwrap):
        with pytest.raises(ssl.SSLError, match="not finished"):
            use()
    assert ends.client.peer is None
    assert ends.from_client.read() == b""  # neither certificate, nor request, nor farewell


def test_nothing_is_read_or_written_before_the_handshake() -> None:
    ends = pair()
    for end in (ends.client, ends.server):
        for use in (end.read, lambda end=end: end.write(b"early"), end.unwrap):
            with pytest.raises(ssl.SSLError, match="not finished"):
                use()
        assert end.version() is None
        assert end.cipher() is None or end.peer is None
    assert ends.from_client.read() + ends.from_server.read() == b""
    ends.shake()


def test_contexts_of_one_identity_do_not_mix_their_expectations() -> None:
    server = server_context(HOST)
    right, wrong = client_context(ADA, HOST.fingerprint), client_context(ADA, EVE.fingerprint)
    for _ in range(2):
        with pytest.raises(IdentityRefused):
            Pair(wrong, server).shake()
        assert Pair(right, server).shake().server.peer == ADA.fingerprint


@given(sizes=st.lists(st.integers(1, 700), min_size=1, max_size=8), sent=st.binary(max_size=3000))
@settings(max_examples=40, deadline=None)
def test_it_does_not_matter_in_which_pieces_the_bytes_arrive(sizes: list[int], sent: bytes) -> None:
    ends = pair()
    size = itertools.cycle(sizes)

    def carry(source: ssl.MemoryBIO, target: ssl.MemoryBIO, use: Callable[[], object]) -> None:
        while piece := source.read(next(size)):
            target.write(piece)
            with contextlib.suppress(ssl.SSLWantReadError):
                use()

    with contextlib.suppress(ssl.SSLWantReadError):
        ends.client.do_handshake()
    carry(ends.from_client, ends.to_server, ends.server.do_handshake)
    carry(ends.from_server, ends.to_client, ends.client.do_handshake)
    carry(ends.from_client, ends.to_server, ends.server.do_handshake)
    assert ends.server.peer == ADA.fingerprint
    got = bytearray()
    ends.client.write(sent)
    carry(ends.from_client, ends.to_server, lambda: got.extend(read_all(ends.server)))
    assert bytes(got) == sent


def test_every_byte_of_a_handshake_may_come_alone() -> None:
    ends = pair()
    waiting = {"client": True, "server": True}
    rounds = 0
    while any(waiting.values()):
        for side, end in (("client", ends.client), ("server", ends.server)):
            if waiting[side]:
                with contextlib.suppress(ssl.SSLWantReadError):
                    end.do_handshake()
                    waiting[side] = False
        ends.to_server.write(ends.from_client.read(1))
        ends.to_client.write(ends.from_server.read(1))
        rounds += 1
    assert rounds > 500
    assert ends.server.peer == ADA.fingerprint


@pytest.mark.parametrize("size", [0, 1, 16383, 16384, 16385, 49152, 65536, 65537, 5 * MIB + 3])
def test_what_is_written_at_once_arrives_whole(size: int) -> None:
    ends = pair().shake()
    sent = bytes(range(251)) * (size // 251 + 1)
    for form in (bytes(sent[:size]), bytearray(sent[:size]), memoryview(sent)[:size]):
        assert ends.client.write(form) == size
        ends.carry()
        assert hashlib.sha256(read_all(ends.server)).digest() == hashlib.sha256(form).digest()


def test_wide_and_filled_buffers() -> None:
    ends = pair().shake()
    wide = memoryview(bytearray(range(240))).cast("I")
    assert ends.client.write(wide) == 240
    ends.carry()
    buffer = bytearray(100)
    assert ends.server.read(100, buffer) == 100
    assert ends.server.read(60, memoryview(buffer)) == 60
    assert buffer[:60] == bytes(range(100, 160))
    assert ends.server.pending() == 80
    assert ends.server.read(1000) == bytes(range(160, 240))
    assert ends.server.pending() == 0


def test_pending_counts_what_openssl_has_and_what_waits_before_it() -> None:
    ends = pair().shake()
    assert ends.server.pending() == 0
    ends.client.write(b"abc")
    ends.carry()
    waiting = ends.server.pending()
    assert waiting >= 3
    ends.server.read(1)
    assert ends.server.pending() == 2
    ends.client.write(b"defg")
    ends.carry()
    assert ends.server.pending() > 2


def test_saying_goodbye() -> None:
    ends = pair().shake()
    ends.client.write(b"last words")
    with pytest.raises(ssl.SSLWantReadError):
        ends.client.unwrap()
    ends.carry()
    assert ends.server.read(100) == b"last words"
    assert ends.server.read(100) == b""
    assert ends.server.read(100, bytearray(100)) == 0
    ends.server.unwrap()
    ends.carry()
    ends.client.unwrap()


def test_nothing_is_written_after_goodbye() -> None:
    ends = pair().shake()
    with pytest.raises(ssl.SSLWantReadError):
        ends.client.unwrap()
    ends.from_client.read()
    with pytest.raises(ssl.SSLError):
        ends.client.write(b"one thing more")
    assert ends.from_client.read() == b""


def test_an_end_without_goodbye_is_told_apart() -> None:
    ends = pair().shake()
    ends.client.write(b"cut")
    ends.carry()
    ends.to_server.write_eof()
    assert ends.server.read(100) == b"cut"
    with pytest.raises(ssl.SSLEOFError):
        ends.server.read(100)


def test_an_end_within_the_handshake_is_told_apart() -> None:
    ends = pair()
    ends.to_server.write_eof()
    with pytest.raises(ssl.SSLEOFError):
        ends.server.do_handshake()


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_a_bit_changed_on_the_way_ends_the_connection(at: int, bit: int) -> None:
    ends = pair().shake()
    ends.client.write(b"x" * 500)
    cipher = bytearray(ends.from_client.read())
    cipher[at % len(cipher)] ^= 1 << bit
    ends.to_server.write(cipher)
    with pytest.raises(ssl.SSLError):
        while True:
            assert ends.server.read(1000) == b""  # never: a changed record is no goodbye
            raise ssl.SSLError(0, "the end")


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_a_handshake_changed_on_the_way_ends_in_an_error_of_ssl(data: st.DataObject) -> None:
    ends = pair()

    def step(end: Any) -> bool:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            return True
        except ssl.SSLError:
            return False
        return True

    step(ends.client)
    flight = data.draw(st.sampled_from(["hello", "answer", "proof"]))
    for name, source, target, end in (
        ("hello", ends.from_client, ends.to_server, ends.server),
        ("answer", ends.from_server, ends.to_client, ends.client),
        ("proof", ends.from_client, ends.to_server, ends.server),
    ):
        raw = bytearray(source.read())
        if name == flight and raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        target.write(raw)
        if not step(end):
            break
    if flight == "answer":
        assert ends.client.peer is None or ends.client.peer == HOST.fingerprint
    assert ends.server.peer in {None, ADA.fingerprint}


def test_a_context_serves_its_own_side_only() -> None:
    bio = ssl.MemoryBIO()
    with pytest.raises(ValueError, match="server"):
        server_context(HOST).wrap_bio(bio, bio)
    with pytest.raises(ValueError, match="server"):
        client_context(ADA, HOST.fingerprint).wrap_bio(bio, bio, server_side=True)


def test_wrapped_in_another_way_a_context_gives_no_connection() -> None:
    left, right = socket.socketpair()
    with left, right, pytest.raises((ssl.SSLError, ValueError, OSError)):
        left.settimeout(PATIENCE)
        right.close()
        client_context(ADA, HOST.fingerprint).wrap_socket(left, server_hostname="127.0.0.1")


def test_other_errors_are_no_identity_errors() -> None:
    assert identity_error(ssl.SSLError(1, "x")) is None
    assert identity_error(ConnectionResetError()) is None
    first, second = OSError("a"), OSError("b")
    first.__cause__, second.__cause__ = second, first
    assert identity_error(first) is None
    error = IdentityError("no")
    assert identity_error(IdentityRefused(error)) is error
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = error
    assert identity_error(wrapped) is error
    later = ConnectionResetError("at the next address")
    later.__context__ = error
    assert identity_error(later) is None


# --- stock asyncio and aiohttp -----------------------------------------------------------------------------


async def who(request: web.Request) -> web.Response:
    return web.Response(text=str(peer_fingerprint(request.transport)))


async def big(request: web.Request) -> web.StreamResponse:
    size = int(request.query["size"])
    reply = web.StreamResponse(headers={"Content-Length": str(size)})
    await reply.prepare(request)
    block = bytes(MIB)
    while size > 0:
        await reply.write(block[:size])
        size -= MIB
    return reply


async def count(request: web.Request) -> web.Response:
    total = 0
    async for piece in request.content.iter_any():
        total += len(piece)
    return web.Response(text=str(total))


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A stock aiohttp server behind a context of ours."""
    app = web.Application()
    app.add_routes([web.get("/who", who), web.get("/big", big), web.post("/count", count)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    assert runner.server is not None
    server = await asyncio.get_running_loop().create_server(
        runner.server, "127.0.0.1", 0, ssl=server_context(HOST), ssl_handshake_timeout=10
    )
    yield server.sockets[0].getsockname()[1]
    server.close()
    await runner.cleanup()
    await server.wait_closed()
    gc.collect()  # whatever was left open says so now, as an error


def session(identity: Identity | None = ADA, **options: Any) -> aiohttp.ClientSession:
    context = client_context(identity, HOST.fingerprint)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, **options),
        timeout=aiohttp.ClientTimeout(total=PATIENCE),
    )


async def test_aiohttp_knows_who_asks(port: int) -> None:
    for identity, expected in ((ADA, str(ADA.fingerprint)), (EVE, str(EVE.fingerprint)), (None, "None")):
        async with session(identity) as client:
            for _ in range(3):
                async with client.get(f"https://127.0.0.1:{port}/who") as reply:
                    assert await reply.text() == expected


async def test_the_name_that_was_asked_for_plays_no_part(port: int) -> None:
    async with session() as client, client.get(f"https://localhost:{port}/who") as reply:
        assert await reply.text() == str(ADA.fingerprint)


async def test_aiohttp_reports_a_wrong_peer_as_an_identity_error(port: int) -> None:
    connector = aiohttp.TCPConnector(ssl=client_context(ADA, EVE.fingerprint))
    async with aiohttp.ClientSession(connector=connector) as client:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await client.get(f"https://127.0.0.1:{port}/who")
    assert isinstance(identity_error(caught.value), IdentityError)


async def test_a_hundred_megabytes_come_down(port: int) -> None:
    size = 100 * MIB + 1
    async with session() as client, client.get(f"https://127.0.0.1:{port}/big?size={size}") as reply:
        got = 0
        async for piece in reply.content.iter_any():
            got += len(piece)
    assert got == size


async def test_a_hundred_megabytes_go_up(port: int) -> None:
    body = io.BytesIO(bytes(100 * MIB + 1))
    async with session() as client, client.post(f"https://127.0.0.1:{port}/count", data=body) as reply:
        assert await reply.text() == str(100 * MIB + 1)


async def test_a_slow_reader_holds_the_writer_back(port: int) -> None:
    """The server must not pile up 64 MiB in memory while nobody reads."""
    async with session() as client, client.get(f"https://127.0.0.1:{port}/big?size={64 * MIB}") as reply:
        assert await reply.content.readexactly(1) == b"\0"
        transport = reply.connection and reply.connection.transport
        assert transport is not None
        got = 1
        async for piece in reply.content.iter_chunked(1000):
            got += len(piece)
            if got > MIB:
                break
        reply.close()
    assert got < 2 * MIB


async def test_many_connections_at_once(port: int) -> None:
    people = [person(number) for number in range(3, 13)]

    async def ask(identity: Identity) -> None:
        async with session(identity, force_close=True) as client:
            replies = [client.get(f"https://127.0.0.1:{port}/who") for _ in range(15)]
            for request in asyncio.as_completed(map(text, replies)):
                assert await request == str(identity.fingerprint)

    async def text(request: Any) -> str:
        async with request as reply:
            return str(await reply.text())

    await asyncio.gather(*(ask(identity) for identity in people))


async def test_a_connection_that_receives_little_receives_everything() -> None:
    kept: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receive_little(writer.transport, 4096)
        writer.write(await reader.readexactly(MIB))
        # Where asyncio keeps what it receives into; if it does not any more, the function has no effect.
        kept.append(len(writer.transport._ssl_protocol._ssl_buffer))  # type: ignore[attr-defined]
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(HOST))
    async with server:
        place = server.sockets[0].getsockname()
        context = client_context(ADA, HOST.fingerprint)
        reader, writer = await asyncio.open_connection(*place, ssl=context)
        sent = bytes(range(256)) * (MIB // 256)
        writer.write(sent)
        async with asyncio.timeout(PATIENCE):
            assert await reader.read(-1) == sent
        writer.close()
    assert kept == [4096]


def test_a_transport_without_tls_receives_as_it_did() -> None:
    receive_little(asyncio.Transport(), 4096)


async def test_the_last_bytes_before_the_end_arrive() -> None:
    sent = bytes(range(256)) * 20_000

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(HOST))
    async with server:
        where = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*where, ssl=client_context(ADA, HOST.fingerprint))
        assert peer_fingerprint(writer.transport) == HOST.fingerprint
        assert await reader.read() == sent
        writer.close()
        await writer.wait_closed()
        assert peer_fingerprint(writer.transport) in {HOST.fingerprint, None}
        writer.transport.close()
        assert peer_fingerprint(writer.transport) in {HOST.fingerprint, None}


@pytest.mark.parametrize("goodbye", [True, False])
async def test_a_client_that_ends_first_still_gets_what_was_sent(goodbye: bool) -> None:
    """After its close_notify, or after a bare end of its TCP stream."""
    ended: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello" * 1000)
        await ended.put(await reader.read())
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(HOST))
    async with server:
        raw_reader, raw_writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        ends = pair()
        client = ends.client

        async def take(use: Callable[[], Any]) -> Any:
            while True:
                try:
                    return use()
                except ssl.SSLWantReadError:
                    if made := ends.from_client.read():
                        raw_writer.write(made)
                    if data := await raw_reader.read(MIB):
                        ends.to_client.write(data)
                    else:
                        ends.to_client.write_eof()

        await take(client.do_handshake)
        client.write(b"bye")
        if goodbye:
            with contextlib.suppress(ssl.SSLWantReadError):
                client.unwrap()
        raw_writer.write(ends.from_client.read())
        if not goodbye:
            raw_writer.write_eof()
        assert await ended.get() == b"bye"
        if not goodbye:
            got = b""
            with contextlib.suppress(ssl.SSLEOFError):
                while piece := await take(lambda: client.read(MIB)):
                    got += piece
            assert got == b"hello" * 1000
        raw_writer.close()
        await raw_writer.wait_closed()


@pytest.mark.parametrize(
    "noise",
    [
        b"",
        b"\0",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x40\x00" + b"\x01" * 200,
        b"\x80" * 70000,
    ],
    ids=["nothing", "nul", "plain http", "half a greeting", "much noise"],
)
async def test_noise_instead_of_a_handshake_is_hung_up_on(port: int, noise: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(noise)
    writer.write_eof()
    with contextlib.suppress(ConnectionError):
        assert b"HTTP" not in await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    async with session() as client, client.get(f"https://127.0.0.1:{port}/who") as reply:
        assert reply.status == 200


async def test_a_peer_that_never_finishes_is_hung_up_on() -> None:
    met: list[object] = []
    server = await asyncio.start_server(
        lambda *ends: met.append(ends), "127.0.0.1", 0, ssl=server_context(HOST), ssl_handshake_timeout=0.05
    )
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        writer.close()
        await writer.wait_closed()
    assert not met


async def test_a_connection_without_tls_proves_nobody() -> None:
    seen: asyncio.Queue[object] = asyncio.Queue()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await seen.put(peer_fingerprint(writer.transport))
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await seen.get() is None
        writer.close()
        await writer.wait_closed()
    assert peer_fingerprint(None) is None


# --- the programs that everybody has -----------------------------------------------------------------------


def write_pem(identity: Identity, path: Path) -> Path:
    certificate = x509.load_der_x509_certificate(self_signed(identity)).public_bytes(Encoding.PEM)
    key = identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate + key)
    return path


async def run(*words: str | Path, given: bytes = b"") -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate(given)
    return process.returncode, output.decode(errors="replace")


async def test_curl_without_a_certificate_is_a_stranger(port: int) -> None:
    assert await run("curl", "-sk", f"https://127.0.0.1:{port}/who") == (0, "None")


async def test_curl_with_a_certificate_is_its_owner(port: int, tmp_path: Path) -> None:
    pem = write_pem(ADA, tmp_path / "ada.pem")
    expected = (0, str(ADA.fingerprint))
    assert await run("curl", "-sk", "--cert", pem, f"https://127.0.0.1:{port}/who") == expected


async def test_curl_with_a_certificate_that_is_no_identity_is_refused(port: int, tmp_path: Path) -> None:
    pem = tmp_path / "ed448.pem"
    words = ["req", "-x509", "-newkey", "ed448", "-nodes", "-subj", "/CN=x"]
    code, said = await run("openssl", *words, "-keyout", pem, "-out", tmp_path / "cert.pem")
    assert code == 0, said
    pem.write_bytes(pem.read_bytes() + (tmp_path / "cert.pem").read_bytes())
    code, said = await run("curl", "-sk", "--cert", pem, f"https://127.0.0.1:{port}/who")
    assert code != 0
    assert said == ""


async def test_curl_is_offered_http_1_only(port: int) -> None:
    code, said = await run("curl", "-skv", "--http2", f"https://127.0.0.1:{port}/who")
    assert code == 0
    assert "ALPN: server accepted http/1.1" in said


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1", "-tls1_2"])
async def test_older_versions_are_refused(port: int, version: str) -> None:
    code, _ = await run(
        "openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, "-cipher", "ALL:@SECLEVEL=0"
    )
    assert code != 0


async def test_openssl_sees_the_certificate_of_the_spec(port: int) -> None:
    code, said = await run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-showcerts")
    assert code == 0
    assert "TLSv1.3" in said
    assert "No client certificate CA names sent" in said
    match = re.search("-----BEGIN.*END CERTIFICATE-----\n", said, re.DOTALL)
    assert match is not None
    certificate = x509.load_pem_x509_certificate(match[0].encode())
    assert fingerprint_of(certificate.public_bytes(Encoding.DER)) == HOST.fingerprint


async def test_a_session_is_never_taken_up_again(port: int, tmp_path: Path) -> None:
    pem, kept = write_pem(ADA, tmp_path / "ada.pem"), tmp_path / "session.pem"
    ask = b"GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-ign_eof"]
    _, said = await run(*words, "-cert", pem, "-sess_out", kept, given=ask)
    assert str(ADA.fingerprint) in said
    if kept.exists():
        _, said = await run(*words, "-sess_in", kept, given=ask)
        assert "Reused" not in said
        assert str(ADA.fingerprint) not in said
        assert said.rstrip().splitlines()[-1].startswith("None") or "\nNone" in said


async def test_keys_may_change_on_the_way(port: int) -> None:
    """A key update asked for by the peer is answered, and data goes on."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line.upper())
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(HOST))
    async with server:
        there = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        process = await asyncio.create_subprocess_exec(
            *("openssl", "s_client", "-connect", there),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"before\n")
        await process.stdout.readuntil(b"BEFORE\n")
        process.stdin.write(b"K\n")
        await process.stdin.drain()
        await process.stdout.readuntil(b"KEYUPDATE\n")
        process.stdin.write(b"after\n")
        await process.stdout.readuntil(b"AFTER\n")
        process.stdin.close()
        await process.communicate()


async def test_openssl_as_an_impostor_gets_neither_certificate_nor_request(tmp_path: Path) -> None:
    pem = write_pem(EVE, tmp_path / "eve.pem")
    process = await asyncio.create_subprocess_exec(
        *("openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", str(pem), "-Verify", "1"),
        *("-msg", "-naccept", "1", "-tls1_3"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    line = await process.stdout.readuntil(b"ACCEPT 127.0.0.1:")
    where = int(await process.stdout.readline())
    context = client_context(ADA, HOST.fingerprint)
    with pytest.raises(IdentityRefused):
        await asyncio.open_connection("127.0.0.1", where, ssl=context)
    output, _ = await process.communicate()
    received = [text for text in (line + output).decode(errors="replace").splitlines() if "<<<" in text]
    assert any("ClientHello" in text for text in received)
    assert not any("Certificate" in text or "Finished" in text for text in received)
