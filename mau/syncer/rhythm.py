"""When to ask again: whoever is active soon, whoever is silent seldom, whoever fails less and less. Pure.

spec/sync.md S40-S44. All times are seconds. ``chance`` (0 up to 1) spreads those who would otherwise all come
together.
"""

from __future__ import annotations

from typing import Final

ACTIVE: Final = 60.0
"""Between two questions to somebody who has just posted."""
SILENT: Final = 2 * 3600.0
"""... and to somebody from whom nothing came for a day."""
FIRST_FAILURE: Final = 15.0
LAST_FAILURE: Final = 3600.0
NO_ADDRESS: Final = 300.0
"""Until the address book is looked into again, for somebody who is nowhere to be found."""
_OF_SILENCE: Final = 12
_SPREAD: Final = 0.4
_JUMP: Final = 30.0


def until_next(quiet: float, chance: float) -> float:
    """How long to wait after a round that reached the peer; ``quiet``: for how long nothing new came."""
    return _spread(min(max(quiet / _OF_SILENCE, ACTIVE), SILENT), chance)


def after_failure(failures: int, chance: float) -> float:
    """How long to leave an address alone that failed so many times in a row (1 or more)."""
    return _spread(min(FIRST_FAILURE * 2.0 ** min(failures - 1, 32), LAST_FAILURE), chance)


def has_slept(wall: float, steady: float) -> bool:
    """Whether the machine slept, or its clock was set: the wall clock went otherwise than the steady one.

    Both are what went by since the last look. What was planned before means nothing then, and the network may
    be another one.
    """
    return abs(wall - steady) > _JUMP


def _spread(seconds: float, chance: float) -> float:
    return seconds * (1 - _SPREAD / 2 + _SPREAD * chance)
