"""PGPy without its noise.

PGPy imports ``imghdr``, which warns from Python 3.11 on and is gone in 3.13 (the package standard-imghdr
brings it back), and takes ciphers and modes from places that ``cryptography`` has deprecated. Neither is for
the user's eyes. Importing PGPy takes about 100 ms: only code that needs the secret key itself calls this.
"""

from __future__ import annotations

import warnings
from functools import cache
from types import ModuleType, SimpleNamespace


def _ciphers() -> SimpleNamespace:
    """The ciphers by the names that PGPy uses, wherever this version of ``cryptography`` keeps them."""
    from cryptography.hazmat.decrepit.ciphers import algorithms as old
    from cryptography.hazmat.primitives.ciphers import algorithms

    found = {"AES": algorithms.AES, "Camellia": getattr(old, "Camellia", None) or algorithms.Camellia}
    for name in ("TripleDES", "CAST5", "Blowfish", "IDEA"):
        found[name] = getattr(old, name, None)
    return SimpleNamespace(**found)


@cache
def pgpy() -> ModuleType:
    """The pgpy module with ``constants`` and ``packet`` loaded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pgpy.constants
        import pgpy.packet.fields
        import pgpy.symenc

        from mau.openpgp.protected import CFB

        pgpy.constants.algorithms = _ciphers()
        pgpy.symenc.modes = SimpleNamespace(CFB=CFB)
        module: ModuleType = pgpy
        return module
