"""When a worker that failed is started again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mau.daemon.schedule import Schedule

CHANCE = st.floats(0, 1, exclude_max=True)


def test_each_failure_waits_twice_as_long_up_to_the_most() -> None:
    schedule = Schedule(first=1, most=300)
    assert [schedule.delay(count, 0) for count in range(1, 11)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]


@given(st.integers(1, 100_000), CHANCE)
def test_it_waits_between_half_and_all_of_that(failures: int, chance: float) -> None:
    schedule = Schedule()
    whole = schedule.delay(failures, 0)
    assert whole / 2 <= schedule.delay(failures, chance) <= whole <= schedule.most
    assert schedule.delay(failures, chance) >= schedule.first / 2


@given(st.lists(st.floats(0, 1000), max_size=30))
def test_who_ran_well_begins_anew_and_no_one_else(runs: list[float]) -> None:
    schedule = Schedule(well=60)
    failures = 0
    for position, ran in enumerate(runs):
        failures = schedule.failures(failures, ran)
        since = next((back for back, one in enumerate(reversed(runs[: position + 1])) if one >= 60), position)
        assert failures == since + 1
