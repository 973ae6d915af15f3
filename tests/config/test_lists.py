"""Lists in settings: addresses, fingerprints, beginnings, names (spec/config.md C10)."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.config.editing import put
from mau.config.keys import CIRCUIT_VIA, DISCOVERY_BOOTSTRAP, REACH_ADDRESSES, peer_at
from mau.config.kinds import DoesNotFit, Kind
from mau.config.lists import Addresses, Beginning, Beginnings, Fingerprints, Languages, Names, ViaWhom
from mau.config.settings import Config
from mau.domain import parse_domain
from mau.errors import AddressMalformed, ConfigError
from mau.fingerprint import Fingerprint

BOB = Fingerprint(b"b" * 20)
EVE = Fingerprint(b"e" * 20)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Addresses(), "Host:1, [2001:DB8::1]:2,host:1", (("host", 1), ("2001:db8::1", 2))),
        (Addresses(), "", ()),
        (Fingerprints(), f"0x{BOB.hex.upper()}, {EVE.hex}", (BOB, EVE)),
        (Names(), "192.0.2.0/24@00:11:22:33:44:55, home", ("192.0.2.0/24@00:11:22:33:44:55", "home")),
        (
            Beginnings(),
            f"{BOB.hex}@host:1, Example.ORG.",
            (Beginning(BOB, ("host", 1)), Beginning(domain="example.org")),
        ),
        (Languages(), "de-AT, en,de-AT", ("de-AT", "en")),
        (ViaWhom(), "auto", "auto"),
        (ViaWhom(), f"{BOB.hex}", (BOB,)),
    ],
)
def test_what_is_read_is_what_is_written(kind: Kind[object], text: str, value: object) -> None:
    assert kind.parse(text) == value
    assert kind.from_toml(kind.to_toml(value)) == value
    assert kind.from_toml(text) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Addresses(), "host"),
        (Addresses(), ["host:1", 2]),
        (Addresses(), [["host:1"]]),
        (Addresses(), 8880),
        (Addresses(), ",".join(f"host:{port}" for port in range(1, 10))),
        (Fingerprints(), "bob"),
        (Beginnings(), f"{BOB.hex}@"),
        (Beginnings(), "@host:1"),
        (Beginnings(), "host"),
        (Beginnings(), "192.0.2.1"),
        (Names(), ["a\nb"]),
        (Names(), ["x" * 201]),
        (Names(), [""]),
        (Languages(), "de_AT"),
        (Languages(), ["en", "x y"]),
        (ViaWhom(), "friends"),
        (ViaWhom(), []),
        (ViaWhom(), ["auto"]),
    ],
)
def test_what_does_not_fit_is_refused(kind: Kind[object], value: object) -> None:
    with pytest.raises(DoesNotFit):
        kind.from_toml(value)


hosts = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20)


@given(st.lists(st.tuples(hosts, st.integers(1, 65535)), max_size=8, unique=True))
def test_any_addresses_come_back_from_the_file(addresses: list[tuple[str, int]]) -> None:
    kind = Addresses()
    assert kind.from_toml(kind.to_toml(tuple(addresses))) == tuple(addresses)


def test_they_stand_in_the_file_as_lists(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    put(path, peer_at(BOB), (("host", 1), ("::1", 2)))
    put(path, REACH_ADDRESSES, ())
    put(path, DISCOVERY_BOOTSTRAP, (Beginning(EVE, ("::1", 3)), Beginning(domain="example.org")))
    put(path, CIRCUIT_VIA, "off")
    assert '["host:1", "[::1]:2"]' in path.read_text()
    config = Config.load(environ={"MAU_CONFIG": str(path)})
    assert config.given() == {BOB: (("host", 1), ("::1", 2))}
    assert config.get(REACH_ADDRESSES) == ()
    assert config.get(DISCOVERY_BOOTSTRAP) == (Beginning(EVE, ("::1", 3)), Beginning(domain="example.org"))
    assert config.get(CIRCUIT_VIA) == "off"
    assert [one.key.name for one in config.settings() if one.key.name.startswith("peer.")] == [
        f"peer.{BOB.hex}"
    ]
    assert config.relay_of() == {}


def test_the_environment_gives_addresses_too(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.touch(0o600)
    environ = {"MAU_CONFIG": str(path), f"MAU_PEER_{BOB.hex.upper()}": "one:1,two:2"}
    assert Config.load(environ=environ).given() == {BOB: (("one", 1), ("two", 2))}
    with pytest.raises(ConfigError, match="HOST:PORT"):
        Config.load(environ={**environ, "MAU_REACH_ADDRESSES": "nowhere"})


# --- domains -----------------------------------------------------------------------------------------------


def test_a_domain_is_a_name_of_several_labels() -> None:
    assert parse_domain(" Bob.Example.ORG. ") == "bob.example.org"
    assert parse_domain("b\xfccher.example") == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "localhost",
        "192.0.2.1",
        "::1",
        "a..b",
        "-a.org",
        "a-.org",
        "a b.org",
        "a/b.org",
        "x" * 64 + ".org",
        "a." * 100 + "org",
        BOB.hex,
        "b\xfc" * 80 + ".org",
    ],
)
def test_other_words_are_no_domain(text: str) -> None:
    with pytest.raises(AddressMalformed):
        parse_domain(text)


@given(st.text(max_size=300))
def test_any_text_is_a_domain_or_an_error(text: str) -> None:
    try:
        name = parse_domain(text)
    except AddressMalformed:
        return
    assert parse_domain(name) == name
    assert name.isascii()
    assert name == name.lower()
