"""When somebody is asked again: soon, seldom, less and less."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mau.syncer.rhythm import (
    ACTIVE,
    FIRST_FAILURE,
    LAST_FAILURE,
    SILENT,
    after_failure,
    has_slept,
    until_next,
)

chances = st.floats(0, 1, exclude_max=True)
seconds = st.floats(0, 10**9)


@given(seconds, seconds, chances)
def test_the_longer_the_silence_the_longer_the_wait(one: float, other: float, chance: float) -> None:
    shorter, longer = sorted((one, other))
    assert until_next(shorter, chance) <= until_next(longer, chance)


@given(seconds, chances)
def test_the_wait_has_its_bounds_and_is_spread(quiet: float, chance: float) -> None:
    assert 0.8 * ACTIVE <= until_next(quiet, chance) <= 1.2 * SILENT
    assert until_next(quiet, 0.0) < until_next(quiet, 0.9)


@given(st.integers(1, 10**6), chances)
def test_each_failure_doubles_the_pause_up_to_an_hour(failures: int, chance: float) -> None:
    pause, following = after_failure(failures, chance), after_failure(failures + 1, chance)
    assert 0.8 * FIRST_FAILURE <= pause <= following <= 1.2 * LAST_FAILURE
    assert following == 2 * pause or following >= 0.8 * LAST_FAILURE


def test_after_a_day_of_silence_it_is_hours_and_after_news_a_minute() -> None:
    assert until_next(0, 0.5) == ACTIVE
    assert until_next(86_400, 0.5) == SILENT


def test_a_sleep_and_a_clock_that_was_set_are_noticed_and_a_slow_loop_is_not() -> None:
    assert has_slept(3600.0, 0.5)
    assert has_slept(-3600.0, 0.5)
    assert not has_slept(20.0, 20.0)
