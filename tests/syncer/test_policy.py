"""What limits keep out: pure rules."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mau.syncer.policy import Policy, Usage, admit
from mau.wire.listing import Item

sizes = st.integers(0, 1000)
items = st.lists(sizes, max_size=30).map(
    lambda found: [Item(f"{number}.pgp", size, "0" * 64) for number, size in enumerate(found)]
)
limits = st.integers(0, 3000)
policies = st.builds(Policy, file=limits, friend=limits, friend_files=limits, tree=limits, free=limits)
usages = st.builds(Usage, friend=limits, friend_files=st.integers(0, 50), tree=limits, free=limits)


@given(items, usages, policies)
def test_no_limit_is_passed_and_nothing_is_forgotten(
    wanted: list[Item], usage: Usage, policy: Policy
) -> None:
    admitted, kept_out, after = admit(wanted, usage, policy)
    assert sorted([item.name for item in admitted] + [item.name for item, _ in kept_out]) == sorted(
        item.name for item in wanted
    )
    assert after.friend == usage.friend + sum(item.size for item in admitted)
    assert after.friend_files == usage.friend_files + len(admitted)
    for limit, used in (
        (policy.friend, after.friend),
        (policy.friend_files, after.friend_files),
        (policy.tree, after.tree),
    ):
        assert not limit or not admitted or used <= limit
    assert not policy.free or not admitted or after.free >= policy.free
    assert all(not policy.file or item.size <= policy.file for item in admitted)


@given(items, usages)
def test_without_limits_everything_comes(wanted: list[Item], usage: Usage) -> None:
    assert admit(wanted, usage, Policy(0, 0, 0, 0, 0))[:2] == (wanted, [])


def test_a_large_one_does_not_keep_out_the_small_ones_behind_it() -> None:
    wanted = [Item("large.pgp", 900, "0" * 64), Item("small.pgp", 50, "0" * 64)]
    admitted, [(out, error)], _ = admit(wanted, Usage(0, 0, 0, 10**6), Policy(0, 500, 0, 0, 0))
    assert [item.name for item in admitted] == ["small.pgp"]
    assert out.name == "large.pgp"
    assert "900 bytes" in str(error)
    assert "sync.quota" in str(error)
