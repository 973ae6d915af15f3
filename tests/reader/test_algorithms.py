"""What orders a timeline: three that ship, those of others, and what an algorithm may not do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mau.errors import AlgorithmFailed, UsageError
from mau.reader.algorithms import Algorithm, Context, Placed, View, catchup, chronological, conversations, run
from mau.reader.algorithms.loading import find, names
from mau.tree.layout import Root

ME, BOB, CAROL, DAN = ("1" * 40, "2" * 40, "3" * 40, "4" * 40)
NOW = 1_800_000_000
DAY = 86_400
CONTEXT = Context(NOW, ME)


def view(number: int, author: str = BOB, age: int | None = None, **facts: object) -> View:
    return View(f"mau:/p2p/{author}/{number}.pgp", author, NOW - (number if age is None else age), **facts)  # type: ignore[arg-type]


def newest_first(posts: Iterable[View]) -> list[View]:
    return sorted(posts, key=lambda post: (-post.time, post.id))


def placed(module: object, posts: Iterable[View], context: Context = CONTEXT) -> list[Placed]:
    algorithm = Algorithm("x", module.order, 10)  # type: ignore[attr-defined]
    return run(algorithm, newest_first(posts), context)


# --- those that ship ---------------------------------------------------------------------------------------


def test_chronological_is_newest_first_and_says_so() -> None:
    found = placed(chronological, [view(2), view(7200), view(1)])
    assert [one.post.time for one in found] == [NOW - 1, NOW - 2, NOW - 7200]
    assert "2 hours ago" in found[2].why


def test_catching_up_is_what_is_for_me_then_who_is_close_then_the_rest() -> None:
    posts = [
        view(10, BOB),
        view(20, CAROL),
        view(30, DAN, mention=True),
        view(40, DAN, read=True),
        view(50, ME, mine=True),
    ]
    context = Context(NOW, ME, ties={CAROL: 5})
    assert [one.post.author for one in placed(catchup, posts, context)] == [DAN, CAROL, BOB]
    close = Context(NOW, ME, groups={"close": frozenset({BOB})}, ties={CAROL: 1})
    assert [one.post.author for one in placed(catchup, posts, close)] == [DAN, BOB, CAROL]


def test_catching_up_lets_nobody_fill_the_page() -> None:
    posts = [view(number, BOB) for number in range(50)] + [view(1000, CAROL), view(2000, DAN)]
    found = placed(catchup, posts)
    authors = [one.post.author for one in found]
    assert authors[:5].count(BOB) == catchup.PER_AUTHOR
    assert set(authors[:5]) == {BOB, CAROL, DAN}
    assert len(found) == 52


def test_who_was_silent_for_long_is_heard_first() -> None:
    posts = [view(1, BOB), view(2, BOB), view(3, CAROL), view(4, CAROL, age=30 * DAY, read=True)]
    found = placed(catchup, posts)
    assert found[0].post.author == CAROL
    assert "days" in found[0].why


def test_conversations_stand_together_below_what_they_answer() -> None:
    head, lone = view(100, BOB), view(50, DAN)
    first = view(90, CAROL, answers=(head.id,))
    below = view(10, BOB, answers=(first.id,))
    second = view(20, DAN, answers=(head.id,))
    elsewhere = view(5, CAROL, answers=("mau:/p2p/5/not-here.pgp",))
    found = placed(conversations, [head, lone, first, below, second, elsewhere])
    assert [(one.post.id, one.depth) for one in found] == [
        (elsewhere.id, 0),
        (head.id, 0),
        (first.id, 1),
        (below.id, 2),
        (second.id, 1),
        (lone.id, 0),
    ]


@st.composite
def tangled(draw: st.DrawFn) -> list[View]:
    """Posts that answer each other in every way that hostile ones could."""
    count = draw(st.integers(0, 12))
    ids = [f"mau:/p2p/{BOB}/{number}.pgp" for number in range(count)]
    return [
        view(
            number,
            draw(st.sampled_from((BOB, CAROL, ME))),
            age=draw(st.integers(-5, 40 * DAY)),
            answers=tuple(draw(st.lists(st.sampled_from(ids), max_size=2))),
            read=draw(st.booleans()),
        )
        for number in range(count)
    ]


@settings(max_examples=60)
@given(tangled())
def test_no_shape_of_answers_makes_them_lose_or_double_a_post(posts: list[View]) -> None:
    posts = list({post.id: post for post in posts}.values())
    for module in (chronological, conversations):
        assert sorted(one.post.id for one in placed(module, posts)) == sorted(post.id for post in posts)
    unread = [post.id for post in posts if not post.read and post.author != ME]
    caught = placed(catchup, [post for post in posts if post.author != ME])
    assert sorted(one.post.id for one in caught) == sorted(unread)


# --- what an algorithm may not do --------------------------------------------------------------------------


def raising(_posts: Sequence[View], _context: Context) -> list[View]:
    raise ValueError("no\x1b[31m")


def invented(posts: Sequence[View], _context: Context) -> list[View]:
    return [View(posts[0].id, posts[0].author, 5)]


def twice(posts: Sequence[View], _context: Context) -> list[View]:
    return [posts[0], posts[0]]


def words(_posts: Sequence[View], _context: Context) -> list[object]:
    return ["post"]


def nothing(_posts: Sequence[View], _context: Context) -> None:
    return None


def ending(_posts: Sequence[View], _context: Context) -> list[View]:
    sys.exit(3)


@pytest.mark.parametrize("order", [raising, invented, twice, words, nothing, ending])
def test_what_it_does_wrong_is_one_error(order: Callable[..., object]) -> None:
    with pytest.raises(AlgorithmFailed):
        run(Algorithm("x", order, 0), [view(1)], CONTEXT)  # type: ignore[arg-type]


def test_an_endless_answer_is_cut_and_reasons_are_bounded() -> None:
    def endless(posts: Sequence[View], _context: Context) -> Iterable[Placed]:
        yield Placed(posts[0], "x" * 10_000, depth=10**9)
        while True:
            yield Placed(posts[1])

    [first] = run(Algorithm("x", endless, 0), [view(1), view(2)], Context(NOW, ME, limit=1))
    assert (len(first.why) <= 500, first.depth <= 20) == (True, True)


# --- by name and from a file -------------------------------------------------------------------------------

FILE = "from mau.reader.algorithms import Placed\n\ndef order(posts, context):\n    return reversed(posts)\n"


@pytest.fixture
def root(tmp_path: Path) -> Root:
    place = Root(tmp_path / "tree")
    place.ensure()
    return place


def written(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    place = tmp_path / "own"
    place.mkdir(mode=0o700, exist_ok=True)
    path = place / "mine.py"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_file_of_ones_own(tmp_path: Path, root: Root) -> None:
    algorithm = find(str(written(tmp_path, FILE + "WINDOW = 7\n")), root)
    assert (algorithm.name, algorithm.window) == ("mine.py", 7)
    assert [one.post.time for one in run(algorithm, [view(1), view(2)], CONTEXT)] == [NOW - 2, NOW - 1]


@pytest.mark.parametrize("text", ["def order(", "1 / 0", "x = 1", "order = 3", FILE + "WINDOW = 'all'", "\0"])
def test_a_file_that_is_no_algorithm_is_one_error(tmp_path: Path, root: Root, text: str) -> None:
    with pytest.raises(AlgorithmFailed, match=r"mine\.py"):
        find(str(written(tmp_path, text)), root)


def test_the_line_that_fails_is_told(tmp_path: Path, root: Root) -> None:
    algorithm = find(str(written(tmp_path, "def order(posts, context):\n    return posts[99]\n")), root)
    with pytest.raises(AlgorithmFailed, match="line 2"):
        run(algorithm, [view(1)], CONTEXT)


def test_what_others_can_write_is_not_run(tmp_path: Path, root: Root) -> None:
    with pytest.raises(UsageError, match="others may write"):
        find(str(written(tmp_path, FILE, 0o620)), root)
    path = written(tmp_path, FILE)
    path.parent.chmod(0o777)
    with pytest.raises(UsageError, match="others may write"):
        find(str(path), root)
    path.parent.chmod(0o700)
    assert find(str(path), root)
    inside = root.path / "mine.py"
    inside.write_text(FILE)
    inside.chmod(0o600)
    (tmp_path / "own" / "link.py").symlink_to(inside)
    for place in (inside, tmp_path / "own" / "link.py"):
        with pytest.raises(UsageError, match="lies in the tree"):
            find(str(place), root)
    for place in (tmp_path / "own", tmp_path / "none.py"):
        with pytest.raises(UsageError):
            find(f"{place}/", root)


def test_other_packages_bring_algorithms(tmp_path: Path, root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "elsewhere-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[mau.algorithms]\nbackwards = elsewhere_order\n")
    (tmp_path / "elsewhere_order.py").write_text(FILE)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "backwards" in names()
    assert [one.post.time for one in run(find("backwards", root), [view(1), view(2)], CONTEXT)] == [
        NOW - 2,
        NOW - 1,
    ]
    with pytest.raises(UsageError, match="backwards"):
        find("none", root)


def test_the_example_works_as_it_says(tmp_path: Path, root: Root) -> None:
    example = Path(__file__).parents[2] / "examples" / "algorithms" / "small_voices.py"
    algorithm = find(str(written(tmp_path, example.read_text())), root)
    posts = [view(number, BOB) for number in range(3)] + [view(9, CAROL), view(99, DAN, mention=True)]
    found = run(algorithm, newest_first(posts), Context(NOW, ME, names={CAROL: "carol"}))
    assert [one.post.author for one in found] == [DAN, CAROL, BOB, BOB, BOB]
    assert found[1].why == "carol wrote 1 of these 5"
