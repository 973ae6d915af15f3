"""Impostors who write every message of the handshake themselves (spec/tls.md T10-T15).

OpenSSL keeps attackers from showing certificates without the key, from leaving out messages, and from saying
them in another order. So these speak TLS 1.3 by hand, as a server to our client and as a client to our
server.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from mau.errors import IdentityError
from mau.wire.identity import self_signed
from mau.wire.tls import identity_error
from tests.wire.attackers import (
    REQUEST,
    SECRET,
    Seen,
    ask,
    attack_as_client,
    attacking_server,
    mallory,
    our_server,
    victim,
)
from tests.wire.handmade import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CLIENT_LABEL,
    DATA,
    ECDSA_P256,
    ENCRYPTED_EXTENSIONS,
    FINISHED,
    RSA_PSS,
    SERVER_LABEL,
    Handmade,
    Keys,
    extension,
    vector,
)

Attempt = Callable[[Handmade], None]
ATTEMPTS: dict[str, Attempt] = {}
IDENTITY_ERRORS: set[str] = set()  # a key is shown without its owner, or it is another one


def attempt(function: Attempt) -> Attempt:
    ATTEMPTS[function.__name__.replace("_", " ")] = function
    return function


def identity(function: Attempt) -> Attempt:
    IDENTITY_ERRORS.add(function.__name__.replace("_", " "))
    return attempt(function)


def own_key() -> Any:
    return mallory().private_key


def stolen_key() -> Any:
    """The victim's: what it signed elsewhere may have come into Mallory's hands, the key has not."""
    return victim().private_key


def show_victim(end: Handmade) -> None:
    end.certificates([self_signed(victim())])


def honest(end: Handmade) -> None:
    show_victim(end)
    end.signed(stolen_key())
    end.finished()


@identity
def signed_with_another_key(end: Handmade) -> None:
    show_victim(end)
    end.signed(own_key())
    end.finished()


@identity
def signed_with_noise(end: Handmade) -> None:
    show_victim(end)
    end.verify(os.urandom(64))
    end.finished()


@identity
def signed_with_zeros(end: Handmade) -> None:
    show_victim(end)
    end.verify(bytes(64))
    end.finished()


@identity
def signed_with_a_point_of_small_order(end: Handmade) -> None:
    show_victim(end)
    end.verify(b"\x01" + bytes(63))
    end.finished()


@attempt
def signed_with_nothing(end: Handmade) -> None:
    show_victim(end)
    end.verify(b"")
    end.finished()


@attempt
def signed_by_the_name_of_ecdsa(end: Handmade) -> None:
    show_victim(end)
    end.verify(own_key().sign(end.content()), ECDSA_P256)
    end.finished()


@attempt
def signed_by_the_name_of_rsa(end: Handmade) -> None:
    show_victim(end)
    end.verify(own_key().sign(end.content()), RSA_PSS)
    end.finished()


@attempt
def signed_by_the_name_of_nothing(end: Handmade) -> None:
    show_victim(end)
    end.verify(own_key().sign(end.content()), 0x0000)
    end.finished()


@identity
def what_the_victim_signed_in_another_handshake(end: Handmade) -> None:
    show_victim(end)
    end.signed(stolen_key(), digest=os.urandom(32))
    end.finished()


@identity
def what_the_victim_signed_for_the_other_side(end: Handmade) -> None:
    show_victim(end)
    end.signed(stolen_key(), label=CLIENT_LABEL if end.server else SERVER_LABEL)
    end.finished()


@identity
def what_the_victim_signed_before_its_certificate(end: Handmade) -> None:
    before = end.hash()
    show_victim(end)
    end.signed(stolen_key(), digest=before)
    end.finished()


@identity
def what_the_victim_signed_as_a_file(end: Handmade) -> None:
    show_victim(end)
    end.verify(stolen_key().sign(end.hash()))
    end.finished()


@attempt
def the_victims_proof_without_the_secret_of_the_connection(end: Handmade) -> None:
    show_victim(end)
    end.signed(stolen_key())
    end.finished(wrong=True)


@attempt
def no_signature(end: Handmade) -> None:
    show_victim(end)
    end.finished()


@attempt
def no_certificate(end: Handmade) -> None:
    end.finished()


@attempt
def a_signature_without_a_certificate(end: Handmade) -> None:
    end.signed(own_key())
    end.finished()


@attempt
def an_empty_list_of_certificates(end: Handmade) -> None:
    end.certificates([])
    end.finished()


@attempt
def an_empty_list_of_certificates_and_a_signature(end: Handmade) -> None:
    end.certificates([])
    end.signed(own_key())
    end.finished()


@attempt
def an_empty_certificate_before_the_victims(end: Handmade) -> None:
    end.certificates([b"", self_signed(victim())])
    end.signed(own_key())
    end.finished()


@identity
def the_victim_first_and_oneself_behind(end: Handmade) -> None:
    end.certificates([self_signed(victim()), self_signed(mallory())])
    end.signed(own_key())
    end.finished()


@identity
def oneself_first_and_the_victim_behind(end: Handmade) -> None:
    end.certificates([self_signed(mallory()), self_signed(victim())])
    end.signed(own_key())
    end.finished()


@attempt
def the_victims_certificate_with_something_behind(end: Handmade) -> None:
    end.certificates([self_signed(victim()) + b"\0"])
    end.signed(own_key())
    end.finished()


@attempt
def a_second_certificate_after_the_proof(end: Handmade) -> None:
    end.certificates([self_signed(mallory())])
    end.signed(own_key())
    show_victim(end)
    end.finished()


@identity
def a_second_certificate_after_the_end(end: Handmade) -> None:
    end.certificates([self_signed(mallory())])
    end.signed(own_key())
    end.finished()
    show_victim(end)


@attempt
def the_victims_certificate_before_ones_own(end: Handmade) -> None:
    show_victim(end)
    end.certificates([self_signed(mallory())])
    end.signed(own_key())
    end.finished()


@attempt
def the_signature_before_the_certificate(end: Handmade) -> None:
    end.signed(own_key())
    show_victim(end)
    end.finished()


@attempt
def data_before_any_proof(end: Handmade) -> None:
    end.send(DATA, REQUEST)
    show_victim(end)


@attempt
def data_in_place_of_the_end(end: Handmade) -> None:
    show_victim(end)
    end.send(DATA, REQUEST)


@attempt
def data_in_the_clear(end: Handmade) -> None:
    end.writing = None
    end.send(DATA, REQUEST)


@attempt
def data_under_the_keys_of_data_without_any_proof(end: Handmade) -> None:
    end.writing = Keys(end.own(end.data_secrets()))
    end.send(DATA, REQUEST)


@attempt
def a_certificate_cut_short(end: Handmade) -> None:
    end.say(CERTIFICATE, vector(1, b"") + b"\x00\x10\x00" + self_signed(victim()))
    end.finished()


@attempt
def a_raw_key_in_place_of_a_certificate(end: Handmade) -> None:
    end.certificates(
        [bytes.fromhex("302a300506032b6570032100") + stolen_key().public_key().public_bytes_raw()]
    )
    end.signed(own_key())
    end.finished()


@attempt
def the_end_twice_and_no_certificate(end: Handmade) -> None:
    end.finished()
    end.finished()


# --- the two sides -----------------------------------------------------------------------------------------


def as_server(
    flight: Attempt, *, share: bytes | None = None, more: bytes = b""
) -> Callable[[socket.socket], Seen]:
    """Serve one connection: greet, fly, and note whatever the client says to that."""

    def converse(raw: socket.socket) -> Seen:
        seen = Seen()
        with contextlib.closing(raw), contextlib.suppress(OSError, StopIteration):
            end = Handmade(raw, server=True)
            with end.file:
                end.greet(share=share, more=more)
                end.say(ENCRYPTED_EXTENSIONS, vector(2, b""))
                end.say(
                    CERTIFICATE_REQUEST, vector(1, b"") + vector(2, extension(13, vector(2, b"\x08\x07")))
                )
                flight(end)
                secrets = end.data_secrets()
                for kind, body in end.messages():
                    if kind == CERTIFICATE:
                        seen.certificate = body
                    elif kind == FINISHED:
                        end.reading, end.writing = Keys(end.others(secrets)), Keys(end.own(secrets))
                        seen.data += b"Finished, and "
                    elif kind == 0:
                        seen.data += body
                        end.send(DATA, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        return seen

    return converse


def as_client(
    flight: Attempt, *, share: bytes | None = None, more: bytes = b""
) -> Callable[[socket.socket], Seen]:
    """Visit a server: greet, hear it out, fly, ask, and note the answer."""

    def converse(raw: socket.socket) -> Seen:
        seen = Seen()
        with contextlib.closing(raw), contextlib.suppress(OSError, StopIteration):
            end = Handmade(raw, server=False)
            with end.file:
                end.greet(share=share, more=more)
                heard = end.messages()
                while next(heard)[0] != FINISHED:
                    pass
                secrets = end.data_secrets()
                flight(end)
                end.reading, end.writing = Keys(end.others(secrets)), Keys(end.own(secrets))
                end.send(DATA, REQUEST)
                for kind, body in end.messages():
                    if kind == 0:
                        seen.data += body
        return seen

    return converse


# --- what must hold ----------------------------------------------------------------------------------------


async def test_the_true_one_is_sent_the_request() -> None:
    with attacking_server(as_server(honest)) as (port, result):
        assert await ask(port, victim().fingerprint) == "ok"
        seen = result()
    assert seen.data.startswith(b"Finished, and GET /p2p/")
    assert seen.certificate is not None


async def test_the_true_one_is_answered() -> None:
    async with our_server(victim().fingerprint) as ours:
        seen = await attack_as_client(ours.port, as_client(honest))
    assert seen.data == SECRET
    assert ours.visitors == [victim().fingerprint]


@pytest.mark.parametrize("name", sorted(ATTEMPTS))
async def test_no_impostor_is_sent_a_request(name: str) -> None:
    with attacking_server(as_server(ATTEMPTS[name])) as (port, result):
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await ask(port, victim().fingerprint)
        seen = result()
    assert seen == Seen(data=b"", certificate=None)
    if name in IDENTITY_ERRORS:
        assert isinstance(identity_error(caught.value), IdentityError)


@pytest.mark.parametrize("name", sorted(ATTEMPTS))
async def test_no_impostor_is_answered(name: str) -> None:
    async with our_server(victim().fingerprint) as ours:
        seen = await attack_as_client(ours.port, as_client(ATTEMPTS[name]))
    assert seen.data == b""
    assert victim().fingerprint not in ours.visitors


ZERO, ONE = bytes(32), b"\x01" + bytes(31)


@pytest.mark.parametrize("share", [ZERO, ONE], ids=["zero", "one"])
async def test_a_key_exchange_that_everybody_can_compute_is_refused(share: bytes) -> None:
    with attacking_server(as_server(honest, share=share)) as (port, result):
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask(port, victim().fingerprint)
        assert result() == Seen(data=b"", certificate=None)
    async with our_server(victim().fingerprint) as ours:
        seen = await attack_as_client(ours.port, as_client(honest, share=share))
    assert seen.data == b""
    assert ours.visitors == []


async def test_a_server_cannot_claim_a_session_that_never_was() -> None:
    chosen = extension(41, b"\x00\x00")
    with attacking_server(as_server(Handmade.finished, more=chosen)) as (port, result):
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask(port, victim().fingerprint)
        assert result() == Seen(data=b"", certificate=None)


async def test_a_client_that_claims_a_session_is_asked_for_its_proof() -> None:
    """The offer of an invented session, the victim's id in it, and early data announced."""
    sessions = vector(2, vector(2, victim().fingerprint.raw) + bytes(4)) + vector(
        2, vector(1, os.urandom(32))
    )
    more = extension(42, b"") + extension(45, b"\x01\x01") + extension(41, sessions)
    async with our_server(victim().fingerprint) as ours:
        seen = await attack_as_client(ours.port, as_client(no_certificate, more=more))
    assert seen.data == b""
    assert ours.visitors == []
