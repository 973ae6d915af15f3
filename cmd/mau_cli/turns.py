"""How threads of one process take turns, for commands where an event loop works beside many of them."""

from __future__ import annotations

import sys
from typing import Final

_SECONDS: Final = 0.0005


def short_turns() -> None:
    """A thread that comes back from the disk, or from cryptography, gets its turn soon.

    Python lets whoever is at work go on for 5 ms. A sync hands over to the disk and back for each post, and
    is a third slower with that.
    """
    sys.setswitchinterval(_SECONDS)
