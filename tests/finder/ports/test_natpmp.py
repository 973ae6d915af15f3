"""NAT-PMP's packets: exact bytes of RFC 6886, and everything else is nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mau.finder.ports import natpmp
from mau.finder.ports.natpmp import Epoch, ExternalAddress, Mapped, Refused


def test_questions_are_those_of_the_rfc() -> None:
    assert natpmp.ask_address() == bytes.fromhex("0000")
    assert natpmp.ask_map(8880, 8881, 3600) == bytes.fromhex("0002 0000 22b0 22b1 00000e10")


def test_answers_are_read_as_the_rfc_has_them() -> None:
    assert natpmp.read_address(bytes.fromhex("0080 0000 00000102 0b162121")) == ExternalAddress(
        258, "11.22.33.33"
    )
    packet = bytes.fromhex("0082 0000 00000007 22b0 c351 00000e10")
    assert natpmp.read_map(packet, 8880) == Mapped(7, 8880, 50001, 3600)
    assert natpmp.read_map(packet, 8881) is None


def test_a_removal_is_answered_without_a_port() -> None:
    packet = bytes.fromhex("0082 0000 00000007 22b0 0000 00000000")
    assert natpmp.read_map(packet, 8880) == Mapped(7, 8880, 0, 0)
    assert natpmp.read_map(packet[:-1] + b"\x01", 8880) is None  # a lease of no port


def test_refusals_are_told_from_silence() -> None:
    assert natpmp.read_map(bytes.fromhex("0082 0002 00000007"), 8880) == Refused(2)
    assert natpmp.read_address(bytes.fromhex("0080 0003 00000007 00000000")) == Refused(3)
    assert Refused(2).words == "not authorized"
    assert Refused(77).words == "result 77"
    # A router that knows PCP alone (RFC 6887 section 9 and appendix A).
    assert natpmp.read_address(bytes.fromhex("0280 0001") + bytes(20)) == Refused(1)


def test_the_answer_to_one_question_is_none_to_the_other() -> None:
    assert natpmp.read_map(bytes.fromhex("0080 0000 00000102 0b162121"), 8880) is None
    assert natpmp.read_address(bytes.fromhex("0082 0000 00000007 22b0 c351 00000e10")) is None
    assert natpmp.read_address(natpmp.ask_address()) is None


@given(st.binary(max_size=40), st.integers(1, 65535))
def test_no_packet_is_more_than_an_answer_or_nothing(packet: bytes, port: int) -> None:
    mapped = natpmp.read_map(packet, port)
    if isinstance(mapped, Mapped):
        assert mapped.internal_port == port
        assert len(packet) == 16
        assert mapped.external_port or not mapped.lifetime
    address = natpmp.read_address(packet)
    assert not isinstance(address, ExternalAddress) or len(packet) == 12


@given(
    st.integers(1, 65535),
    st.integers(1, 65535),
    st.integers(1, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.data(),
)
def test_an_answer_that_lost_a_piece_is_none(
    internal: int, external: int, lifetime: int, epoch: int, data: st.DataObject
) -> None:
    packet = (
        bytes([0, 130, 0, 0])
        + epoch.to_bytes(4, "big")
        + internal.to_bytes(2, "big")
        + external.to_bytes(2, "big")
        + lifetime.to_bytes(4, "big")
    )
    assert natpmp.read_map(packet, internal) == Mapped(epoch, internal, external, lifetime)
    assert natpmp.read_map(packet[: data.draw(st.integers(0, 15))], internal) is None


def test_a_router_that_began_again_is_noticed() -> None:
    before = Epoch(1000, 50.0)
    assert before.forgot(Epoch(0, 60.0))
    assert before.forgot(Epoch(1000, 60.0))
    assert not before.forgot(Epoch(1010, 60.0))
    assert not before.forgot(Epoch(999, 50.1))  # two answers that passed each other
    assert not before.forgot(Epoch(1000 + 880, 50.0 + 1000))  # a clock that loses an eighth
    assert before.forgot(Epoch(1000 + 870, 50.0 + 1000))


@given(st.integers(0, 2**31), st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_router_whose_clock_goes_well_never_forgot(said: int, heard: float, later: float) -> None:
    assert not Epoch(said, heard).forgot(Epoch(said + int(later), heard + later))
