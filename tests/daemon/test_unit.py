"""The unit file: what systemd's own checker says of it, and what the sandbox leaves to the program."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.daemon.systemd import makes_namespaces
from mau.daemon.unit import Credential, Unit, quote
from mau.errors import ServiceError

WEIRD = [
    "/home/alice/Mau",
    "/home/a b/Mäu",
    "/srv/100%/x",
    '/srv/a"b',
    "/srv/back\\slash",
    "/srv/it's",
    "/srv/$HOME",
]


def settings(text: str) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=True, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return dict(parser["Service"])


def unit(tree: str = "/home/alice/Mau", **options: object) -> Unit:
    command = [sys.executable, "-P", "-m", "mau_cli.main", "--dir", tree, "up"]
    return Unit(command, [Path(tree), Path("/home/alice/.local/state/mau")], **options)  # type: ignore[arg-type]


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1))
def test_a_word_is_one_word_again(text: str) -> None:
    assert shlex.split(quote(text).replace("%%", "%")) == [text]
    assert "%" not in quote(text).replace("%%", "")


@pytest.mark.parametrize("text", ["a\nb", "tab\there", "\x7f", "\udcff", "\u202e"])
def test_what_systemd_cannot_be_told_is_refused(text: str) -> None:
    with pytest.raises(ServiceError):
        unit(f"/srv/{text}").text()
    with pytest.raises(ServiceError):
        unit(credential=Credential("x", Path(f"/srv/{text}"), encrypted=False)).text()


def test_the_sandbox_is_as_narrow_as_a_user_can_make_it() -> None:
    found = settings(unit().text())
    assert found["ProtectSystem"] == "strict"
    assert found["ReadWritePaths"] == '"/home/alice/Mau" "/home/alice/.local/state/mau"'
    for name in (
        "NoNewPrivileges",
        "PrivateUsers",
        "RestrictNamespaces",
        "RestrictSUIDSGID",
        "LockPersonality",
    ):
        assert found[name] == "yes"
    assert found["RestrictAddressFamilies"].split() == ["AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"]
    assert (found["UMask"], found["LimitCORE"], found["Type"]) == ("0077", "0", "notify")
    assert int(found["TimeoutStartSec"]) > 90, "the first start on a large tree takes longer"
    # These drop capabilities, which a user does not have: the unit would not start.
    # The one that pyOpenSSL cannot live with: see the module.
    assert "MemoryDenyWriteExecute" not in found
    assert not {"CapabilityBoundingSet", "PrivateDevices", "ProtectClock", "ProtectKernelModules"} & set(
        found
    )


def test_where_users_may_have_no_namespaces_none_is_asked_for() -> None:
    found = settings(unit(namespaces=False).text())
    assert not {"PrivateUsers", "ProtectSystem", "ReadWritePaths", "PrivateTmp"} & set(found)
    assert (found["NoNewPrivileges"], found["SystemCallFilter"]) == ("yes", "@system-service")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("kernel/unprivileged_userns_clone", "0\n", False),
        ("kernel/unprivileged_userns_clone", "1\n", True),
        ("kernel/apparmor_restrict_unprivileged_userns", "1\n", False),
        ("user/max_user_namespaces", "0\n", False),
        ("user/max_user_namespaces", "15000\n", True),
        ("something/else", "0\n", True),
    ],
)
def test_the_kernel_says_whether_users_may(tmp_path: Path, name: str, value: str, allowed: bool) -> None:
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(value)
    assert makes_namespaces(tmp_path) is allowed


def test_a_tree_among_temporary_files_is_not_hidden_from_its_own_service() -> None:
    assert settings(unit("/var/tmp/tree").text())["PrivateTmp"] == "no"  # noqa: S108 - nothing is written


def test_a_credential_is_named_once_and_the_environment_says_only_where_things_are() -> None:
    encrypted = Credential("mau.passphrase", Path("/home/alice/.config/mau/100% x.cred"), encrypted=True)
    text = unit(credential=encrypted, environment={"XDG_STATE_HOME": "/srv/a b"}).text()
    found = settings(text)
    assert found["LoadCredentialEncrypted"] == "mau.passphrase:/home/alice/.config/mau/100%% x.cred"
    assert found["Environment"] == '"XDG_STATE_HOME=/srv/a b"'
    plain = Credential("mau.passphrase", Path("/home/alice/x"), encrypted=False)
    assert settings(unit(credential=plain).text())["LoadCredential"] == "mau.passphrase:/home/alice/x"
    assert "Credential" not in unit().text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is the judge")
@pytest.mark.parametrize("tree", WEIRD)
@pytest.mark.parametrize("encrypted", [True, False])
def test_systemd_finds_nothing_wrong_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tree: str, encrypted: bool
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    credential = Credential("mau.passphrase", Path(tree) / "passphrase", encrypted)
    text = unit(tree, credential=credential, environment={"MAU_CONFIG": f"{tree}/config.toml"}).text()
    (tmp_path / "mau.service").write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(tmp_path / "mau.service")],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is the judge")
def test_the_judge_can_say_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "mau.service").write_text(
        unit().text().replace("ProtectSystem=strict", "ProtectSystem=a bit")
    )
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(tmp_path / "mau.service")],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert "Failed to parse protect system value" in done.stderr
