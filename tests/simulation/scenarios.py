"""What is measured, and the table of it: ours, and the plain lookup in the same world from the same seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mau.fingerprint import Fingerprint
from mau.kademlia import Lookup, Node
from tests.simulation.walking import Outcome, join, plain, walk
from tests.simulation.world import Mode, World

FRIENDS: Final = 8
PER_NEWCOMER: Final = 10
"""Lookups of one who has just joined."""
COLUMNS: Final = ("found", "messages", "95 %", "hops")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A network, and who looks for whom. `newcomers`: who joined through liars, and has 8 honest friends."""

    name: str
    dead: float = 0.0
    hostile: float = 0.0
    mode: Mode = "collude"
    networks: int = 0
    absent: bool = False
    newcomers: bool = False


SCENARIOS: Final = (
    Scenario("nobody dead"),
    *(Scenario(f"{part} % dead", dead=part / 100) for part in (10, 30, 50)),
    Scenario("who is looked for is not there", absent=True),
    *(Scenario(f"{part} % collude", hostile=part / 100) for part in (10, 20, 30)),
    *(Scenario(f"{part} % give false addresses", hostile=part / 100, mode="false") for part in (10, 20, 30)),
    *(
        Scenario(f"{part} % ground around ten victims", hostile=part / 100, mode="ground")
        for part in (10, 20, 30)
    ),
    Scenario("... 30 %, all in 16 networks", hostile=0.3, mode="ground", networks=16),
    Scenario("... 30 %, all in 4 networks", hostile=0.3, mode="ground", networks=4),
    *(Scenario(f"{part} % lie to who joins", hostile=part / 100, newcomers=True) for part in (10, 20, 30)),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """`found`: a part of all; `messages` and `hops`: means; `most`: messages of 19 in 20 lookups at most."""

    found: float
    messages: float
    most: int
    hops: float

    @classmethod
    def of(cls, outcomes: list[Outcome]) -> Figures:
        """Of at least one."""
        count = len(outcomes)
        messages = sorted(one.messages for one in outcomes)
        return cls(
            sum(one.found for one in outcomes) / count,
            sum(messages) / count,
            messages[int(count * 0.95)],
            sum(one.hops for one in outcomes) / count,
        )

    def cells(self) -> list[str]:
        """As the table shows them."""
        return [
            f"{self.found:.1%}".replace("%", " %"),
            f"{self.messages:.1f}",
            str(self.most),
            f"{self.hops:.1f}",
        ]


def measure(scenario: Scenario, *, peers: int, lookups: int, seed: int) -> tuple[Figures, Figures]:
    """Ours and the plain one."""
    world = World(
        peers,
        seed,
        dead=scenario.dead,
        hostile=scenario.hostile,
        mode=scenario.mode,
        networks=scenario.networks,
    )
    ours, others = [], []
    # To look for nobody takes ten times as long, and there is not much to be learned from it.
    count = max(lookups // 10, 10) if scenario.absent else lookups
    for own, target, seeds, friends in _questions(scenario, world, count):
        lookup = Lookup(target, seeds, friends=friends, own=own, caps=world.caps)
        ours.append(walk(lookup, world))
        others.append(plain(target, seeds + friends, world))
    return Figures.of(ours), Figures.of(others)


def _questions(
    scenario: Scenario, world: World, count: int
) -> Iterator[tuple[Fingerprint, Fingerprint, list[Node], list[Node]]]:
    """Who looks, for whom, and where each begins: at what his table says, and his friends."""
    chance = world.chance
    for number in range(count):
        target = chance.choice(world.victims or world.living).fingerprint
        if scenario.absent:
            target = Fingerprint(chance.randbytes(20))
        if scenario.newcomers:
            if number % PER_NEWCOMER == 0:
                own = Fingerprint(chance.randbytes(20))
                table = join(own, chance.sample(world.hostile, 3), world)
                friends = chance.sample(world.living, FRIENDS)
            yield own, target, table.seeds(target), friends
        else:
            asker = chance.choice(
                [node for node in chance.sample(world.living, 2) if node.fingerprint != target]
            )
            yield asker.fingerprint, target, world.table(asker).seeds(target), []


def rows(*, peers: int, lookups: int, seed: int, only: str = "") -> Iterator[str]:
    """The table in Markdown, line by line as it is measured; ``only``: rows with this in their name."""
    head = ["", *COLUMNS, *(f"plain: {name}" for name in COLUMNS)]
    yield "| " + " | ".join(head) + " |"
    yield "| --- |" + " ---: |" * (len(head) - 1)
    for scenario in (one for one in SCENARIOS if only in one.name):
        ours, others = measure(scenario, peers=peers, lookups=lookups, seed=seed)
        yield "| " + " | ".join([scenario.name, *ours.cells(), *others.cells()]) + " |"
