"""Everything that can be set, from the table of settings."""

from __future__ import annotations

from textwrap import wrap
from typing import Final

from mau.config.keys import KEYS

_INDENT: Final = " " * 6


def text() -> str:
    """Each setting with what it means and what holds without it."""
    lines = [
        "A setting has one name in the file (mau config set NAME VALUE), in the environment (MAU_ and the "
        "name in capitals, with _ for the point) and as an option of the command that it concerns. The "
        "option wins, then the environment, then the file. mau config show lists what holds, and where that "
        "comes from.",
        "",
    ]
    for key in KEYS:
        otherwise = key.otherwise if key.default is None else f"default {key.kind.show(key.default)}"
        words = f"{key.meaning} ({otherwise})" if otherwise else key.meaning
        lines += [f"  {key.name}", *wrap(words, 76, initial_indent=_INDENT, subsequent_indent=_INDENT)]
    return "\n".join(lines)
