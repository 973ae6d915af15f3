"""Changing one setting in the file, and nothing else in it: comments and order stay (spec/config.md C8)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from mau.config.file import parse_toml, read_file
from mau.config.keys import SECTIONS, Key, author_of, find_key
from mau.config.reading import read_table
from mau.errors import ConfigError, InvalidFingerprint
from mau.fingerprint import Fingerprint
from mau.tree.lock import locked
from mau.tree.safe import closing, write_bytes


def put(path: Path, key: Key[Any], value: object) -> None:
    """Write a setting into the file, which is made (0600) when it is missing.

    ConfigError when the file would not hold afterwards: nothing is written then.
    """
    with _editing(path) as (target, text):
        place = repr(str(path))
        table = parse_toml(text, place)
        parts = _spelling(table, key)
        wanted = deepcopy(table)
        _set(wanted, parts, key.kind.to_toml(value), place)
        read_table(wanted, place)
        _write(target, text, parts, key.kind.to_toml(value), wanted)


def take(path: Path, name: str) -> bool:
    """Remove what stands in the file under a name; False when there is nothing.

    What stands there need not be a setting that exists: a mistake must be removable too. ConfigError when it
    is neither there nor a setting.
    """
    parts = tuple(name.split("."))
    with _editing(path) as (target, text):
        place = repr(str(path))
        table = parse_toml(text, place)
        if name in table and "." in name:
            parts = (name,)  # written in quotes, which made one word of it
        if not _has(table, parts) or (name in SECTIONS and isinstance(table[name], dict)):
            parts = _spelling(table, find_key(parts))
            if not _has(table, parts):
                return False
        wanted = deepcopy(table)
        _set(wanted, parts, None, place)
        _write(target, text, parts, None, wanted)
        return True


@contextmanager
def _editing(path: Path) -> Iterator[tuple[Path, str]]:
    """The file itself, whatever links lead to it, and its text; two changes at once wait for each other."""
    target = Path(os.path.realpath(path))
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    with closing(os.open(target.parent, flags)) as directory, locked(directory):
        yield target, read_file(target) or ""


def _write(target: Path, text: str, parts: tuple[str, ...], value: object, wanted: dict[str, Any]) -> None:
    """Write the changed text, after reading it again: it must say what is wanted and nothing else."""
    import tomlkit

    place = repr(str(target))
    try:
        document = tomlkit.parse(text)
        _edit(document, parts, value)
        changed = tomlkit.dumps(document)
        sound = _without_empty(parse_toml(changed, place)) == _without_empty(wanted)
    except Exception:  # the library has trouble of many kinds with files that mix ways of writing
        sound = False
    if not sound:
        raise ConfigError(f"{place} is written in a way that only a person can change; edit it by hand")
    write_bytes(target, changed.encode())


def _edit(document: Any, parts: tuple[str, ...], value: object) -> None:
    import tomlkit

    table = document
    for part in parts[:-1]:
        if part not in table:
            table[part] = tomlkit.table()
        table = table[part]
    if value is None:
        del table[parts[-1]]
    else:
        table[parts[-1]] = value


def _set(table: dict[str, Any], parts: tuple[str, ...], value: object, place: str) -> None:
    for part in parts[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{place}: {part} must be a table; `mau config unset {part}` removes it")
    if value is None:
        del table[parts[-1]]
    else:
        table[parts[-1]] = value


def _has(table: object, parts: tuple[str, ...]) -> bool:
    for part in parts:
        if not isinstance(table, dict) or part not in table:
            return False
        table = table[part]
    return True


def _spelling(table: dict[str, Any], key: Key[Any]) -> tuple[str, ...]:
    """The parts of a setting's name as the file spells them: a fingerprint has several spellings."""
    section, _, last = key.name.rpartition(".")
    author = author_of(key.name)
    held = table.get(section)
    if author is not None and isinstance(held, dict):
        last = next((name for name in held if _names(name, author)), last)
    return (section, last) if section else (last,)


def _names(name: str, author: Fingerprint) -> bool:
    try:
        return Fingerprint.parse_loose(name) == author
    except InvalidFingerprint:
        return False


def _without_empty(table: dict[str, Any]) -> dict[str, Any]:
    """Without tables that hold nothing: they say nothing."""
    kept = {name: _without_empty(one) if isinstance(one, dict) else one for name, one in table.items()}
    return {name: one for name, one in kept.items() if one != {}}
