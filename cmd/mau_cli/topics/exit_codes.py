"""Exit codes, from the tree of errors."""

from __future__ import annotations

import inspect

from mau import errors

MEANINGS = {
    0: "done",
    1: "something went wrong",
    2: "the words given do not fit",
    3: "some of it was done, some was not",
    4: "the passphrase is wrong or missing",
    5: "the peer was not found, not reachable, or talks nonsense",
    6: "a signature or an identity does not hold",
    130: "interrupted",
}


def text() -> str:
    """Each code, what it means, and the errors that end with it."""
    found: dict[int, list[str]] = {code: [] for code in MEANINGS}
    for name, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, errors.MauError):
            found.setdefault(error.exit_code, []).append(name)
    lines = [
        "Every command ends with one of these numbers. The first line on stderr says what happened and what "
        "to do next; --json and data are on stdout.",
        "",
    ]
    for code, names in sorted(found.items()):
        lines.append(f"  {code:>3}  {MEANINGS[code]}")
        lines += [f"         {line}" for line in _wrapped(names)]
    lines += [
        "",
        "Whoever reads the output and goes (mau timeline | head -1) ends a command with 1, without words. "
        "MAU_DEBUG=1 shows the traceback of an error.",
    ]
    return "\n".join(lines)


def _wrapped(names: list[str], room: int = 66) -> list[str]:
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + len(name) < room:
            lines[-1] += f" {name}"
        else:
            lines.append(name)
    return lines
