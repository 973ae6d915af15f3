"""`mau serve` as a process: what it says, and how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from mau.account import Account
from mau.content.binding import PUBLIC
from mau.keyring import Keyring
from mau.publish import publish_file
from tests.cli.conftest import PASSPHRASE, PATIENCE, Ended, check_silence
from tests.cli.running import first_line, started


def serving(account: Account, *words: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return started(account.root.path, PASSPHRASE, "serve", *words)


def fetch(address: str, path: str, *words: str) -> bytes:
    return subprocess.run(
        ["curl", "-sSk", *words, f"https://{address}{path}"],
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    ).stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_serves_and_ends_in_order(alice: Account, number: signal.Signals) -> None:
    publish_file(alice, Keyring.load(alice), io.BytesIO(b"x"), "public.txt.pgp", PUBLIC)
    with serving(alice, "--listen", "127.0.0.1:0") as process:
        address, fingerprint = first_line(process).split()
        assert fingerprint == alice.fingerprint.hex
        host, _, port = address.rpartition(":")
        assert (host, port.isdecimal()) == ("127.0.0.1", True)
        [item] = json.loads(fetch(address, f"/p2p/{fingerprint}"))
        assert item["name"] == "public.txt.pgp"
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert out == b""
        check_silence(err)
        with pytest.raises(OSError), socket.create_connection((host, int(port)), timeout=5):
            pass


def test_it_says_so_in_json(alice: Account) -> None:
    with serving(alice, "--listen", "[::1]:0", "--relay", "public", "--json") as process:
        text = ""
        while not text.endswith("\n}\n"):
            line = first_line(process)
            assert line
            text += line
        told = json.loads(text)
        assert told["address"].startswith("[::1]:")
        assert (told["fingerprint"], told["relay"]) == (alice.fingerprint.hex, "public")
        assert fetch(told["address"], f"/p2p/{alice.fingerprint}", "--globoff") == b"[]"
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_every_address_of_the_machine_on_one_port(alice: Account) -> None:
    with serving(alice, "--listen", ":0") as process:
        port = first_line(process).split()[0].rpartition(":")[2]
        for host in ("127.0.0.1", "[::1]"):
            assert fetch(f"{host}:{port}", f"/p2p/{alice.fingerprint}", "--globoff") == b"[]"
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_a_large_file_arrives_though_the_server_is_told_to_end(alice: Account, tmp_path: Path) -> None:
    content = os.urandom(30_000_000)
    publish_file(alice, Keyring.load(alice), io.BytesIO(content), "big.bin.pgp", PUBLIC)
    with serving(alice, "--listen", "127.0.0.1:0") as process:
        address = first_line(process).split()[0]
        target = tmp_path / "got"
        url = f"https://{address}/p2p/{alice.fingerprint}/big.bin.pgp"
        with subprocess.Popen(["curl", "-sSk", "--limit-rate", "20M", "-o", target, url]) as curl:
            while not target.exists() or target.stat().st_size == 0:
                assert curl.poll() is None
            process.terminate()
            assert curl.wait(PATIENCE) == 0
        assert process.wait(PATIENCE) == 0
        assert target.read_bytes() == alice.posts().path.joinpath("big.bin.pgp").read_bytes()


@pytest.mark.parametrize(
    ("listen", "code"),
    [
        ("nonsense", 2),
        ("host:99999", 2),
        ("::1:80", 2),
        (":", 2),
        ("256.1.1.1:0", 1),
        ("no-such-host.invalid:0", 1),
    ],
)
def test_where_it_cannot_listen_it_says_so(
    mau: Callable[..., Ended], alice: Account, listen: str, code: int
) -> None:
    ended = mau("serve", "--listen", listen, passphrase=PASSPHRASE)
    assert ended.code == code
    assert ended.out == b""
    assert "mau: " in ended.err


def test_a_port_that_is_taken(mau: Callable[..., Ended], alice: Account) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = mau("serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", passphrase=PASSPHRASE)
    assert ended.code == 1
    assert "in use" in ended.err


def test_a_wrong_passphrase_serves_nobody(mau: Callable[..., Ended], alice: Account) -> None:
    assert mau("serve", "--listen", "127.0.0.1:0", passphrase="wrong").code == 4


def test_relay_has_three_values(mau: Callable[..., Ended], alice: Account) -> None:
    assert mau("serve", "--relay", "everybody", passphrase=PASSPHRASE).code == 2


def test_it_logs_what_is_asked_and_shows_numbers_here(alice: Account, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    words = ("--access-log", str(log), "--metrics", "127.0.0.1:0", "--bytes-per-second", "1000000")
    with serving(alice, "--listen", "127.0.0.1:0", *words) as process:
        address, fingerprint = first_line(process).split()
        assert process.stderr is not None
        metrics = process.stderr.readline().decode().split()[-1]
        fetch(address, f"/p2p/{fingerprint}")
        numbers = subprocess.run(["curl", "-sS", metrics], capture_output=True, timeout=PATIENCE, check=True)
        assert b'mau_requests_total{visitor="anonymous",status="200"} 1' in numbers.stdout
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    assert json.loads(log.read_text())["path"] == f"/p2p/{fingerprint}"


def test_numbers_are_shown_on_this_machine_only(alice: Account) -> None:
    with serving(alice, "--metrics", "0.0.0.0:0") as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (2, b"")
    assert b"--metrics: 127.0.0.1:PORT" in err
    assert b"this machine" in err


def test_what_is_set_holds_for_the_server(
    alice: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, log = tmp_path / "config.toml", tmp_path / "access.log"
    file.touch(mode=0o600)
    file.write_text(
        f'server = {{ listen = "127.0.0.1:0", metrics = "127.0.0.1:0", access_log = "{log}", '
        "anonymous_requests_per_second = 1, connections_per_address = 20 }\n"
    )
    monkeypatch.setenv("MAU_CONFIG", str(file))
    with serving(alice) as process:
        address, fingerprint = first_line(process).split()
        codes = fetch(address, f"/p2p/{fingerprint}?[1-60]", "-o", "/dev/null", "-w", "%{http_code}\n")
        answered = codes.split()
        assert answered[:25] == [b"200"] * 25  # so many at once, and then one a second
        assert b"429" in answered
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    assert len(log.read_text().splitlines()) == 60


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("MAU_SERVER_BYTES_PER_SECOND", "12"),
        ("MAU_SERVER_CONNECTIONS", "many"),
        ("MAU_SERVER_METRICS", "192.0.2.7:9880"),
    ],
)
def test_a_limit_that_is_none_is_named(
    mau: Callable[..., Ended], alice: Account, variable: str, text: str
) -> None:
    ended = mau("serve", passphrase=PASSPHRASE, env={variable: text})
    assert (ended.code, ended.out) == (2, b"")
    assert variable in ended.err


# --- for browsers ------------------------------------------------------------------------------------------


def test_browsers_are_shown_what_is_public_when_that_is_wanted(alice: Account) -> None:
    publish_file(alice, Keyring.load(alice), io.BytesIO(b"x"), "public.txt.pgp", PUBLIC)
    with serving(alice, "--listen", "127.0.0.1:0", "--web", "127.0.0.1:0", "--json") as process:
        text = ""
        while not text.endswith("\n}\n"):
            line = first_line(process)
            assert line
            text += line
        url = json.loads(text)["web"]
        assert url.startswith("https://127.0.0.1:")
        assert b"public.txt" in fetch(url.removeprefix("https://").removesuffix("/"), "/")
        process.terminate()
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--web", "nonsense"], 2),
        (["--web", "ftp://127.0.0.1:0"], 2),
        (["--web", "http://0.0.0.0:0"], 2),
        (["--web", "127.0.0.1:0", "--web-certificate", "nothing"], 2),
        (["--web", "127.0.0.1:0", "--web-certificate", "nothing", "--web-key", "nothing"], 2),
        (["--web", "256.1.1.1:0"], 1),
    ],
)
def test_where_it_cannot_show_them_it_says_so(
    mau: Callable[..., Ended], alice: Account, words: list[str], code: int
) -> None:
    ended = mau("serve", "--listen", "127.0.0.1:0", *words, passphrase=PASSPHRASE)
    assert ended.code == code
    assert ended.out == b""
    assert "mau: " in ended.err


def test_it_passes_connections_on_for_whom_it_is_told_to(
    mau: Callable[..., Ended], alice: Account, tmp_path: Path
) -> None:
    words = ("--listen", "127.0.0.1:0", "--circuit-relay", "friends", "--metrics", "127.0.0.1:0")
    with serving(alice, *words) as process:
        address, _ = first_line(process).split()
        assert process.stderr is not None
        metrics = process.stderr.readline().decode().split()[-1]
        assert process.stderr.readline() == b"Connections are passed on for your friends.\n"
        numbers = subprocess.run(["curl", "-sS", metrics], capture_output=True, timeout=PATIENCE, check=True)
        assert b"mau_circuits 0\n" in numbers.stdout
        assert b"mau_circuits_registered 0\n" in numbers.stdout
        assert b"mau_circuit_bytes_total 0\n" in numbers.stdout
        # Strangers are told nothing of it, and the socket beside the posts is in nobody's way.
        assert b"404" in fetch(address, "/circuit/register")
        assert (alice.root.path / ".server" / "circuit").is_socket()
        assert mau("fsck", "--repair", "--yes", passphrase=PASSPHRASE, root=alice.root.path).code == 0
        assert "circuit" not in mau("doctor", passphrase=PASSPHRASE, root=alice.root.path).text
        archive = tmp_path / "backup.tar"
        assert mau("backup", archive, passphrase=PASSPHRASE, root=alice.root.path).code == 0
        assert (alice.root.path / ".server" / "circuit").is_socket()
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert not (alice.root.path / ".server" / "circuit").exists()
