"""How the terminal wants to be treated: whether there may be colours. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def color_wanted(environ: Mapping[str, str]) -> bool | None:
    """What the environment says of colours: yes, no, or None: where the stream is a terminal.

    ``NO_COLOR`` (no-color.org) is stronger than ``CLICOLOR_FORCE`` and ``FORCE_COLOR``, these than
    ``CLICOLOR=0`` and ``TERM=dumb``. An empty value says nothing.
    """
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "") not in {"", "0"} for name in ("CLICOLOR_FORCE", "FORCE_COLOR")):
        return True
    if environ.get("CLICOLOR") == "0" or environ.get("TERM") == "dumb":
        return False
    return None
