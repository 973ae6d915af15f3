"""PCP's packets: exact bytes of RFC 6887; who does not know the nonce answers nothing."""

from __future__ import annotations

import struct

from hypothesis import assume, given
from hypothesis import strategies as st

from mau.finder.ports import pcp
from mau.finder.ports.pcp import Mapped, Refused

NONCE = bytes(range(12))
V4 = bytes(10) + b"\xff\xff"


def _answer(
    *,
    nonce: bytes = NONCE,
    code: int = 0,
    lifetime: int = 3600,
    epoch: int = 9,
    protocol: int = 6,
    internal: int = 8880,
    external: int = 50001,
    address: bytes = V4 + bytes([11, 22, 33, 44]),
    version: int = 2,
    operation: int = 0x81,
) -> bytes:
    head = struct.pack("!BBBBII12x", version, operation, 0, code, lifetime, epoch)
    return head + nonce + struct.pack("!B3xHH", protocol, internal, external) + address


def _read(packet: bytes, *, v6: bool = False) -> Mapped | Refused | None:
    return pcp.read_map(packet, NONCE, 8880, v6=v6)


def test_a_request_is_that_of_the_rfc() -> None:
    assert pcp.ask_map("192.168.1.2", NONCE, 8880, None, 3600) == bytes.fromhex(
        "02 01 0000 00000e10 00000000 00000000 0000ffff c0a80102"
        "000102030405060708090a0b 06 000000 22b0 0000 00000000 00000000 0000ffff 00000000"
    )
    again = pcp.ask_map("192.168.1.2", NONCE, 8880, ("11.22.33.44", 50001), 0)
    assert again[4:8] == bytes(4)
    assert again[42:] == bytes.fromhex("c351") + V4 + bytes([11, 22, 33, 44])


def test_a_request_for_a_hole_in_a_firewall_names_an_address_of_IPv6() -> None:  # noqa: N802
    request = pcp.ask_map("2601:7::2", NONCE, 8880, None, 3600)
    assert request[8:24] == bytes.fromhex("26010007000000000000000000000002")
    assert request[44:] == bytes(16)
    address = bytes.fromhex("26010007000000000000000000000002")
    assert _read(_answer(address=address), v6=True) == Mapped(9, "2601:7::2", 50001, 3600)


def test_an_answer_is_read_as_the_rfc_has_it() -> None:
    assert _read(_answer()) == Mapped(9, "11.22.33.44", 50001, 3600)
    assert _read(_answer(lifetime=0, external=0)) == Mapped(9, "11.22.33.44", 0, 0)


def test_who_does_not_know_the_nonce_answers_nothing() -> None:
    assert _read(_answer(nonce=bytes(12))) is None
    assert _read(_answer(nonce=bytes(12), code=2)) is None


def test_answers_to_other_questions_are_nothing() -> None:
    for packet in (
        _answer(protocol=17),
        _answer(internal=8881),
        _answer(operation=0x01),
        _answer(operation=0x82),
        _answer(version=3),
        _answer(external=0),
        _answer(address=V4 + bytes(4)),
        _answer(address=bytes(16)),
        _answer(address=bytes.fromhex("26010007000000000000000000000002")),
        _answer()[:-4],
        _answer() + b"\0",
        _answer() + bytes(pcp.MAX_PACKET),
    ):
        assert _read(packet) is None
    assert _read(_answer(), v6=True) is None


def test_options_after_an_answer_do_no_harm() -> None:
    assert _read(_answer() + bytes.fromhex("03000000")) == Mapped(9, "11.22.33.44", 50001, 3600)


def test_refusals_are_told_from_silence() -> None:
    assert _read(_answer(code=2)) == Refused(2)
    assert Refused(2).words == "not authorized"
    # A router that knows NAT-PMP alone, and one of another version, cannot repeat the nonce.
    assert _read(bytes.fromhex("0081 0001 00000009")) == Refused(1)
    assert _read(struct.pack("!BBBBII12x", 1, 0x81, 0, 1, 0, 9)) == Refused(1)


@given(st.binary(max_size=pcp.MAX_PACKET + 8), st.binary(min_size=12, max_size=12), st.booleans())
def test_no_packet_is_more_than_an_answer_or_nothing(packet: bytes, nonce: bytes, v6: bool) -> None:
    assume(nonce not in packet)
    assert not isinstance(pcp.read_map(packet, nonce, 8880, v6=v6), Mapped)


@given(st.integers(0, 59), st.integers(0, 255))
def test_one_byte_changed_is_never_another_port_of_ours(place: int, value: int) -> None:
    packet = bytearray(_answer())
    packet[place] = value
    read = _read(bytes(packet))
    if isinstance(read, Mapped) and packet != _answer():
        # Only what the router decides: time, epoch, external port and address; and what is reserved.
        assert place == 2 or 4 <= place < 24 or 37 <= place < 40 or 42 <= place < 44 or place >= 56
