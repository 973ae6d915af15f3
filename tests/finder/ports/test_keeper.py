"""A port is kept open at routers as they are: forgetful, lying, silent, moved; and never another port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import time
from collections.abc import AsyncIterator, Callable

import pytest

from mau.finder.ports import Gateway, Mapping, Method, Pace, PortKeeper, Surroundings, asking, explain
from tests.finder.ports.tinyrouters import HERE, PmpRouter, pmp_router

PORT = 8880
GATEWAY = Gateway(HERE, "lo", HERE)
# Half a second is an hour here, but for the shortest time between two questions.
PACE = Pace(look=0.05, check=0.3, retry=0.2, longest=0.5, shortest=0.1)


@pytest.fixture
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """A router on loopback is silent after less than four seconds."""
    monkeypatch.setattr(asking, "PATIENCE", (0.1, 0.2, 0.4))


class Kept:
    """A keeper that runs, and what it told."""

    def __init__(self, router: PmpRouter, *methods: Method, lease: int = 3600, pace: Pace = PACE) -> None:
        self.around = Surroundings((GATEWAY,))
        self.told: list[tuple[Mapping, ...]] = []
        self._heard = asyncio.Event()
        self.keeper = PortKeeper(
            PORT,
            methods=methods or ("pcp", "natpmp"),
            lease=lease,
            on_change=self._tell,
            pace=pace,
            surroundings=lambda: self.around,
            control=router.port,
        )
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(self.keeper.run(self.stop))

    def _tell(self, mappings: tuple[Mapping, ...]) -> None:
        self.told.append(mappings)
        self._heard.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds, which is looked at when something is told."""
        async with asyncio.timeout(20):
            while not condition():
                self._heard.clear()
                await self._heard.wait()

    async def mapping(self) -> Mapping:
        await self.until(lambda: bool(self.keeper.mappings))
        return self.keeper.mappings[0]

    async def end(self) -> None:
        self.stop.set()
        await self.task


@contextlib.asynccontextmanager
async def kept(
    router: PmpRouter, *methods: Method, lease: int = 3600, pace: Pace = PACE
) -> AsyncIterator[Kept]:
    made = Kept(router, *methods, lease=lease, pace=pace)
    try:
        yield made
    finally:
        await made.end()


@pytest.mark.parametrize("method", ["pcp", "natpmp"])
async def test_what_was_mapped_is_ours_alone_and_is_removed_at_the_end(method: Method) -> None:
    async with pmp_router(pcp=method == "pcp", natpmp=method == "natpmp") as router:
        async with kept(router) as made:
            mapping = await made.mapping()
            assert mapping.method == method
            assert mapping.external == ("11.22.33.44", PORT)
            assert mapping.internal == (HERE, PORT)
            assert mapping.public
            assert 3500 < mapping.until - time.time() <= 3600
            assert router.mapped == {PORT: PORT}
        assert router.mapped == {}
        assert made.keeper.mappings == ()
        assert made.told[-1] == ()


async def test_a_router_that_has_both_is_asked_for_one_mapping() -> None:
    async with pmp_router() as router, kept(router) as made:
        assert (await made.mapping()).method == "pcp"
        assert router.asked.count("map") == 1


async def test_another_external_port_is_what_the_router_says() -> None:
    async with pmp_router() as router:
        router.offset = 17
        async with kept(router) as made:
            assert (await made.mapping()).external == ("11.22.33.44", PORT + 17)
            # It asks for the same one again.
            await router.until(lambda: router.asked.count("map") >= 3)
            assert router.mapped == {PORT: PORT + 17}


@pytest.mark.parametrize("method", ["pcp", "natpmp"])
async def test_a_router_that_restarts_maps_again(method: Method) -> None:
    async with pmp_router() as router, kept(router, method) as made:
        await made.mapping()
        router.restart()
        assert router.mapped == {}
        await router.until(lambda: router.mapped == {PORT: PORT})


@pytest.mark.parametrize("method", ["pcp", "natpmp"])
async def test_a_new_external_address_is_told(method: Method) -> None:
    async with pmp_router() as router, kept(router, method) as made:
        await made.mapping()
        router.address = "11.22.33.99"
        await made.until(lambda: made.keeper.mappings[0].external == ("11.22.33.99", PORT))
        assert [len(one) for one in made.told] == [1, 1]


async def test_a_lease_is_renewed_when_half_of_it_is_gone() -> None:
    pace = Pace(look=0.05, check=60.0, retry=0.2, longest=0.5, shortest=0.1)
    async with pmp_router(pcp=False) as router:
        router.longest = 4
        async with kept(router, pace=pace) as made:
            mapping = await made.mapping()
            assert 3 < mapping.until - time.time() <= 4
            began = time.monotonic()
            await router.until(lambda: router.asked.count("map") == 3)
            assert 2.0 < time.monotonic() - began < 8.0
            assert len(made.told) == 1


async def test_a_lease_of_no_time_does_not_make_us_ask_all_the_time() -> None:
    async with pmp_router(pcp=False) as router:
        router.longest = 1
        async with kept(router, pace=Pace(look=0.05, check=60.0, retry=5.0, longest=5.0)) as made:
            await made.mapping()
            with pytest.raises(TimeoutError):
                await router.until(lambda: router.asked.count("map") > 1, seconds=2.0)


async def test_a_private_address_outside_is_told_as_such() -> None:
    async with pmp_router() as router:
        router.address = "100.64.1.2"
        async with kept(router) as made:
            assert not (await made.mapping()).public
            assert "which is no address of the internet" in explain(made.keeper.state)


def _wrong_nonce(packet: bytes) -> list[bytes]:
    return [packet[:24] + os.urandom(12) + packet[36:]] if packet[0] == 2 else []


def _short(packet: bytes) -> list[bytes]:
    return [packet[:length] for length in range(0, len(packet), 3) if length != 24]


def _other_port(packet: bytes) -> list[bytes]:
    return [packet[:40] + struct.pack("!H", 22) + packet[42:]] if packet[0] == 2 else []


def _noise(packet: bytes) -> list[bytes]:
    return [os.urandom(60), b"", bytes(60), os.urandom(1500), packet[::-1]] * 20


@pytest.mark.usefixtures("haste")
@pytest.mark.parametrize("lie", [_wrong_nonce, _short, _other_port, _noise])
async def test_lies_are_as_good_as_silence_and_the_truth_after_them_is_heard(
    lie: Callable[[bytes], list[bytes]],
) -> None:
    async with pmp_router(natpmp=False) as router:
        router.twist = lie
        async with kept(router, "pcp") as made:
            await made.until(lambda: made.keeper.state.looked)
            assert made.keeper.mappings == ()
            router.twist = lambda packet: [*lie(packet), packet]
            assert (await made.mapping()).external == ("11.22.33.44", PORT)


@pytest.mark.usefixtures("haste")
async def test_an_answer_from_another_address_is_not_heard() -> None:
    async with pmp_router() as router:
        loop = asyncio.get_running_loop()
        other, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.2", 0))
        received = router.datagram_received

        def answer_elsewhere(data: bytes, addr: tuple[str, int]) -> None:
            packet = router._answer(data)
            assert packet is not None
            other.sendto(packet, addr)

        router.datagram_received = answer_elsewhere  # type: ignore[method-assign]
        try:
            async with kept(router) as made:
                await made.until(lambda: made.keeper.state.looked)
                assert made.keeper.mappings == ()
                router.datagram_received = received  # type: ignore[method-assign]
                await made.mapping()
        finally:
            other.close()


async def test_a_refusal_is_told_in_words_and_asked_again_later() -> None:
    async with pmp_router() as router:
        router.code = 2
        async with kept(router) as made:
            await made.until(lambda: made.keeper.state.looked)
            assert explain(made.keeper.state) == (
                "the router 127.0.0.1 maps nothing (PCP: not authorized, NAT-PMP: not authorized): "
                "forward TCP port 8880 to this machine (127.0.0.1) by hand"
            )
            router.code = 0
            await made.mapping()


@pytest.mark.usefixtures("haste")
async def test_silence_does_not_take_a_mapping_before_its_lease_ends() -> None:
    async with pmp_router() as router:
        router.longest = 4
        async with kept(router, "natpmp") as made:
            mapping = await made.mapping()
            router.twist = lambda packet: []
            await made.until(lambda: made.keeper.mappings == ())
            assert time.time() >= mapping.until - 0.1
            router.twist = lambda packet: [packet]
            await made.mapping()


async def test_a_network_that_is_left_is_given_up_at_once_and_another_one_asked() -> None:
    async with pmp_router() as first, kept(first) as made:
        await made.mapping()
        made.around = Surroundings()
        await made.until(lambda: made.keeper.mappings == ())
        assert (
            explain(made.keeper.state)
            == "no router is found: this machine is on no network, or does not tell its routes"
        )
        made.around = Surroundings((GATEWAY,), ("2601:7::2",))
        await made.until(lambda: len(made.keeper.mappings) == 2)
        assert made.keeper.mappings[1].method == "direct"


async def test_own_addresses_of_the_internet_need_no_router() -> None:
    async with pmp_router() as router:
        made = Kept(router)
        made.around = Surroundings((), ("11.22.33.7", "2601:7::2"))
        await made.until(lambda: len(made.keeper.mappings) == 2)
        assert [one.external for one in made.keeper.mappings] == [("11.22.33.7", PORT), ("2601:7::2", PORT)]
        assert "[2601:7::2]:8880" in explain(made.keeper.state)
        await made.end()
        assert not router.asked


async def test_a_router_that_is_silent_at_the_end_holds_nobody_up() -> None:
    async with pmp_router() as router:
        async with kept(router) as made:
            await made.mapping()
            router.twist = lambda packet: []
            began = time.monotonic()
        assert time.monotonic() - began < 8.0


def test_it_is_asked_less_and_less_often_after_failures_and_never_all_the_time() -> None:
    pace = Pace()
    waits = [pace.after_failures(failures) for failures in range(1, 50)]
    assert waits == sorted(waits)
    assert waits[0] == 15.0
    assert waits[-1] == 1800.0
    assert pace.while_mapped(3600.0) == 60.0
    assert pace.while_mapped(60.0) == 30.0
    assert pace.while_mapped(-5.0) == 4.0
    assert pace.while_mapped(float("inf")) == 60.0
    assert pace.is_due(1800.0, 3600.0)
    assert not pace.is_due(1900.0, 3600.0)
    assert not pace.is_due(float("inf"), float("inf"))
