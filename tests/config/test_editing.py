"""Changing one setting changes nothing else (spec/config.md C8)."""

from __future__ import annotations

import os
import stat
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.config.editing import put, take
from mau.config.keys import DIR, POST_AUDIENCE, SERVER_LISTEN, SERVER_RELAY, Key, relay_of
from mau.errors import ConfigError
from mau.fingerprint import Fingerprint

BOB = Fingerprint(b"b" * 20)
CHANGES: list[tuple[Key[Any], Any]] = [
    (DIR, "/srv/mau"),
    (POST_AUDIENCE, ("bob", "@tea")),
    (POST_AUDIENCE, ("Meier, Hans",)),
    (SERVER_LISTEN, ":0"),
    (SERVER_RELAY, "none"),
    (relay_of(BOB), "public"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mau" / "config.toml"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True, parents=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def read(path: Path) -> dict[str, object]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def test_the_file_is_made_for_its_owner_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        put(path, SERVER_RELAY, "none")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["config.toml"]
    assert read(path) == {"server": {"relay": "none"}}


def test_comments_order_and_blank_lines_stay(path: Path) -> None:
    text = (
        "# mine\n\ndir   =  '/x' # why\n\n[server] # here\n"
        '  relay = "none"   # nobody\n# between\nlisten=":1"\n\n# the end\n'
    )
    write(path, text)
    put(path, SERVER_RELAY, "public")
    assert path.read_text() == text.replace('"none"', '"public"')
    put(path, DIR, "/y")
    put(path, DIR, "/x")
    assert path.read_text().replace('"/x"', "'/x'") == text.replace('"none"', '"public"')
    assert take(path, "server.listen")
    assert path.read_text().replace('"/x"', "'/x'") == text.replace('"none"', '"public"').replace(
        'listen=":1"\n', ""
    )


LINES = [
    'dir = "/a"',
    'server.listen = ":1"',
    'server.relay = "none"',
    '[server]\nlisten = ":1"',
    'server = {listen = ":1", relay = "public"}',
    '[post]\naudience = [\n  "bob", # him\n  "@tea",\n]',
    f'[relay]\n"0x{BOB.hex.upper()}" = "none"',
    f'relay.{BOB.hex} = "friends"',
    "# a comment",
    "",
]


@given(
    st.lists(st.sampled_from(LINES), unique=True, max_size=5),
    st.sampled_from(CHANGES),
    st.booleans(),
    st.booleans(),
)
def test_however_it_is_written_only_the_one_setting_changes(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[str],
    change: tuple[Key[Any], Any],
    ended: bool,
    dos: bool,
) -> None:
    text = ("\r\n" if dos else "\n").join(lines) + ("\n" if ended else "")
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    path = tmp_path_factory.mktemp("x") / "config.toml"
    path.touch(mode=0o600)
    path.write_bytes(text.encode())
    key, value = change
    try:
        put(path, key, value)
    except ConfigError:  # before it was whole it was refused, and is as it was
        assert path.read_bytes() == text.encode()
        return
    after, comments = flat(read(path)), [line for line in lines if line.startswith("#")]
    assert after.pop(key.name) == key.kind.to_toml(value)
    expected = flat(before)
    expected.pop(key.name, None)
    assert after == expected
    assert all(comment in path.read_text() for comment in comments)
    assert take(path, key.name)
    assert flat(read(path)) == expected
    assert not take(path, key.name)


def flat(table: dict[str, Any]) -> dict[str, object]:
    """The values by name; a fingerprint in one spelling."""
    found: dict[str, object] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            found |= {f"{name}.{inner.lower().removeprefix('0x')}": one for inner, one in value.items()}
        else:
            found[name] = value
    return found


@pytest.mark.parametrize("key", ["server.lisen", "sever", "server.relay", "dir"])
def test_a_mistake_can_be_removed(path: Path, key: str) -> None:
    write(path, 'dir = 3\n[sever]\nlisten = ":1"\n[server]\nlisen = ":1"\nrelay = "freinds"\n')
    wanted = read(path)
    assert take(path, key)
    section, _, name = key.rpartition(".")
    table: Any = wanted[section] if section else wanted
    del table[name]
    assert read(path) == wanted


def test_a_name_in_quotes_can_be_removed(path: Path) -> None:
    write(path, '"server.listen" = ":1"\ndir = "/x"\n')
    assert take(path, "server.listen")
    assert read(path) == {"dir": "/x"}


def test_a_whole_section_is_not_removed_by_its_name(path: Path) -> None:
    write(path, 'server.listen = ":1"\n')
    with pytest.raises(ConfigError, match="no setting 'server'"):
        take(path, "server")


@pytest.mark.parametrize(
    "text", ["x = 1\n", "a = [\n", 'server = ":1"\n', 'passphrase.command = "x"\npassphrase.file = "/x"\n']
)
def test_what_would_not_hold_is_not_written(path: Path, text: str) -> None:
    write(path, text)
    with pytest.raises(ConfigError):
        put(path, SERVER_RELAY, "none")
    assert path.read_text() == text


def test_a_wrong_value_is_mended_by_setting_it(path: Path) -> None:
    write(path, 'server.relay = "freinds"\n')
    put(path, SERVER_RELAY, "friends")
    assert read(path) == {"server": {"relay": "friends"}}


def test_what_others_may_write_is_not_changed(path: Path) -> None:
    write(path, "")
    path.chmod(0o666)
    with pytest.raises(ConfigError, match="may write"):
        put(path, SERVER_RELAY, "none")


def test_behind_a_link_the_file_itself_is_changed(tmp_path: Path, path: Path) -> None:
    write(path, "# mine\n")
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    put(link, DIR, "/x")
    assert link.is_symlink()
    assert path.read_text() == '# mine\ndir = "/x"\n'


def test_changes_at_once_lose_nothing(path: Path) -> None:
    authors = [Fingerprint(bytes([number]) * 20) for number in range(16)]
    threads = [threading.Thread(target=put, args=(path, relay_of(one), "none")) for one in authors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(path) == {"relay": {one.hex: "none" for one in authors}}
