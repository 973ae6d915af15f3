"""From a table of TOML and from the environment to checked values by name (spec/config.md C5-C7). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

from mau.config.keys import EXCLUSIVE, SECTIONS, Key, find_key, find_variable
from mau.config.kinds import DoesNotFit, toml_words
from mau.errors import ConfigError

T = TypeVar("T")
Values = Mapping[str, Any]
"""Names of settings, spelt as in the table of keys, with values of their kind."""


def read_table(table: Mapping[str, object], place: str) -> Values:
    """Check everything that stands in the file ``place``; ConfigError names the place and the key."""
    found: dict[str, Any] = {}
    for parts, value in _leaves(table, place):
        key = find_key(parts, f"{place}: ")
        if key.name in found:
            raise ConfigError(f"{place}: {key.name} stands there twice")
        found[key.name] = _fitting(key, key.kind.from_toml, value, f"{place}: {key.name}")
    _check_exclusive(found, place, lambda key: key.name)
    return found


def read_environment(environ: Mapping[str, str]) -> Values:
    """Check the variables that stand for settings; an empty one says nothing."""
    found: dict[str, Any] = {}
    for variable, text in environ.items():
        key = find_variable(variable)
        if key is None or not text:
            continue
        if key.name in found:
            raise ConfigError(f"{key.name} stands in the environment twice")
        found[key.name] = _fitting(key, key.kind.from_environment, text, variable)
    _check_exclusive(found, "the environment", lambda key: key.variable)
    return found


def _leaves(table: Mapping[str, object], place: str) -> Iterator[tuple[tuple[str, ...], object]]:
    """What stands in a table and its sections, by the parts of its name."""
    for name, value in table.items():
        if name not in SECTIONS:
            yield (name,), value
        elif isinstance(value, dict):
            for inner, one in value.items():
                yield (name, inner), one
        else:
            raise ConfigError(
                f"{place}: {name} is a table of settings, not {toml_words(value)}; write {name}.SETTING = ..."
            )


def _fitting(key: Key[Any], read: Callable[[Any], Any], value: object, place: str) -> Any:
    try:
        return read(value)
    except DoesNotFit as reason:
        said = "" if key.kind.secret or not isinstance(value, str) else f", not {value!r:.80}"
        more = f" ({reason})" if str(reason) else ""
        raise ConfigError(f"{place}: {key.kind.form} belongs there{said}{more}") from None


def check(key: Key[Any], text: str) -> Any:
    """The value that a text gives a setting in the file; ConfigError."""
    return _fitting(key, key.kind.parse, text, key.name)


def check_option(key: Key[T], text: str) -> T:
    """The value that an option gives a setting for this run; ConfigError names the option."""
    return cast(T, _fitting(key, key.kind.from_environment, text, key.option.rpartition(" ")[2]))


def _check_exclusive(found: Values, place: str, called: Callable[[Key[Any]], str]) -> None:
    if all(key.name in found for key in EXCLUSIVE):
        names = " and ".join(map(called, EXCLUSIVE))
        raise ConfigError(f"{place}: {names} exclude each other; leave one of them out")
