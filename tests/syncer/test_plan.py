"""What to fetch follows from what is listed and what is held."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mau.errors import NameClash, RolledBack
from mau.syncer.plan import Holding, make_plan, merge_listings
from mau.tree.names import fold
from mau.wire.listing import Item

A, B, C = "a" * 64, "b" * 64, "c" * 64


def holding(
    held: dict[str, str] | None = None,
    versions: dict[str, set[str]] | None = None,
    forgone: set[tuple[str, str]] | None = None,
) -> Holding:
    names = held or {}
    return Holding(
        names=names,
        folded={fold(name): name for name in names},
        is_held=lambda item: names.get(item.name) == item.sum,
        is_version=lambda item: item.sum in (versions or {}).get(item.name, set()),
        is_forgone=lambda item: (item.name, item.sum) in (forgone or set()),
    )


def test_what_is_held_is_not_fetched_and_what_differs_is() -> None:
    items = [Item("same.pgp", 1, A), Item("changed.pgp", 1, B), Item("new.pgp", 1, C)]
    plan = make_plan(items, holding({"same.pgp": A, "changed.pgp": A}), from_author=True)
    assert [item.name for item in plan.fetch] == ["changed.pgp", "new.pgp"]
    assert plan.same == 1
    assert not plan.refused
    assert not plan.deferred


def test_a_name_that_differs_by_case_or_normal_form_only_is_deferred() -> None:
    names = ["Straße.pgp", "cafe\u0301.pgp", "one.pgp", "One.pgp"]
    items = [Item(name, 1, A) for name in names]
    plan = make_plan(items, holding({"straße.pgp": A, "caf\u00e9.pgp": A}), from_author=True)
    assert [item.name for item in plan.fetch] == ["one.pgp"]
    assert [trouble.name for trouble in plan.deferred] == ["Straße.pgp", "cafe\u0301.pgp", "One.pgp"]
    assert all(isinstance(trouble.error, NameClash) for trouble in plan.deferred)


def test_two_names_that_are_both_held_clash_with_nothing() -> None:
    items = [Item("one.pgp", 1, B), Item("One.pgp", 1, B)]
    plan = make_plan(items, holding({"one.pgp": A, "One.pgp": A}), from_author=True)
    assert plan.fetch == tuple(items)


def test_what_was_refused_for_ever_is_forgone() -> None:
    plan = make_plan([Item("x.pgp", 1, A)], holding(forgone={("x.pgp", A)}), from_author=True)
    assert not plan.fetch
    assert plan.forgone == 1


def test_an_older_content_is_taken_from_the_author_and_from_nobody_else() -> None:
    item = Item("x.pgp", 1, A)
    held = holding({"x.pgp": B}, {"x.pgp": {A}})
    assert make_plan([item], held, from_author=True).fetch == (item,)
    plan = make_plan([item], held, from_author=False)
    assert not plan.fetch
    assert isinstance(plan.refused[0].error, RolledBack)


def test_a_later_answer_is_newer() -> None:
    old, new, other = Item("x.pgp", 1, A), Item("x.pgp", 1, B), Item("y.pgp", 1, A)
    assert merge_listings([[old, other], [new]]) == [new, other]


names = st.sampled_from(["a.pgp", "A.pgp", "b.pgp", "é.pgp", "e\u0301.pgp", "É.pgp", "c.pgp"])
sums = st.sampled_from([A, B, C])


@given(
    st.lists(st.builds(Item, names, st.just(1), sums), unique_by=lambda item: item.name),
    st.dictionaries(names, sums),
    st.sets(st.tuples(names, sums)),
    st.booleans(),
)
def test_every_item_has_exactly_one_fate_and_no_new_clash_is_fetched(
    items: list[Item], held: dict[str, str], forgone: set[tuple[str, str]], from_author: bool
) -> None:
    plan = make_plan(items, holding(held, forgone=forgone), from_author=from_author)
    assert len(plan.fetch) + plan.same + plan.forgone + len(plan.refused) + len(plan.deferred) == len(items)
    after = [*held, *(item.name for item in plan.fetch if item.name not in held)]
    new = [item.name for item in plan.fetch if item.name not in held]
    for name in new:
        assert sum(fold(other) == fold(name) for other in after) == 1
