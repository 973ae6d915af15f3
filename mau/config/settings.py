"""Which value holds: an option before the environment, the file, the default (spec/config.md C7)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from mau.config.file import VARIABLE, config_file, parse_toml, read_file
from mau.config.keys import KEYS, PEER_AT, PERSONAL, RELAY_OF, Key, Relay, author_of, for_person
from mau.config.reading import Values, check_option, read_environment, read_table
from mau.errors import ConfigError
from mau.fingerprint import Fingerprint
from mau.hostport import Address

T = TypeVar("T")
Origin = Literal["option", "environment", "file", "default"]


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """A value, and where it comes from: ``source`` is the option, the variable or the file; "" by default."""

    key: Key[T]
    value: T
    origin: Origin
    source: str


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one run. Everything in it has been checked."""

    path: Path
    file: Values = field(default_factory=dict)
    environment: Values = field(default_factory=dict)
    options: Values = field(default_factory=dict)

    @classmethod
    def load(cls, options: Values | None = None, environ: Mapping[str, str] | None = None) -> Config:
        """Read the file and the environment. ConfigError when anything in them does not hold.

        ``options``: what the command line says, by the names of the settings.
        """
        environ = os.environ if environ is None else environ
        path, named = config_file(environ)
        place = repr(str(path))
        text = read_file(path)
        if text is None and named:
            raise ConfigError(f"{VARIABLE} names {place}, and there is no such file")
        values = read_table(parse_toml(text, place), place) if text else {}
        return cls(path, values, read_environment(environ), options or {})

    def get(self, key: Key[T], option: T | None = None) -> T:
        """The value that holds; ``option`` is what the command's own option says, None when not given."""
        return self.setting(key).value if option is None else option

    def said(self, key: Key[T], text: str | None) -> T:
        """As `get`, of an option that is text still; ConfigError when it does not fit."""
        return self.get(key, None if text is None else check_option(key, text))

    def setting(self, key: Key[T]) -> Setting[T]:
        """The value that holds, with its origin."""
        return self.strongest(key)

    def strongest(self, *keys: Key[T]) -> Setting[T]:
        """Of settings that exclude each other, the one in the strongest place; the first when none is set."""
        for origin, values in self._places():
            for key in keys:
                if key.name in values:
                    return Setting(key, values[key.name], origin, self._source(key, origin))
        return Setting(keys[0], keys[0].default, "default", "")

    def relay_of(self) -> dict[Fingerprint, Relay]:
        """The authors with a relay policy of their own."""
        return self._by_person(RELAY_OF)

    def given(self) -> dict[Fingerprint, tuple[Address, ...]]:
        """Where people are, as it was given by hand."""
        return self._by_person(PEER_AT)

    def _by_person(self, key: Key[T | None]) -> dict[Fingerprint, T]:
        """The people for whom something of their own is set, with what holds."""
        section = key.name.partition(".")[0] + "."
        names = {name for _, values in self._places() for name in values if name.startswith(section)}
        people = sorted(person for name in names if (person := author_of(name)) is not None)
        found = {person: self.get(for_person(key, person)) for person in people}
        return {person: value for person, value in found.items() if value is not None}

    def settings(self) -> list[Setting[Any]]:
        """Every setting in the order of the table, then one for each person for whom one of them is set."""
        found = [self.setting(key) for key in KEYS if key not in PERSONAL]
        for key in PERSONAL:
            found += [self.setting(for_person(key, person)) for person in self._by_person(key)]
        return found

    def _places(self) -> tuple[tuple[Origin, Values], ...]:
        return (("option", self.options), ("environment", self.environment), ("file", self.file))

    def _source(self, key: Key[Any], origin: Origin) -> str:
        match origin:
            case "option":
                return key.option
            case "environment":
                return key.variable
            case "file":
                return str(self.path)
        return ""
