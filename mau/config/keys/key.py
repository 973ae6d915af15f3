"""One setting. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from mau.config.kinds import Kind

T = TypeVar("T")

PREFIX: Final = "MAU_"


@dataclass(frozen=True, slots=True)
class Key(Generic[T]):
    """One setting. ``default`` None: ``otherwise`` says what holds then."""

    name: str
    kind: Kind[T]
    default: T
    meaning: str
    option: str
    otherwise: str = ""

    @property
    def variable(self) -> str:
        """The environment variable of the same name."""
        return PREFIX + self.name.upper().replace(".", "_")
