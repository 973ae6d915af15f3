"""UPnP at routers that do not do as the books say; a router that does is in tests/network/test_ports.py."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from mau.finder.ports import upnp
from mau.finder.ports.mapping import FOREVER, SILENT, Failure, Gateway, Mapping
from mau.finder.ports.upnp import UpnpSession
from tests.finder.ports.tinyrouters import HERE, Igd, igd

GATEWAY = Gateway(HERE, "lo", HERE)
PORT = 8880


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A router on loopback answers a search at once."""
    monkeypatch.setattr(upnp, "SEARCH_SECONDS", 1.0)


@pytest.fixture
def router() -> Iterator[Igd]:
    with igd() as made:
        yield made


def _session(router: Igd) -> UpnpSession:
    return UpnpSession(GATEWAY, PORT, group=router.ssdp)


async def _mapped(session: UpnpSession) -> Mapping:
    mapping = await session.map(3600)
    assert isinstance(mapping, Mapping), mapping
    return mapping


async def test_a_port_is_mapped_kept_and_removed(router: Igd) -> None:
    session = _session(router)
    mapping = await _mapped(session)
    assert mapping.external == ("11.22.33.44", PORT)
    assert 3500 < mapping.until - time.time() <= 3600
    assert router.entries == {PORT: (HERE, PORT, 3600)}
    assert await session.keep(mapping, 3600, renew=False) == mapping
    assert router.fetched.count("AddPortMapping") == 1
    renewed = await session.keep(mapping, 1800, renew=True)
    assert isinstance(renewed, Mapping)
    assert router.entries == {PORT: (HERE, PORT, 1800)}
    await session.unmap(renewed)
    assert router.entries == {}


async def test_a_router_that_knows_no_leases_is_asked_for_one_without_end(router: Igd) -> None:
    router.permanent_only = True
    session = _session(router)
    mapping = await _mapped(session)
    assert mapping.until == FOREVER
    assert router.entries == {PORT: (HERE, PORT, 0)}
    await session.unmap(mapping)
    assert router.entries == {}


async def test_a_port_of_another_machine_is_left_to_it_and_another_one_asked_for(router: Igd) -> None:
    router.entries[PORT] = ("192.168.1.77", 22, 0)
    session = _session(router)
    mapping = await _mapped(session)
    assert mapping.external[1] >= 49152
    assert mapping.internal == (HERE, PORT)
    assert router.entries.pop(mapping.external[1]) == (HERE, PORT, 3600)
    assert router.entries == {PORT: ("192.168.1.77", 22, 0)}


async def test_what_became_anothers_meanwhile_is_not_removed(router: Igd) -> None:
    session = _session(router)
    mapping = await _mapped(session)
    router.entries[PORT] = ("192.168.1.77", PORT, 0)
    await session.unmap(mapping)
    assert router.entries == {PORT: ("192.168.1.77", PORT, 0)}


async def test_an_entry_that_is_gone_and_an_address_that_changed_are_mapped_anew(router: Igd) -> None:
    session = _session(router)
    mapping = await _mapped(session)
    router.entries.clear()
    assert await session.keep(mapping, 3600, renew=False) != mapping  # another lease
    assert router.entries == {PORT: (HERE, PORT, 3600)}
    router.address = "11.22.33.45"
    moved = await session.keep(mapping, 3600, renew=False)
    assert isinstance(moved, Mapping)
    assert moved.external == ("11.22.33.45", PORT)


@pytest.mark.parametrize("address", ["", "0.0.0.0", "evil.example", "1" * 39, "::1"])  # noqa: S104 - a router's word
async def test_an_address_that_is_none_is_no_mapping(router: Igd, address: str) -> None:
    router.address = address
    answer = await _session(router).map(3600)
    assert isinstance(answer, Failure)
    assert answer.answered
    assert router.entries == {}


async def test_an_address_that_is_private_is_told_as_such(router: Igd) -> None:
    router.address = "100.64.3.3"
    assert not (await _mapped(_session(router))).public


async def test_a_description_that_sends_us_elsewhere_is_not_followed(router: Igd) -> None:
    with igd() as other:
        port = other.location.split(":")[2].partition("/")[0]
        router.control = f"http://localhost:{port}/ctl"
        assert await _session(router).map(3600) == SILENT
        assert not other.fetched
        assert router.fetched == ["/desc.xml"]


async def test_a_description_elsewhere_is_not_fetched(router: Igd) -> None:
    with igd() as other:
        router.location = other.location.replace(HERE, "127.0.0.2")
        assert await _session(router).map(3600) == SILENT
        router.location = other.location.replace(HERE, "localhost")
        assert await _session(router).map(3600) == SILENT
        assert not other.fetched
    assert not router.fetched


async def test_who_is_not_the_gateway_is_not_believed(router: Igd) -> None:
    session = UpnpSession(Gateway("127.0.0.9", "lo", HERE), PORT, group=router.ssdp)
    assert await session.map(3600) == SILENT
    assert not router.fetched


async def test_a_router_that_never_answers_holds_up_one_thread_and_nobody(
    router: Igd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upnp, "CALL_SECONDS", 1.0)
    router.hang.clear()
    session = _session(router)
    began = time.monotonic()
    for _ in range(3):
        assert await session.map(3600) == Failure("does not finish its answer", answered=True)
    assert time.monotonic() - began < 3.0
    assert router.fetched == ["/desc.xml", "GetExternalIPAddress"]
