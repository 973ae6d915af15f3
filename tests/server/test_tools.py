"""curl and openssl as visitors: programs that know nothing of us."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mau.content.binding import PUBLIC
from mau.wire.identity import self_signed
from tests.server.world import Host, Someone, audience, content_of, serving

PATIENCE = 30.0


@pytest.fixture
async def host(alice: Someone, bob: Someone) -> AsyncIterator[Host]:
    alice.publish("pic é 1.bin", os.urandom(1_000_000), audience(alice, bob))
    alice.publish("public", b"hello", PUBLIC)
    async with serving(alice) as host:
        yield host


@pytest.fixture
def papers(bob: Someone, tmp_path: Path) -> list[str]:
    """Bob's certificate and key, as curl and openssl want them."""
    from cryptography.x509 import load_der_x509_certificate

    identity = bob.account.identity()
    certificate, key = tmp_path / "bob.crt", tmp_path / "bob.key"
    certificate.write_bytes(load_der_x509_certificate(self_signed(identity)).public_bytes(Encoding.PEM))
    key.write_bytes(identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return ["--cert", str(certificate), "--key", str(key)]


async def run(*words: str, given: bytes = b"") -> bytes:
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate(given)
    assert process.returncode == 0, err.decode()
    return out


def curl(host: Host, *words: str) -> list[str]:
    base = f"https://{host.host}:{host.port}/p2p/{host.owner.fingerprint}"
    return ["curl", "-sSk", *(word.replace("@/", base + "/") for word in words)]


async def test_curl_lists_and_fetches(host: Host, alice: Someone, papers: list[str]) -> None:
    listing = json.loads(await run(*curl(host, *papers, "@/")))
    assert {item["name"] for item in listing} == {"pic é 1.bin.pgp", "public.pgp"}
    [item] = [item for item in listing if item["name"] != "public.pgp"]
    content = await run(*curl(host, *papers, "@/pic%20%C3%A9%201.bin.pgp"))
    assert hashlib.sha256(content).hexdigest() == item["sum"]
    assert len(content) == item["size"]


async def test_curl_resumes(host: Host, alice: Someone, papers: list[str], tmp_path: Path) -> None:
    content = content_of(alice.own("pic é 1.bin"))
    part = tmp_path / "part"
    part.write_bytes(content[:123_456])
    await run(*curl(host, *papers, "-C", "-", "-o", str(part), "@/pic%20%C3%A9%201.bin.pgp"))
    assert content_of(part) == content


async def test_curl_without_papers_sees_what_is_public(host: Host) -> None:
    listing = json.loads(await run(*curl(host, "@/")))
    assert [item["name"] for item in listing] == ["public.pgp"]
    told = await run(
        *curl(host, "-o", "/dev/null", "-w", "%{http_code} %{content_type}", "@/pic%20%C3%A9%201.bin.pgp")
    )
    assert told == b"404 application/problem+json"
    told = await run(*curl(host, "-I", "@/public.pgp"))
    assert told.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_curl_uses_one_connection_for_many_requests(host: Host, papers: list[str]) -> None:
    words = ["-o", "/dev/null", "-w", "%{http_code} %{num_connects}\\n"]
    told = await run(
        *curl(host, *papers, *words, *["@/public.pgp"] * 1, *["-o", "/dev/null", "@/public.pgp"] * 9)
    )
    assert told.decode().splitlines() == ["200 1", *["200 0"] * 9]


async def test_openssl_speaks_to_us(host: Host, papers: list[str]) -> None:
    path = f"/p2p/{host.owner.fingerprint}/public.pgp"
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    words = [word.replace("--", "-") if word.startswith("--") else word for word in papers]
    told = await run(
        "openssl",
        "s_client",
        "-quiet",
        "-ign_eof",
        "-connect",
        f"{host.host}:{host.port}",
        *words,
        given=request,
    )
    assert told.startswith(b"HTTP/1.1 200 OK\r\n")
    assert told.endswith(content_of(host.owner.own("public")))
