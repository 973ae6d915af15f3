"""Names of settings: one table, the same everywhere, and the nearest right one (spec/config.md C5)."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.config.keys import (
    KEYS,
    PERSONAL,
    SECTIONS,
    author_of,
    find_key,
    find_variable,
    for_person,
    peer_at,
    relay_of,
)
from mau.errors import ConfigError
from mau.fingerprint import Fingerprint
from mau_cli.main import cli

PAPER = (Path(__file__).parents[2] / "spec" / "config.md").read_text(encoding="utf-8")
FIXED = [key for key in KEYS if key not in PERSONAL]
NAMES = [key.name for key in FIXED]
BOB = Fingerprint(b"b" * 20)


# --- the table ---------------------------------------------------------------------------------------------


def test_the_paper_lists_every_setting_as_it_is() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in PAPER.splitlines()
        if line.startswith("| `")
    ]
    assert rows == [
        [
            f"`{key.name}`",
            key.kind.form.rstrip(","),
            key.otherwise if key.default is None else f"`{key.kind.show(key.default)}`",
            key.meaning,
            f"`{key.variable}`",
            f"`mau {key.option}`" if key.option else "",
        ]
        for key in KEYS
    ]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_each_setting_says_what_it_is_and_what_holds_without_it(key: object) -> None:
    assert key in KEYS
    for one in KEYS:
        assert one.meaning
        assert (one.default is None) == bool(one.otherwise)
        assert one.default is None or one.kind.from_toml(one.default) == one.default


@pytest.mark.parametrize("key", [key for key in KEYS if key.option], ids=lambda key: key.name)
def test_each_setting_is_an_option_of_that_name(key: object) -> None:
    one = next(one for one in KEYS if one is key)
    words = one.option.replace(",", "").split()
    command: click.Command = cli
    if not words[0].startswith("-"):
        found = cli.get_command(click.Context(cli), words.pop(0))
        assert found is not None
        command = found
    options = {name for parameter in command.params for name in parameter.opts}
    assert set(words) <= options
    if one.name not in ("post.audience", "dir"):  # several options; and one word is its own last part
        section, _, last = one.name.replace("_", "-").partition(".")
        assert words[0] in (f"--{last}", f"--{section}-{last}")


def test_the_rules_of_the_paper_are_numbered_without_gaps() -> None:
    rules = [int(number) for number in re.findall(r"^- \*\*C(\d+)\*\*", PAPER, re.M)]
    assert rules == list(range(1, len(rules) + 1))


# --- names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", FIXED, ids=lambda key: key.name)
def test_a_setting_is_found_by_its_name_and_its_variable(key: object) -> None:
    one = next(one for one in KEYS if one is key)
    assert find_key(one.name.split(".")) is one
    assert find_variable(one.variable) is one
    assert one.variable == "MAU_" + one.name.upper().replace(".", "_")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("server.lisen", "server.listen"),
        ("sever.listen", "server.listen"),
        ("server_listen", "server.listen"),
        ("Server.Relay", "server.relay"),
        ("server.listening", "server.listen"),
        ("audience", "post.audience"),
        ("passphrase", "passphrase.file"),
        ("passphrase.cmd", "passphrase.command"),
        ("relay", "relay.FPR"),
        ("directory", "dir"),
        ("server.bandwidth_per_second", "server.bytes_per_second"),
        ("server.accesslog", "server.access_log"),
        ("server.connections_per_ip_address", "server.connections_per_address"),
        ("server.max_connections", "server.connections"),
        ("server.requests_per_second", "server.friend_requests_per_second"),
    ],
)
def test_a_wrong_name_brings_the_nearest_right_one(wrong: str, right: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"did you mean {right}?")):
        find_key(wrong.split("."))


@given(
    st.sampled_from([name for name in NAMES if len(name) > 3]), st.integers(0, 99), st.sampled_from("xqz_7")
)
def test_a_slip_of_the_finger_brings_the_right_name(name: str, place: int, letter: str) -> None:
    place %= len(name)
    if name[place] == ".":
        return
    for wrong in (
        name[:place] + letter + name[place + 1 :],
        name[:place] + name[place + 1 :],
        name[:place] + letter + name[place:],
    ):
        if wrong not in NAMES:
            # Between discovery.dns and discovery.mdns lies one letter.
            right = re.escape(name).replace(r"\.mdns", r"\.m?dns").replace(r"\.dns", r"\.m?dns")
            with pytest.raises(ConfigError, match=rf"did you mean {right}\?"):
                find_key(wrong.split("."))


def test_a_name_that_is_near_to_nothing_brings_them_all() -> None:
    with pytest.raises(ConfigError) as caught:
        find_key(["zzz"])
    assert all(key.name in str(caught.value) for key in KEYS)


@given(st.lists(st.text(max_size=12), min_size=1, max_size=4))
def test_any_name_is_a_setting_or_an_error(parts: list[str]) -> None:
    try:
        key = find_key(parts)
    except ConfigError:
        return
    assert key.name in NAMES or author_of(key.name) is not None


def test_a_name_in_quotes_is_another_name() -> None:
    with pytest.raises(ConfigError, match="without quotes"):
        find_key(["server.listen"])


# --- one author --------------------------------------------------------------------------------------------


@given(st.binary(min_size=20, max_size=20), st.data())
def test_an_author_is_named_in_any_usual_spelling(raw: bytes, data: st.DataObject) -> None:
    author = Fingerprint(raw)
    spaced = " ".join(author.hex[at : at + 4] for at in range(0, 40, 4))
    spelling = data.draw(st.sampled_from([author.hex, author.hex.upper(), f"0x{author.hex}", spaced]))
    assert find_key(["relay", spelling]) == relay_of(author)
    assert author_of(relay_of(author).name) == author
    assert find_variable(f"MAU_RELAY_{author.hex.upper()}") == relay_of(author)
    assert find_key(["peer", spelling]) == peer_at(author)
    assert author_of(peer_at(author).name) == author
    assert find_variable(f"MAU_PEER_{author.hex.upper()}") == peer_at(author)


def test_what_is_set_for_each_person_apart_is_no_setting_of_one_name() -> None:
    assert {key.name for key in PERSONAL} == {key.name for key in KEYS if key.name.endswith(".FPR")}
    for key in PERSONAL:
        assert for_person(key, BOB).name == f"{key.name.removesuffix('FPR')}{BOB.hex}"
        assert for_person(key, BOB).kind is key.kind


@pytest.mark.parametrize("section", ["relay", "peer"])
@pytest.mark.parametrize("word", ["bob", "", "FPR", "0" * 39, "g" * 40])
def test_an_author_is_a_fingerprint(word: str, section: str) -> None:
    with pytest.raises(ConfigError, match="40 hex digits"):
        find_key([section, word])


# --- the environment ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["PATH", "MAU_DEBUG", "MAU_PASSPHRASE", "MAU_CONFIG", "MAU_", "MAU", "MAU_SERVER", "XMAU_SERVER_X", ""],
)
def test_other_variables_mean_nothing(name: str) -> None:
    assert find_variable(name) is None


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("MAU_SERVER_RELY", "MAU_SERVER_RELAY"), ("MAU_PASSPHRASE_FIEL", "MAU_PASSPHRASE_FILE")],
)
def test_a_variable_of_a_section_must_be_a_setting(wrong: str, right: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"did you mean {right}?")):
        find_variable(wrong)


@given(st.sampled_from(sorted(SECTIONS)), st.text(max_size=12))
def test_any_variable_is_a_setting_or_an_error(section: str, rest: str) -> None:
    try:
        key = find_variable(f"MAU_{section.upper()}_{rest}")
    except ConfigError:
        return
    assert key in KEYS or not rest or author_of(getattr(key, "name", "")) is not None
