"""Values that are lists: addresses, fingerprints, names (spec/config.md C6, C10). Pure.

In words they are written with commas between them; in the file as a list of TOML, or as one string like that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from mau.config.kinds import DoesNotFit, Kind, toml_words
from mau.domain import parse_domain
from mau.errors import AddressMalformed, InvalidFingerprint
from mau.fingerprint import Fingerprint
from mau.hostport import Address, format_address, parse_address

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where the lookup network is entered: somebody at an address, or a ``domain`` that names them."""

    fingerprint: Fingerprint | None = None
    address: Address | None = None
    domain: str | None = None

    def __str__(self) -> str:
        if self.fingerprint is None or self.address is None:
            return self.domain or ""
        return f"{self.fingerprint.hex}@{format_address(self.address)}"


def parse_beginning(text: str) -> Beginning:
    """Read FPR@HOST:PORT or a domain; DoesNotFit."""
    who, found, where = text.strip().partition("@")
    if not found:
        return Beginning(domain=_domain(who))
    try:
        return Beginning(Fingerprint.parse_loose(who), parse_address(where))
    except (InvalidFingerprint, AddressMalformed) as error:
        raise DoesNotFit(str(error)) from None


def _domain(text: str) -> str:
    try:
        return parse_domain(text)
    except AddressMalformed as error:
        raise DoesNotFit(str(error)) from None


class Several(Kind[tuple[T, ...]], Generic[T]):
    """A list of at most ``most`` elements, each once, in the order in which they stand."""

    most = 64

    def parse(self, text: str) -> tuple[T, ...]:
        return self._all(word for word in map(str.strip, text.split(",")) if word)

    def from_toml(self, value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            return super().from_toml(value)
        for one in value:
            if not isinstance(one, str):
                raise DoesNotFit(f"not {toml_words(one)} in the list")
        return self._all(one.strip() for one in value)

    def _all(self, words: Iterable[str]) -> tuple[T, ...]:
        found = tuple(dict.fromkeys(map(self.one, words)))
        if len(found) > self.most:
            raise DoesNotFit(f"at most {self.most} of them")
        return found

    def one(self, word: str) -> T:
        """Read one element; DoesNotFit."""
        raise NotImplementedError

    def words(self, one: T) -> str:
        """Write one element."""
        return str(one)

    def to_toml(self, value: object) -> list[str]:
        return self.show(value)

    def show(self, value: object) -> list[str]:
        assert isinstance(value, Sequence)  # noqa: S101 - what parse made
        return [self.words(one) for one in value]


class Addresses(Several[Address]):
    """Where something can be reached."""

    form = "HOST:PORT or [IPV6]:PORT, or several of them,"
    most = 8

    def one(self, word: str) -> Address:
        try:
            return parse_address(word)
        except AddressMalformed as error:
            raise DoesNotFit(str(error)) from None

    def words(self, one: Address) -> str:
        return format_address(one)


class Beginnings(Several[Beginning]):
    """Where the lookup network is entered."""

    form = "FPR@HOST:PORT or a domain, or several of them,"

    def one(self, word: str) -> Beginning:
        return parse_beginning(word)


class Fingerprints(Several[Fingerprint]):
    """People by their fingerprints."""

    form = "fingerprints, with commas between them,"
    most = 1_000

    def one(self, word: str) -> Fingerprint:
        try:
            return Fingerprint.parse_loose(word)
        except InvalidFingerprint as error:
            raise DoesNotFit(str(error)) from None

    def words(self, one: Fingerprint) -> str:
        return one.hex


class Names(Several[str]):
    """Names, as whoever gives them writes them."""

    form = "names, with commas between them,"

    def one(self, word: str) -> str:
        if not word or len(word) > 200 or not word.isprintable():
            raise DoesNotFit(f"no name: {word!r:.80}")
        return word


class Languages(Several[str]):
    """Languages by their tags (RFC 5646)."""

    form = "languages such as en or pt-BR, with commas between them,"
    most = 20

    def one(self, word: str) -> str:
        from mau.content.languages import is_language  # settings are read by every command

        if not is_language(word):
            raise DoesNotFit(f"no tag of a language: {word!r:.80}")
        return word


Via = Literal["auto", "off"] | tuple[Fingerprint, ...]


class ViaWhom(Kind[Via]):
    """Relays by their fingerprints, or a word instead."""

    form = "auto, off or fingerprints, with commas between them,"
    _list: Final = Fingerprints()

    def parse(self, text: str) -> Via:
        match text.strip():
            case "auto" | "off" as word:
                return word
        return self._some(self._list.parse(text))

    def from_toml(self, value: object) -> Via:
        return (
            self._some(self._list.from_toml(value)) if isinstance(value, list) else super().from_toml(value)
        )

    @staticmethod
    def _some(found: tuple[Fingerprint, ...]) -> Via:
        if not found:
            raise DoesNotFit("off is nobody")
        return found

    def to_toml(self, value: object) -> str | list[str]:
        return self.show(value)

    def show(self, value: object) -> str | list[str]:
        return value if isinstance(value, str) else self._list.show(value)
