"""What a value may be (spec/config.md C6)."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.config.keys import KEYS, POST_AUDIENCE, SERVER_RELAY
from mau.config.kinds import Audience, Choice, Command, DoesNotFit, Kind, Listen, LogPlace, PathText, Whole
from mau.errors import AddressMalformed
from mau.hostport import parse_listen
from mau.server.visibility import RELAYS

KINDS: list[Kind[Any]] = [key.kind for key in KEYS]
TEXTS = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="/~ab,@ \x00\ud800'\"\\:08[].", max_size=12),
    st.sampled_from(["none", "friends", "public", ":0", "[::1]:80", "~/x", "/x", "me", "@tea", "bob, @tea"]),
)
TOML: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=10),
        st.datetimes(),
        st.dates(),
        st.times(),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def test_the_relay_policies_are_those_of_the_server() -> None:
    assert isinstance(SERVER_RELAY.kind, Choice)
    assert SERVER_RELAY.kind.choices == RELAYS


@pytest.mark.parametrize("kind", KINDS)
@given(text=TEXTS)
def test_a_text_is_a_value_that_stays_the_same_or_does_not_fit(kind: Kind[Any], text: str) -> None:
    try:
        value = kind.parse(text)
    except DoesNotFit:
        return
    assert kind.from_toml(kind.to_toml(value)) == value
    assert kind.from_environment(text) == value
    kind.show(value)


@pytest.mark.parametrize("kind", KINDS)
@given(value=TOML)
def test_whatever_toml_can_hold_is_a_value_or_does_not_fit(kind: Kind[Any], value: object) -> None:
    try:
        held = kind.from_toml(value)
    except DoesNotFit as error:
        assert repr(value) not in str(error) or not kind.secret
        return
    assert kind.from_toml(kind.to_toml(held)) == held


@given(TEXTS)
def test_where_to_listen_is_what_a_server_can_read(text: str) -> None:
    try:
        meant = parse_listen(text)
    except AddressMalformed:
        with pytest.raises(DoesNotFit):
            Listen().parse(text)
    else:
        assert parse_listen(Listen().parse(text)) == meant


@given(st.lists(TEXTS, max_size=4))
def test_an_audience_is_never_public_in_any_spelling(words: list[str]) -> None:
    for read in (lambda: Audience().from_toml(words), lambda: Audience().parse(",".join(words))):
        try:
            audience = read()
        except DoesNotFit:
            continue
        assert audience
        assert not any(word.strip().casefold() == "public" for word in audience)
        assert len(set(audience)) == len(audience)


@pytest.mark.parametrize("value", ["public", "PUBLIC", " public ", "bob,Public", ["me", "public"]])
def test_public_is_refused_with_the_reason(value: object) -> None:
    with pytest.raises(DoesNotFit, match="say --public each time"):
        Audience().from_toml(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("friends", ("friends",)),
        ("Me", ("me",)),
        ("bob, @tea,bob", ("bob", "@tea")),
        (["Meier, Hans", "@a/b"], ("Meier, Hans", "@a/b")),
        (["me", "ME"], ("me",)),
    ],
)
def test_an_audience_is_a_list_of_words(value: object, words: tuple[str, ...]) -> None:
    assert Audience().from_toml(value) == words
    assert Audience().from_toml(Audience().to_toml(words)) == words


@pytest.mark.parametrize("value", ["", " , ", [], [""], ["bob", 3], 3, {}, True])
def test_what_is_no_audience_is_refused(value: object) -> None:
    with pytest.raises(DoesNotFit):
        POST_AUDIENCE.kind.from_toml(value)


@pytest.mark.parametrize("text", ["x", "./x", "../x", "", "~x", "/a\0b", "/\udc80"])
def test_a_path_in_the_file_depends_on_no_directory(text: str) -> None:
    with pytest.raises(DoesNotFit):
        PathText().parse(text)


def test_a_path_in_the_environment_may_be_relative() -> None:
    assert PathText().from_environment("./x") == "./x"
    assert PathText().from_environment("/\udc80") == "/\udc80"


@pytest.mark.parametrize("value", [1000, 1001, 10**12, 0, "1000"])
def test_a_number_is_taken_from_the_least_to_the_most(value: int | str) -> None:
    kind = Whole(1000, 10**12, off=True)
    assert (kind.parse(value) if isinstance(value, str) else kind.from_toml(value)) == int(value)


@pytest.mark.parametrize("value", [999, 10**12 + 1, -1, -1000, 1000.0, True, "1000", [1000]])
def test_what_is_no_such_number_is_refused(value: object) -> None:
    with pytest.raises(DoesNotFit):
        Whole(1000, 10**12, off=True).from_toml(value)


@pytest.mark.parametrize("text", ["", "-1", "1e3", "1_000", " 1000", "1000 ", "٣٣٣٣", "0x400", "9" * 40])
def test_a_number_is_written_in_digits(text: str) -> None:
    with pytest.raises(DoesNotFit):
        Whole(1000, 10**12, off=True).parse(text)


def test_without_off_nothing_is_not_enough() -> None:
    with pytest.raises(DoesNotFit):
        Whole(1, 9).from_toml(0)


def test_lines_can_be_appended_to_standard_output() -> None:
    assert LogPlace().from_toml("-") == "-"
    with pytest.raises(DoesNotFit):
        LogPlace().from_toml("access.log")


@pytest.mark.parametrize("text", ["", " ", "pass 'show", "''", "a\0b"])
def test_what_is_no_command_is_refused(text: str) -> None:
    with pytest.raises(DoesNotFit):
        Command().parse(text)


@pytest.mark.parametrize(("text", "shown"), [("pass show mau", "pass ..."), ("'my pass'", "my pass")])
def test_only_the_first_word_of_a_command_is_shown(text: str, shown: str) -> None:
    assert Command().show(Command().parse(text)) == shown


@pytest.mark.parametrize("kind", [SERVER_RELAY.kind, Listen(), PathText(), Command()])
@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("1", "a number"),
        ("1.5", "a number"),
        ("true", "true or false"),
        ("[]", "a list"),
        ("{}", "a table"),
        ("2026-11-20", "a date or time"),
    ],
)
def test_another_type_is_refused_and_named(kind: Kind[Any], toml: str, words: str) -> None:
    with pytest.raises(DoesNotFit, match=f"not {words}"):
        kind.from_toml(tomllib.loads(f"x = {toml}")["x"])
