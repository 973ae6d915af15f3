"""A listing that its server cuts is seen whole, as far as its questions allow."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from mau.syncer.paging import MAX_QUESTIONS, PAGE, Walked, walk

NOW = 1_790_000_000


class Cutting:
    """A server that cuts at ``page`` files before it leaves out what is not for us, ties in any order."""

    def __init__(self, files: Sequence[tuple[float, str]], hidden: frozenset[str], page: int) -> None:
        self.files = files
        self.hidden = hidden
        self.page = page
        self.questions = 0

    def answer(self, date: int) -> list[str]:
        self.questions += 1
        recent = [file for file in self.files if file[0] >= date]
        random.Random(len(recent)).shuffle(recent)  # ties: the server's sort is not stable
        recent.sort(key=lambda file: file[0])
        return [name for _, name in recent[: self.page] if name not in self.hidden]


def see(server: Cutting, hints: Sequence[int] = (), *, thorough: bool = False) -> Walked[str]:
    steps = walk(server.answer(0), now=NOW, hints=hints, thorough=thorough, page=server.page)
    try:
        date = next(steps)
        while True:
            date = steps.send(server.answer(date))
    except StopIteration as end:
        result: Walked[str] = end.value
        return result


def numbered(times: Sequence[float]) -> list[tuple[float, str]]:
    return [(time, f"{number:06}.pgp") for number, time in enumerate(times)]


times = st.one_of(
    st.floats(1_000, NOW),
    st.floats(NOW - 100, NOW + 10),
    st.integers(NOW - 10, NOW).map(float),
    st.floats(NOW + 100, 4_000_000_000),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(times, max_size=60), st.integers(1, 9))
def test_everything_is_seen_unless_one_second_is_full(moments: list[float], page: int) -> None:
    files = numbered(moments)
    server = Cutting(files, frozenset(), page)
    walked = see(server)
    seconds: dict[int, list[str]] = {}
    for time, name in files:
        seconds.setdefault(int(time), []).append(name)
    missing = {name for _, name in files} - set(walked.items)
    for name in missing:
        second = next(second for second, names in seconds.items() if name in names)
        assert len(seconds[second]) > page
        assert second in walked.crowded
    for second in walked.crowded:  # or one that follows, when its ties fall out differently in each answer
        assert any(len(names) >= page for later, names in seconds.items() if later >= second)
    assert not walked.gave_up


@settings(max_examples=200, deadline=None)
@given(st.lists(times, max_size=60, unique_by=int), st.integers(3, 9), st.data())
def test_files_for_others_hide_nothing_unless_they_fill_a_page(
    moments: list[float], page: int, data: st.DataObject
) -> None:
    files = sorted(numbered(moments))
    hidden: set[str] = set()
    run = 0
    for _, name in files:  # never a page of hidden ones in a row
        if run < page - 2 and data.draw(st.booleans()):
            hidden.add(name)
            run += 1
        else:
            run = 0
    walked = see(Cutting(files, frozenset(hidden), page))
    assert set(walked.items) == {name for _, name in files} - hidden


def test_a_recent_post_is_seen_behind_more_hidden_files_than_a_page() -> None:
    files = numbered([NOW - 86_400 * age for age in range(400, 0, -1)])
    hidden = frozenset(name for _, name in files[20:-1])
    walked = see(Cutting(files, hidden, PAGE))
    assert files[-1][1] in walked.items


def test_a_thorough_look_finds_an_older_post_between_hidden_ones() -> None:
    day = 86_400
    files = numbered([NOW - day * age // 3 for age in range(900, 0, -1)])
    mine = files[-180]  # 60 days ago, at three files a day
    hidden = frozenset(name for _, name in files if name != mine[1])
    server = Cutting(files, hidden, PAGE)
    assert see(server, thorough=True).items == (mine[1],)
    assert server.questions < 120


def test_a_second_time_takes_few_questions() -> None:
    files = numbered([NOW - 5_000 + number / 7 for number in range(1_000)])
    server = Cutting(files, frozenset(), PAGE)
    walked = see(server)
    assert len(walked.items) == 1_000
    before, server.questions = server.questions, 0
    again = see(server, walked.dates)
    assert set(again.items) == set(walked.items)
    assert server.questions < before / 2
    assert server.questions < 40


def test_a_server_that_ignores_dates_is_asked_no_more_than_needed() -> None:
    class Ignoring(Cutting):
        def answer(self, date: int) -> list[str]:
            return super().answer(0)

    server = Ignoring(numbered([NOW - number for number in range(500)]), frozenset(), 10_000)
    walked = see(server)
    assert len(walked.items) == 500
    assert server.questions <= 3


def test_a_server_that_makes_up_items_comes_to_an_end() -> None:
    counter = iter(range(10**9))
    steps = walk([f"{next(counter)}" for _ in range(PAGE)], now=NOW)
    questions = 0
    try:
        next(steps)
        while True:
            questions += 1
            steps.send([f"{next(counter)}" for _ in range(PAGE)])
    except StopIteration as end:
        assert end.value.gave_up
    assert questions <= MAX_QUESTIONS


def test_exactly_one_page_in_one_second_is_called_crowded() -> None:
    walked = see(Cutting(numbered([NOW - 50.0] * 100), frozenset(), PAGE))
    assert len(walked.items) == 100
    assert walked.crowded == (NOW - 50,)
