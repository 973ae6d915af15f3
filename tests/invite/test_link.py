"""Links that introduce somebody: both ends agree, and whatever is none ends as one error."""

from __future__ import annotations

import contextlib
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.errors import AddressMalformed, LinkMalformed, UsageError
from mau.fingerprint import Fingerprint
from mau.hostport import Address, format_address, parse_address
from mau.invite.facts import new_token
from mau.invite.link import (
    MAX_ADDRESSES,
    MAX_LINK,
    MAX_NAME,
    Link,
    clean_name,
    format_link,
    is_link,
    is_token,
    parse_link,
)

FPR = Fingerprint(bytes(range(20)))
RELAY = Fingerprint(b"\xab" * 20)
TOKEN = "AAAAAAAAAAAAAAAAAAAA_-"
HOME = f"mau:/p2p/{FPR.hex}"

fingerprints = st.builds(Fingerprint, st.binary(min_size=20, max_size=20))
hosts = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]{2,6})?", fullmatch=True),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
)


def as_read(address: Address) -> Address | None:
    """The one spelling of an address; None for what is none, though it looks like one."""
    try:
        return parse_address(format_address(address))
    except AddressMalformed:
        return None


addresses = st.tuples(hosts, st.integers(1, 65535)).map(as_read).filter(bool)
names = st.text(max_size=MAX_NAME // 4).map(clean_name)
links = st.builds(
    Link,
    fingerprints,
    names,
    st.lists(addresses, max_size=MAX_ADDRESSES, unique=True).map(tuple),
    st.lists(st.tuples(fingerprints, addresses), max_size=4, unique=True).map(tuple),
    st.none() | st.builds(new_token),
)


def test_a_link_reads_as_it_is_written() -> None:
    link = Link(
        FPR, "Zoë & co", (("zoe.example.org", 8880), ("2001:db8::1", 1)), ((RELAY, ("10.0.0.1", 2)),), TOKEN
    )
    text = (
        f"mau://zoe.example.org:8880/p2p/{FPR.hex}?name=Zo%C3%AB%20%26%20co&at=%5B2001:db8::1%5D:1"
        f"&via={RELAY.hex}@10.0.0.1:2&invite={TOKEN}"
    )
    assert format_link(link) == text
    assert parse_link(text) == link


def test_a_fingerprint_alone_is_a_link() -> None:
    assert format_link(Link(FPR)) == HOME
    assert parse_link(f"  {HOME}\n") == Link(FPR)
    assert parse_link(f"MAU:///p2p/{FPR.hex}/?") == Link(FPR)


@given(links)
def test_what_is_written_is_read_again(link: Link) -> None:
    text = format_link(link)
    assert text.isascii()
    assert len(text) <= MAX_LINK
    assert parse_link(text) == link


@given(st.text() | st.text().map(lambda rest: HOME + rest) | st.text().map(lambda rest: f"{HOME}?{rest}"))
def test_everything_else_is_one_error(text: str) -> None:
    with contextlib.suppress(LinkMalformed):
        link = parse_link(text)
        assert parse_link(format_link(link)) == link


@given(st.text(max_size=MAX_NAME))
def test_a_name_steers_nothing(name: str) -> None:
    found = parse_link(f"{HOME}?name={quote(name, safe='')}").name
    assert clean_name(found) == found
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not [
        character
        for character in found
        if unicodedata.category(character) in hidden and character not in "\u200c\u200d"
    ]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("%1B%5B2JBob", "[2JBob"),
        ("Bob%E2%80%AEecila", "Bobecila"),
        ("Bob%0A%0AAlice", "Bob Alice"),
        ("%20Bob%09Smith%20", "Bob Smith"),
        ("Bob+Smith", "Bob+Smith"),
        ("Zoe%CC%88", "Zoë"),
        ("", ""),
    ],
)
def test_hostile_names_become_harmless(sent: str, shown: str) -> None:
    assert parse_link(f"{HOME}?name={sent}").name == shown


def test_unknown_fields_mean_nothing_and_the_same_place_counts_once() -> None:
    text = f"mau://a:1/p2p/{FPR.hex}?x=1&&at=a:1&y&=z&at=b:2&at=b:2&Name=Bob"
    assert parse_link(text) == Link(FPR, "", (("a", 1), ("b", 2)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mau:",
        "https://example.org/",
        f"mau:p2p/{FPR.hex}",
        f"mau:/p2p/{FPR.hex.upper().replace('0', 'A')}",
        f"mau:/p2p/{FPR.hex[:-1]}",
        f"mau:/p2p/{FPR.hex}/hello.pgp",
        f"mau:/p2q/{FPR.hex}",
        f"mau://host/p2p/{FPR.hex}",
        f"mau://host:0/p2p/{FPR.hex}",
        f"mau://host:65536/p2p/{FPR.hex}",
        f"mau://user@host:1/p2p/{FPR.hex}",
        f"mau://ho%20st:1/p2p/{FPR.hex}",
        f"{HOME}#name",
        f"{HOME}?at=host",
        f"{HOME}?at=",
        f"{HOME}?via=host:1",
        f"{HOME}?via={RELAY.hex}",
        f"{HOME}?via={RELAY.hex.upper()}@host:1",
        f"{HOME}?via={RELAY.hex}@host",
        f"{HOME}?invite=",
        f"{HOME}?invite={TOKEN[:-1]}",
        f"{HOME}?invite={TOKEN}A",
        f"{HOME}?invite={TOKEN}&invite={TOKEN}",
        f"{HOME}?name=a&name=b",
        f"{HOME}?name=%ff",
        f"{HOME}?name=%zz",
        f"{HOME}?name=a b",
        f"{HOME}?name=\x1b[2J",
        f"{HOME}?name={'a' * (MAX_NAME + 1)}",
        f"{HOME}?x={'a' * MAX_LINK}",
        f"{HOME}?" + "&".join(f"at=h:{port}" for port in range(1, 10)),
        f"mau://h:9/p2p/{FPR.hex}?" + "&".join(f"at=h:{port}" for port in range(1, 9)),
        f"{HOME}?" + "&".join(f"via={RELAY.hex}@h:{port}" for port in range(1, 6)),
    ],
)
def test_what_is_no_link_is_refused(text: str) -> None:
    with pytest.raises(LinkMalformed):
        parse_link(text)


def test_the_error_is_one_of_usage_and_repeats_no_token() -> None:
    assert issubclass(LinkMalformed, UsageError)
    with pytest.raises(LinkMalformed) as refused:
        parse_link(f"{HOME}?at=x&invite={TOKEN}")
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize(
    "link",
    [
        Link(FPR, "two\nlines"),
        Link(FPR, "n" * (MAX_NAME + 1)),
        Link(FPR, token="short"),
        Link(FPR, addresses=(("a", 1),) * 2),
        Link(FPR, addresses=tuple(("a", port) for port in range(1, 10))),
    ],
)
def test_what_a_link_cannot_say_is_not_written(link: Link) -> None:
    with pytest.raises(LinkMalformed):
        format_link(link)


def test_what_is_meant_as_a_link() -> None:
    assert is_link(HOME)
    assert is_link(" MAU:x")
    assert not is_link(FPR.hex)
    assert not is_link("mau.asc")


def test_tokens_are_made_of_128_bits_and_never_the_same() -> None:
    found = {new_token() for _ in range(100)}
    assert len(found) == 100
    assert all(map(is_token, found))
    assert not is_token("")
