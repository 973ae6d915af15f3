"""What to fetch: a listing compared with what is held (spec/sync.md S3-S6). Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from mau.errors import NameClash, RolledBack
from mau.syncer.report import Trouble
from mau.tree.names import fold
from mau.wire.listing import Item


@dataclass(frozen=True, slots=True)
class Holding:
    """What is held of one author, and what was decided before.

    ``names``: of every post held. ``folded``: one of these names by its `fold`. ``is_held``: whether exactly
    this content is held under this name (asked only for names that are held). ``is_version``: whether it was
    held there before. ``is_forgone``: whether it was refused before for a reason that lasts.
    """

    names: Collection[str]
    folded: Mapping[str, str]
    is_held: Callable[[Item], bool]
    is_version: Callable[[Item], bool]
    is_forgone: Callable[[Item], bool]


@dataclass(frozen=True, slots=True)
class Plan:
    """``fetch``: in the listing's order. ``same`` and ``forgone``: counts. ``refused`` and ``deferred``: with
    their reasons, without a byte of them fetched."""

    fetch: tuple[Item, ...]
    same: int
    forgone: int
    refused: tuple[Trouble, ...]
    deferred: tuple[Trouble, ...]


def make_plan(items: Iterable[Item], holding: Holding, *, from_author: bool) -> Plan:
    """Decide about each item of a listing; no name is in it twice.

    ``from_author``: the author's own proven host lists them. From anybody else, content that lies among the
    versions is a roll-back, whoever signed it.
    """
    listed: dict[str, str] = {}
    fetch: list[Item] = []
    refused: list[Trouble] = []
    deferred: list[Trouble] = []
    same = forgone = 0
    for item in items:
        folded = fold(item.name)
        other = holding.folded.get(folded) or listed.setdefault(folded, item.name)
        if other != item.name and item.name not in holding.names:
            deferred.append(_trouble(item, NameClash(f"it differs from {other!r} by case or spelling only")))
        elif item.name in holding.names and holding.is_held(item):
            same += 1
        elif holding.is_forgone(item):
            forgone += 1
        elif not from_author and holding.is_version(item):
            refused.append(_trouble(item, RolledBack("an older content of this post, held as a version")))
        else:
            fetch.append(item)
    return Plan(tuple(fetch), same, forgone, tuple(refused), tuple(deferred))


def merge_listings(parts: Iterable[Iterable[Item]]) -> list[Item]:
    """Items of several answers to the same question, asked one after the other: a later answer is newer."""
    merged: dict[str, Item] = {}
    for part in parts:
        for item in part:
            merged[item.name] = item
    return list(merged.values())


def _trouble(item: Item, error: NameClash | RolledBack) -> Trouble:
    return Trouble(item.name, item.sum, error)
