"""The agent as a process: who gets a key, for how long, and what is left when it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mau import ownkey
from mau.account import Account
from mau.agent import client
from mau.agent.memory import Secret
from mau.agent.place import LOCK, SOCKET, agent_dir
from mau.agent.process import Agent
from mau.agent.talk import is_same_user, receive_head, send_head
from mau.errors import AgentError
from mau.openpgp import SecretKey
from mau.openpgp.lifetime import revoked_by
from mau.tree.layout import Root
from tests.agent.runtime import PATIENCE, agents, runtime, until

__all__ = ["runtime"]

PASSPHRASE = "kept for a while 5"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("locked") / "tree"
    Account.create(Root(path), SecretKey.generate("Alice", "alice@example.org"), PASSPHRASE)
    return path


@pytest.fixture
def account(locked: Path, tmp_path: Path) -> Account:
    shutil.copytree(locked, tmp_path / "tree")
    return Account.open(Root(tmp_path / "tree"), PASSPHRASE)


def hold(account: Account, seconds: int = 600) -> client.Kept:
    return client.keep_open(account, client.account_digest(account.root), seconds)


def test_what_is_kept_open_opens_without_a_passphrase(account: Account, runtime: Path) -> None:
    assert client.opened_account(account.root) is None
    kept = hold(account)
    assert (kept.tree, kept.fingerprint, kept.seconds) == (account.root.path, account.fingerprint, 600)
    again = client.opened_account(account.root)
    assert again is not None
    assert again.fingerprint == account.fingerprint
    assert again.key.transferable == account.key.transferable
    assert again.identity().fingerprint == account.fingerprint


def test_the_socket_is_ours_alone(account: Account, runtime: Path) -> None:
    hold(account)
    directory = runtime / "mau"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / SOCKET).stat().st_mode) == 0o600
    assert stat.S_IMODE((directory / LOCK).stat().st_mode) == 0o600


def test_the_process_has_let_go_of_everything_that_started_it(account: Account, runtime: Path) -> None:
    hold(account)
    [pid] = agents(runtime)
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    session, terminal = int(fields[3]), int(fields[4])
    assert (session, terminal) == (pid, 0)
    for secret in (PASSPHRASE.encode(), account.key.transferable[:32]):
        assert secret not in Path(f"/proc/{pid}/cmdline").read_bytes()
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert status["Uid"].split()[0] == str(os.getuid())


def test_it_can_be_neither_dumped_nor_swapped(account: Account, runtime: Path) -> None:
    assert hold(account).locked
    [pid] = agents(runtime)
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert "Max core file size        0                    0" in limits
    memory = Path(f"/proc/{pid}/status").read_text()
    [line] = [one for one in memory.splitlines() if one.startswith("VmLck:")]
    assert int(line.split()[1]) >= 4
    # What may not be dumped belongs to root in /proc, so nobody else can attach.
    assert Path(f"/proc/{pid}/mem").stat().st_uid == 0


def test_it_forgets_when_it_is_told_to_and_ends(account: Account, runtime: Path) -> None:
    hold(account)
    assert client.forget(account.root) == 1
    assert client.opened_account(account.root) is None
    until(lambda: not agents(runtime))
    assert not (runtime / "mau" / SOCKET).exists()
    assert client.forget(account.root) == 0


def test_it_forgets_after_the_time_and_ends(account: Account, runtime: Path) -> None:
    hold(account, seconds=1)
    assert client.opened_account(account.root) is not None
    until(lambda: client.opened_account(account.root) is None)
    until(lambda: not agents(runtime))


def test_time_goes_on_while_the_machine_sleeps(account: Account, tmp_path: Path, runtime: Path) -> None:
    """The clock is asked at each question: no timer has to fire for a key to be out of reach."""
    directory = agent_dir(make=True)
    assert directory is not None
    time_now = [1000.0]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory / SOCKET))
        listener.listen()
        agent = Agent(listener, directory, clock=lambda: time_now[0])
        with client._alone(directory):  # as long as the lock is held it does not leave
            thread = threading.Thread(target=agent.serve)
            thread.start()
            with client._connected(directory) as connection:
                key = account.key.transferable
                facts = {"tree": str(account.root.path), "account": client.account_digest(account.root)}
                fingerprint = account.fingerprint.hex
                head = {"do": "hold", "fingerprint": fingerprint, "seconds": 60, "size": len(key), **facts}
                send_head(connection, head)
                connection.sendall(key)
                assert "error" not in receive_head(connection)
            assert client.opened_account(account.root) is not None
            time_now[0] += 61
            assert client.opened_account(account.root) is None
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_it_ends_when_its_directory_goes_as_at_logout(account: Account, runtime: Path) -> None:
    hold(account)
    [pid] = agents(runtime)
    shutil.rmtree(runtime / "mau")
    until(lambda: not agents(runtime))
    assert not Path(f"/proc/{pid}").exists() or pid not in agents(runtime)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_and_another_one_takes_its_place(
    account: Account, runtime: Path, number: signal.Signals
) -> None:
    hold(account)
    [pid] = agents(runtime)
    os.kill(pid, number)
    until(lambda: not agents(runtime))
    assert client.opened_account(account.root) is None
    hold(account)
    assert client.opened_account(account.root) is not None


def test_a_killed_one_leaves_a_socket_that_is_in_nobodys_way(account: Account, runtime: Path) -> None:
    hold(account)
    [pid] = agents(runtime)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not agents(runtime))
    assert (runtime / "mau" / SOCKET).exists()
    assert client.opened_account(account.root) is None
    assert client.kept() == []
    hold(account)
    assert client.opened_account(account.root) is not None


# --- which account -----------------------------------------------------------------------------------------


def test_an_account_file_that_was_changed_is_not_opened_by_it(account: Account, runtime: Path) -> None:
    hold(account)
    account.change_passphrase(PASSPHRASE, "another passphrase 6")
    assert client.opened_account(account.root) is None
    hold(account)
    assert client.opened_account(account.root) is not None
    assert len(client.kept()) == 1


def test_a_key_that_was_revoked_meanwhile_is_known_to_be(account: Account, runtime: Path) -> None:
    """The copy of the public key beside the account may know more than what was unlocked yesterday."""
    hold(account)
    ownkey.write(
        account.root, revoked_by(account.key, account.key.revocation_certificate().encode()).certificate
    )
    opened = client.opened_account(account.root)
    assert opened is not None
    assert opened.certificate.revoked


def test_another_tree_with_the_same_account_file_is_another_tree(
    account: Account, runtime: Path, tmp_path: Path
) -> None:
    hold(account)
    shutil.copytree(account.root.path, tmp_path / "copy")
    assert client.opened_account(Root(tmp_path / "copy")) is None
    (tmp_path / "link").symlink_to(account.root.path)
    assert client.opened_account(Root(tmp_path / "link")) is not None


def test_several_accounts_are_told_apart(account: Account, runtime: Path, tmp_path: Path) -> None:
    bob = Account.create(Root(tmp_path / "bob"), SecretKey.generate("Bob", "bob@example.org"), PASSPHRASE)
    hold(account, 600)
    hold(bob, 1200)
    assert len(agents(runtime)) == 1
    kept = {one.fingerprint: one.seconds for one in client.kept()}
    assert kept.keys() == {account.fingerprint, bob.fingerprint}
    assert 590 < kept[account.fingerprint] <= 600
    assert 1190 < kept[bob.fingerprint] <= 1200
    opened = client.opened_account(bob.root)
    assert opened is not None
    assert opened.fingerprint == bob.fingerprint
    client.forget(account.root)
    assert client.opened_account(account.root) is None
    assert client.opened_account(bob.root) is not None
    assert client.forget(None) == 1


def test_many_at_once_find_one_agent(account: Account, runtime: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: hold(account), range(24)))
        found = list(pool.map(lambda _: client.opened_account(account.root), range(24)))
    assert all(one is not None for one in found)
    assert len(agents(runtime)) == 1


def test_one_that_leaves_and_one_that_comes_do_not_miss_each_other(account: Account, runtime: Path) -> None:
    for _ in range(15):
        hold(account)
        assert client.opened_account(account.root) is not None
        client.forget(None)


# --- others ------------------------------------------------------------------------------------------------


def test_the_kernel_says_whose_process_is_at_the_other_end() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert is_same_user(ours, os.geteuid())
        assert not is_same_user(ours, os.geteuid() + 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_gets_nothing_even_where_the_modes_let_him(account: Account, runtime: Path) -> None:
    hold(account)
    place = runtime / "mau" / SOCKET
    for path, mode in ((runtime, 0o711), (runtime / "mau", 0o711), (place, 0o666)):
        path.chmod(mode)
    code = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.settimeout(10); "
        's.connect(sys.argv[1]); h = b\'{"do": "list"}\'; '
        "s.sendall(len(h).to_bytes(4, 'big') + h); print(s.recv(10))"
    )
    done = subprocess.run(
        ["python3", "-c", code, str(place)], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert "b''" in done.stdout or "ConnectionResetError" in done.stderr or "BrokenPipe" in done.stderr
    (runtime / "mau").chmod(0o700)
    assert client.opened_account(account.root) is not None


def test_a_directory_that_others_can_write_is_not_believed(account: Account, runtime: Path) -> None:
    (runtime / "mau").mkdir(mode=0o700)
    (runtime / "mau").chmod(0o777)
    with pytest.raises(AgentError, match="chmod 700"):
        hold(account)
    assert client.opened_account(account.root) is None
    (runtime / "mau").chmod(0o700)
    runtime.chmod(0o777)
    with pytest.raises(AgentError, match="chmod 700"):
        hold(account)


def test_a_link_in_the_place_of_the_directory_is_not_followed(
    account: Account, runtime: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (runtime / "mau").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AgentError, match="no directory"):
        hold(account)


@pytest.mark.parametrize("value", ["", "relative/path", "/does/not/exist"])
def test_without_a_runtime_directory_there_is_no_agent(
    account: Account, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", value)
    assert client.opened_account(account.root) is None
    assert client.kept() == []
    assert client.forget(None) == 0
    with pytest.raises(AgentError):
        hold(account)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\xff\xff\xff\xff",
        b"\0\0\0\2[]",
        b"\0\0\0\1{",
        b"\0\0\0\2{}",
        struct.pack(">I", 15) + b'{"do":"unheard"',
        struct.pack(">I", 76)
        + b'{"do":"hold","tree":"/","account":"x","fingerprint":"y","seconds":1,"size":9}'[:76],
    ],
)
def test_nonsense_does_not_end_it(account: Account, runtime: Path, said: bytes) -> None:
    hold(account)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(runtime / "mau" / SOCKET))
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(PATIENCE)
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(4096):
                pass
    assert client.opened_account(account.root) is not None


def test_an_agent_that_talks_nonsense_is_none(account: Account, runtime: Path) -> None:
    directory = agent_dir(make=True)
    assert directory is not None
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory / SOCKET))
        listener.listen()

        def answer() -> None:
            for reply in (b"nonsense that is no head", b"\0\0\0\x0c" + b'{"size": 5} ' + b"hello"):
                connection, _ = listener.accept()
                with connection:
                    receive_head(connection)
                    connection.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        assert client.opened_account(account.root) is None
        assert client.opened_account(account.root) is None
        thread.join(PATIENCE)
    (directory / SOCKET).unlink()


# --- memory ------------------------------------------------------------------------------------------------


def test_a_secret_is_overwritten_before_its_pages_are_given_back() -> None:
    secret = Secret(9)
    secret.view[:] = b"something"
    pages = secret._pages
    seen: list[bytes] = []

    class Watched:
        def __len__(self) -> int:
            return len(pages)

        def __setitem__(self, where: slice, what: bytes) -> None:
            pages[where] = what
            seen.append(pages[:9])

        def close(self) -> None:
            pages.close()

    secret._pages = Watched()  # type: ignore[assignment]
    secret.wipe()
    assert seen == [bytes(9)]
    assert pages.closed


# --- where it does not do what it is told ------------------------------------------------------------------


def test_one_that_is_silent_is_not_taken_for_none(
    account: Account, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mau lock` must not say that nothing is open while something is."""
    monkeypatch.setattr(client, "_PATIENCE", 0.5)
    hold(account)
    [pid] = agents(runtime)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(AgentError, match=r"does not answer.*remove"):
            client.forget(account.root)
        with pytest.raises(AgentError, match="does not answer"):
            client.kept()
        assert client.opened_account(account.root) is None
    finally:
        os.kill(pid, signal.SIGCONT)
    (runtime / "mau" / SOCKET).unlink(missing_ok=True)  # what the words advise
    until(lambda: not agents(runtime))


def test_one_whose_directory_others_may_use_is_not_taken_for_none(account: Account, runtime: Path) -> None:
    hold(account)
    (runtime / "mau").chmod(0o777)
    with pytest.raises(AgentError, match="chmod 700"):
        client.forget(account.root)
    with pytest.raises(AgentError, match="chmod 700"):
        client.kept()
    (runtime / "mau").chmod(0o700)
    assert client.forget(account.root) == 1


def test_more_commands_than_can_wait_in_line_are_answered_all(account: Account, runtime: Path) -> None:
    hold(account)
    [pid] = agents(runtime)
    os.kill(pid, signal.SIGSTOP)
    waiting = client._BACKLOG + 50
    with ThreadPoolExecutor(waiting) as pool:
        asked = [pool.submit(client.opened_account, account.root) for _ in range(waiting)]
        time.sleep(0.2)  # they stand in line, or would like to
        os.kill(pid, signal.SIGCONT)
        assert all(one.result() is not None for one in asked)


def test_who_drips_keeps_no_key_beyond_its_time(account: Account, runtime: Path) -> None:
    hold(account, seconds=1)
    ended = threading.Event()

    def drip() -> None:
        with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
            connection.connect(str(runtime / "mau" / SOCKET))
            connection.sendall(b"\0\0\xff\xff{")
            while not ended.wait(0.2):
                connection.sendall(b" ")

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        until(lambda: not agents(runtime))
    finally:
        ended.set()
        dripping.join()


def test_what_was_held_of_an_account_file_that_is_another_now_is_forgotten(
    account: Account, runtime: Path
) -> None:
    hold(account)
    account.change_passphrase(PASSPHRASE, "another passphrase 6")
    assert client.kept() == []
    until(lambda: not agents(runtime))
    hold(account)
    account.change_passphrase("another passphrase 6", PASSPHRASE)
    assert client.opened_account(account.root) is None
    until(lambda: not agents(runtime))
