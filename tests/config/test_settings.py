"""Which value holds, and which file is believed (spec/config.md C1-C7)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.config.file import MAX_SIZE, config_file, read_file
from mau.config.keys import (
    DIR,
    PASSPHRASE_COMMAND,
    PASSPHRASE_FILE,
    POST_AUDIENCE,
    SERVER_LISTEN,
    SERVER_RELAY,
)
from mau.config.reading import read_environment, read_table
from mau.config.settings import Config
from mau.errors import ConfigError
from mau.fingerprint import Fingerprint

BOB, CAROL = Fingerprint(b"b" * 20), Fingerprint(b"c" * 20)
Load = Callable[..., Config]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.fixture
def load(path: Path) -> Load:
    """Writes the file and reads it with an environment."""

    def written(text: str = "", **environ: str) -> Config:
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        return Config.load(environ={"MAU_CONFIG": str(path), **environ})

    return written


# --- which value holds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", list(itertools.product([False, True], repeat=3)))
def test_the_option_goes_before_the_environment_the_file_and_the_default(
    load: Load, path: Path, places: tuple[bool, bool, bool]
) -> None:
    in_option, in_environment, in_file = places
    config = load(
        'server.listen = ":3"' if in_file else "", **({"MAU_SERVER_LISTEN": ":2"} if in_environment else {})
    )
    expected = ":1" if in_option else ":2" if in_environment else ":3" if in_file else SERVER_LISTEN.default
    assert config.get(SERVER_LISTEN, ":1" if in_option else None) == expected
    setting = config.setting(SERVER_LISTEN)
    assert (setting.origin, setting.source) == (
        ("environment", "MAU_SERVER_LISTEN")
        if in_environment
        else ("file", str(path))
        if in_file
        else ("default", "")
    )


def test_an_empty_variable_says_nothing(load: Load) -> None:
    assert load('server.relay = "none"', MAU_SERVER_RELAY="").get(SERVER_RELAY) == "none"


def test_an_author_has_the_policy_of_the_stronger_place(load: Load) -> None:
    config = load(
        f'[relay]\n{BOB.hex} = "public"\n"{CAROL.hex.upper()}" = "none"\n',
        **{f"MAU_RELAY_{BOB.hex.upper()}": "friends"},
    )
    assert config.relay_of() == {BOB: "friends", CAROL: "none"}
    assert [one.key.name for one in config.settings()][-2:] == [f"relay.{BOB.hex}", f"relay.{CAROL.hex}"]


def test_of_settings_that_exclude_each_other_the_stronger_place_has_the_word(load: Load) -> None:
    config = load('passphrase.file = "/x"', MAU_PASSPHRASE_COMMAND="pass show mau")
    assert config.strongest(PASSPHRASE_FILE, PASSPHRASE_COMMAND).key is PASSPHRASE_COMMAND
    assert load('passphrase.file = "/x"').strongest(PASSPHRASE_FILE, PASSPHRASE_COMMAND).value == "/x"
    assert load().strongest(PASSPHRASE_FILE, PASSPHRASE_COMMAND).value is None


def test_in_one_place_they_are_an_error(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"passphrase\.file and passphrase\.command exclude"):
        load('[passphrase]\nfile = "/x"\ncommand = "y"\n')
    with pytest.raises(ConfigError, match="MAU_PASSPHRASE_FILE and MAU_PASSPHRASE_COMMAND exclude"):
        load(MAU_PASSPHRASE_FILE="x", MAU_PASSPHRASE_COMMAND="y")


def test_options_before_the_command_go_first(load: Load, path: Path) -> None:
    load('dir = "/file"')
    config = Config.load({DIR.name: "given"}, {"MAU_CONFIG": str(path), "MAU_DIR": "there"})
    assert (config.get(DIR), config.setting(DIR).source) == ("given", "--dir")


# --- what does not hold ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('server.lisen = ":1"', "did you mean server.listen?"),
        ('[sever]\nlisten = ":1"', "there is no setting 'sever'"),
        ('audience = "me"', "did you mean post.audience?"),
        ('server.listen.port = "1"', "server.listen: HOST:PORT"),
        ('server = ":1"', "server is a table of settings, not a string"),
        (
            "server.listen = 8880",
            "server.listen: HOST:PORT, [IPV6]:PORT or :PORT belongs there (not a number)",
        ),
        ("server.bytes_per_second = 999", "server.bytes_per_second: a whole number from 1000 to"),
        ('server.bytes_per_second = "1000"', "server.bytes_per_second: a whole number"),
        ("server.connections = 7", "server.connections: a whole number from 8 to 100000 belongs there"),
        ("server.connections = 8.5", "(not a fraction)"),
        ("server.friend_requests_per_second = 0", "server.friend_requests_per_second: a whole number from 1"),
        ('server.metrics = "0.0.0.0:9880"', "server.metrics: 127.0.0.1:PORT"),
        ('server.access_log = "log"', "server.access_log: an absolute path"),
        ("server.conections = 8", "did you mean server.connections?"),
        ('server.relay = "freinds"', "server.relay: none, friends or public belongs there, not 'freinds'"),
        ('relay.bob = "none"', "40 hex digits"),
        (f'relay.{BOB.hex} = "all"', f"relay.{BOB.hex}: none, friends or public"),
        (f'[relay]\n{BOB.hex} = "none"\n0x{BOB.hex} = "public"', "twice"),
        ('post.audience = "public"', "post.audience: "),
        ('"server.listen" = ":1"', "without quotes"),
        ('dir = "Mau"', "dir: an absolute path"),
        ("a = [\nb", "line 2"),
        ('dir = "/x"\ndir = "/y"\n', "line 2"),
        ("dir = " + "[" * 100_000, "config.toml"),
        ("dir = " + "9" * 10_000, "config.toml"),
    ],
)
def test_what_does_not_hold_names_file_and_key_and_what_is_allowed(
    load: Load, path: Path, text: str, says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_variable_that_does_not_fit_is_named(load: Load) -> None:
    with pytest.raises(ConfigError, match="MAU_SERVER_LISTEN: HOST:PORT"):
        load(MAU_SERVER_LISTEN="8880")


@pytest.mark.parametrize(
    "text", ['passphrase = "hunter2"', 'passphrase.text = "hunter2"', 'passphrase.command = "x \'hunter2"']
)
def test_a_secret_in_the_wrong_place_is_not_shown(load: Load, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert "hunter2" not in str(caught.value)


WORDS = st.one_of(
    st.text(max_size=8), st.sampled_from(["server", "relay", "dir", "listen", "post", "audience", BOB.hex])
)
TABLES: st.SearchStrategy[dict[str, object]] = st.dictionaries(
    WORDS, st.one_of(WORDS, st.integers(), st.dictionaries(WORDS, WORDS, max_size=3)), max_size=3
)


@given(TABLES)
def test_any_table_is_settings_or_one_error(table: dict[str, object]) -> None:
    try:
        values = read_table(table, "x")
    except ConfigError:
        return
    assert values.get(POST_AUDIENCE.name) != ("public",)


@given(
    st.dictionaries(
        st.sampled_from(["MAU_SERVER_LISTEN", "MAU_RELAY_X", "MAU_DIR", "X"]), st.text(max_size=9)
    )
)
def test_any_environment_is_settings_or_one_error(environ: dict[str, str]) -> None:
    try:
        values = read_environment(environ)
    except ConfigError:
        return
    assert set(values) <= {"server.listen", "dir"}


# --- the file ----------------------------------------------------------------------------------------------


def test_it_lies_where_xdg_says_unless_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_file({}) == (tmp_path / "mau" / "config.toml", False)
    assert config_file({"MAU_CONFIG": ""}) == (tmp_path / "mau" / "config.toml", False)
    assert config_file({"MAU_CONFIG": "~/x"}) == (Path.home() / "x", True)
    with pytest.raises(ConfigError, match="home"):
        config_file({"MAU_CONFIG": "~nobody-of-that-name/x"})


def test_no_file_sets_nothing_but_one_that_is_named_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert Config.load(environ={}).get(SERVER_RELAY) == "friends"
    with pytest.raises(ConfigError, match="no such file"):
        Config.load(environ={"MAU_CONFIG": str(tmp_path / "x")})


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_refused(load: Load, path: Path, mode: int) -> None:
    load()
    path.chmod(mode)
    with pytest.raises(ConfigError, match="others on this machine may write"):
        Config.load(environ={"MAU_CONFIG": str(path)})


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o644])
def test_a_file_that_others_may_read_is_believed(load: Load, path: Path, mode: int) -> None:
    load('dir = "/x"')
    path.chmod(mode)
    assert Config.load(environ={"MAU_CONFIG": str(path)}).get(DIR) == "/x"


def test_a_file_of_somebody_else_is_refused(path: Path, load: Load) -> None:
    load()
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
        place = path
    else:  # every system has a file of somebody who is neither the user nor root, or none is to be had
        others = [
            one for one in Path("/proc").glob("[0-9]*/status") if one.stat().st_uid not in (0, os.geteuid())
        ]
        place = others[0] if others else path
        if place is path:
            return
    with pytest.raises(ConfigError, match="belongs to another user"):
        read_file(place)


def test_a_link_is_followed_and_what_it_leads_to_is_looked_at(tmp_path: Path, path: Path, load: Load) -> None:
    load('dir = "/x"')
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    assert Config.load(environ={"MAU_CONFIG": str(link)}).get(DIR) == "/x"
    path.chmod(0o666)
    with pytest.raises(ConfigError, match="may write"):
        read_file(link)


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for place in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ConfigError, match="no regular file"):
            read_file(place)


def test_what_is_no_text_or_too_large_is_refused(path: Path, load: Load) -> None:
    load()
    path.write_bytes(b'dir = "/x"\n# \xff\n')
    with pytest.raises(ConfigError, match="line 2 is not UTF-8"):
        read_file(path)
    path.write_bytes(b"#" * (MAX_SIZE + 1))
    with pytest.raises(ConfigError, match="too large"):
        read_file(path)
