"""Asking the agent: for the key, to keep one, to forget it (spec/agent.md).

Who only asks gets None when there is no agent, or none that can be believed: the next source is asked then.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mau.agent.place import LOCK, SOCKET, agent_dir
from mau.agent.talk import Head, TalkError, is_same_user, receive_head, receive_key, send_head
from mau.errors import AgentError, InvalidFingerprint, MauError
from mau.fingerprint import Fingerprint
from mau.tree import safe
from mau.tree.layout import Root

if TYPE_CHECKING:
    from mau.account import Account

_PATIENCE: Final = 5.0
_BACKLOG: Final = 128  # commands that may ask at the same moment
_ATTEMPTS: Final = 5
_PAUSE: Final = 0.01  # ... and how long one more waits, until it asks again
_MAX_ACCOUNT_FILE: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """An account that the agent keeps open, and for how many seconds more."""

    tree: Path
    fingerprint: Fingerprint
    seconds: int
    locked: bool
    """Whether the system promised never to write the key to the swap space."""


def account_digest(root: Root) -> str:
    """Which account file lies there: its sha256 in hex. NoSuchPost, NotAFile."""
    return hashlib.sha256(safe.read_bytes(root.account_file, _MAX_ACCOUNT_FILE)).hexdigest()


def opened_account(root: Root) -> Account | None:
    """The account of this tree, if the agent keeps open exactly the account file that lies there now."""
    directory = agent_dir()
    if directory is None or not (directory / SOCKET).exists():
        return None
    from mau.account import Account
    from mau.openpgp import SecretKey

    try:
        question = {"do": "give", "tree": _name(root), "account": account_digest(root)}
        with _connected(directory) as connection:
            send_head(connection, question)
            size = receive_head(connection).get("size")
            if not size:
                return None
            secret = receive_key(connection, size)
        try:
            return Account.of_key(root, SecretKey(bytes(secret.view)))
        finally:
            secret.wipe()
    except (MauError, OSError, TalkError):
        return None


def keep_open(account: Account, digest: str, seconds: int) -> Kept:
    """Have the agent keep the account open; it is started when there is none. AgentError.

    `digest` is that of the account file from which the account was opened.
    """
    directory = agent_dir(make=True)
    assert directory is not None  # noqa: S101 - it was made
    key = account.key.transferable
    head = {
        "do": "hold",
        "tree": _name(account.root),
        "account": digest,
        "fingerprint": account.fingerprint.hex,
        "seconds": seconds,
        "size": len(key),
    }
    try:
        with _alone(directory), _connected_or_started(directory) as connection:
            send_head(connection, head)
            connection.sendall(key)
            answer = receive_head(connection)
    except (OSError, TalkError) as error:
        raise AgentError(f"the agent does not take the account: {error}") from None
    if "error" in answer:
        raise AgentError(str(answer["error"])[:200])
    return Kept(account.root.path, account.fingerprint, seconds, answer.get("locked") is True)


def forget(root: Root | None) -> int:
    """Have the agent forget the account of this tree, or all of them; how many there were.

    AgentError when there is an agent and it does not say that it did.
    """
    answer = _asked({"do": "drop", "tree": None if root is None else _name(root)})
    dropped = answer.get("dropped", 0)
    if not isinstance(dropped, int) or "error" in answer:
        raise AgentError(f"the agent does not forget: {str(answer.get('error', answer))[:200]!r}")
    return dropped


def kept() -> list[Kept]:
    """What the agent keeps open; AgentError. It forgets accounts whose file is another one now."""
    found = []
    listed = _asked({"do": "list"}).get("held")
    for one in listed if isinstance(listed, list) else []:
        match one:
            case {
                "tree": str(tree),
                "account": str(account),
                "fingerprint": str(fingerprint),
                "seconds": int(seconds),
                "locked": bool(locked),
            }:
                if _is_another(Root(Path(tree)), account):
                    _asked({"do": "drop", "tree": tree})
                    continue
                with contextlib.suppress(InvalidFingerprint):
                    found.append(Kept(Path(tree), Fingerprint.parse(fingerprint), seconds, locked))
    return found


def _asked(question: Head) -> Head:
    """The agent's answer; an empty one when there is no agent. AgentError when there is one, and silent."""
    directory = agent_dir(told=True)
    if directory is None:
        return {}
    for attempt in range(_ATTEMPTS):
        try:
            with _connected(directory) as connection:
                send_head(connection, question)
                return receive_head(connection)
        except (FileNotFoundError, ConnectionRefusedError):
            return {}
        except (OSError, TalkError) as error:
            # One that left while we stood in line took its socket along; another may have come since.
            if attempt == _ATTEMPTS - 1 or isinstance(error, TimeoutError):
                raise AgentError(
                    f"the agent does not answer ({error}) and may hold keys all the same; "
                    f"remove {str(directory / SOCKET)!r}, and it ends within seconds"
                ) from None
            time.sleep(_PAUSE)
    return {}


def _is_another(root: Root, digest: str) -> bool:
    """Whether the account file of a tree surely is not the one with that digest any more."""
    try:
        return account_digest(root) != digest
    except (MauError, OSError):  # the disk may be away for a while
        return False


def _name(root: Root) -> str:
    return os.path.realpath(root.path)


# --- the connection ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def _connected(directory: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PATIENCE)
        _connect(connection, str(directory / SOCKET))
        if not is_same_user(connection, os.geteuid()):
            raise TalkError("the agent is somebody else's")
        yield connection


def _connect(connection: socket.socket, place: str) -> None:
    """As soon as there is room: many commands at once must not take a busy agent for none."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return connection.connect(place)
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(_PAUSE)


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold the lock under which agents come and go (A5)."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    with safe.closing(os.open(directory / LOCK, flags, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _connected_or_started(directory: Path) -> Iterator[socket.socket]:
    with contextlib.ExitStack() as stack:
        try:
            connection = stack.enter_context(_connected(directory))
        except (FileNotFoundError, ConnectionRefusedError):
            _start(directory)
            connection = stack.enter_context(_connected(directory))
        yield connection


def _start(directory: Path) -> None:
    """Start an agent on a socket that listens already: nobody has to wait until it is ready.

    It is a process of its own, not a fork of this one: it inherits neither the passphrase in this one's
    memory nor its terminal, its directory or its open files.
    """
    import subprocess  # every command asks the agent, and few start it

    place = directory / SOCKET
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(place))
        place.chmod(0o600)
        listener.listen(_BACKLOG)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mau.agent", str(listener.fileno()), str(directory)],
            pass_fds=[listener.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={name: os.environ[name] for name in ("PYTHONPATH", "PATH", "HOME") if name in os.environ},
            start_new_session=True,
        )
    process.returncode = 0  # it outlives this process, and nobody waits for it
