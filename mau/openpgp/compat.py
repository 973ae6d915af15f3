"""PGPy without its noise.

PGPy imports ``imghdr``, which warns from Python 3.11 on and is gone in 3.13 (the package standard-imghdr
brings it back), and names ciphers that ``cryptography`` has deprecated. Neither is for the user's eyes.
Importing PGPy takes about 100 ms: only code that needs the secret key itself calls this.
"""

from __future__ import annotations

import warnings
from functools import cache
from types import ModuleType


@cache
def pgpy() -> ModuleType:
    """The pgpy module with ``constants`` and ``packet`` loaded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pgpy.constants
        import pgpy.packet.fields

        module: ModuleType = pgpy
        return module
