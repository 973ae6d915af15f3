"""Which setting somebody means: by its name in the file, in the environment, or for one person. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final, TypeVar

from mau.config.keys.key import PREFIX, Key
from mau.config.keys.reach import PEER_AT
from mau.config.keys.server import RELAY_OF, Relay
from mau.config.keys.table import KEYS, PERSONAL, SECTIONS
from mau.errors import ConfigError, InvalidFingerprint
from mau.fingerprint import Fingerprint
from mau.hostport import Address

T = TypeVar("T")

_FIXED: Final = {key.name: key for key in KEYS if key not in PERSONAL}
_PERSONAL: Final = {key.name.partition(".")[0]: key for key in PERSONAL}


def for_person(key: Key[T], person: Fingerprint) -> Key[T]:
    """The setting for one person, of those that are set for each apart."""
    section, _, _ = key.name.partition(".")
    return replace(key, name=f"{section}.{person.hex}")


def relay_of(author: Fingerprint) -> Key[Relay | None]:
    """Whom to give what that author wrote."""
    return for_person(RELAY_OF, author)


def peer_at(person: Fingerprint) -> Key[tuple[Address, ...] | None]:
    """Where that person is, as it was given by hand."""
    return for_person(PEER_AT, person)


def author_of(name: str) -> Fingerprint | None:
    """The person whom a setting is for, if it is one of `for_person`."""
    section, _, person = name.partition(".")
    return Fingerprint.parse(person) if section in _PERSONAL else None


def find_key(parts: Iterable[str], place: str = "") -> Key[Any]:
    """The setting of that name, in the parts between its dots; ConfigError names the nearest right one.

    A fingerprint may be written in any of the usual spellings. ``place`` begins the message.
    """
    words = tuple(parts)
    match words:
        case (section, person) if section in _PERSONAL:
            try:
                return for_person(_PERSONAL[section], Fingerprint.parse_loose(person))
            except InvalidFingerprint:
                raise ConfigError(
                    f"{place}{section}.{person!r:.80}: a person is named by the 40 hex digits of the "
                    "fingerprint; `mau friend list` shows them"
                ) from None
        case (_,) | (_, _) if (key := _FIXED.get(".".join(words))) is not None and "." not in words[-1]:
            return key
    name = ".".join(words)
    if any("." in word for word in words):
        raise ConfigError(
            f"{place}there is no setting {name!r:.80}; a name with dots is written without quotes"
        )
    raise ConfigError(f"{place}there is no setting {name!r:.80}{nearest(name, [key.name for key in KEYS])}")


def find_variable(variable: str) -> Key[Any] | None:
    """The setting that an environment variable stands for; None when the variable is not one of ours.

    Whatever begins like the settings of a section must be one of them (ConfigError): a misspelt one would
    silently do nothing.
    """
    for key in _FIXED.values():
        if key.variable == variable:
            return key
    section, _, rest = variable.removeprefix(PREFIX).partition("_")
    if not variable.startswith(PREFIX) or not rest or section.lower() not in SECTIONS:
        return None
    if section.lower() in _PERSONAL:
        return find_key((section.lower(), rest), f"{variable[:80]!r}: ")
    hint = nearest(variable, [key.variable for key in KEYS])
    raise ConfigError(f"there is no setting {variable!r:.80} in the environment{hint}")


def nearest(name: str, names: Iterable[str]) -> str:
    """The words that name the right one: "; did you mean x?", or a list when nothing is near."""
    folded = {_fold(one): one for one in names}
    longer = [one for one in folded if "." not in one and _fold(name).startswith(one)]
    found = longer or difflib.get_close_matches(_fold(name), folded, n=1, cutoff=0.5)
    if found:
        return f"; did you mean {folded[found[0]]}?"
    return f"; there are {', '.join(folded.values())}"


def _fold(name: str) -> str:
    return name.casefold().replace("_", ".").replace("-", ".")
