"""Applies the limits to what one round wants: what is used is measured once, when something is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from mau.fingerprint import Fingerprint
from mau.syncer.policy import Policy, Usage, admit
from mau.syncer.report import Trouble
from mau.syncer.state import State
from mau.syncer.usage import free_space, measure
from mau.tree.layout import Root
from mau.wire.listing import Item


class Admission:
    """For one round of one author. ``policy`` None: everything is let in."""

    def __init__(self, root: Root, author: Fingerprint, state: State, policy: Policy | None) -> None:
        self._root = root
        self._author = author
        self._state = state
        self._policy = policy
        self._usage: Usage | None = None

    async def admit(self, items: Sequence[Item]) -> tuple[Sequence[Item], list[Trouble]]:
        """(what may come, what may not and why)."""
        if not items or self._policy is None:
            return items, []
        if self._usage is None:
            # A file that may come now counts whole, so its beginning does not.
            pending = self._state.pending(self._author, self._author)
            begun = {item.sum for item in pending} - {item.sum for item in items}
            size, count = await asyncio.to_thread(measure, self._root, self._author, begun)
            free = await asyncio.to_thread(free_space, self._root)
            self._usage = Usage(size, count, self._state.used(self._author, size), free)
        admitted, kept_out, self._usage = admit(items, self._usage, self._policy)
        self._state.used(self._author, self._usage.friend)
        return admitted, [Trouble(item.name, item.sum, error) for item, error in kept_out]
