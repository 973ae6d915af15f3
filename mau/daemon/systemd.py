"""Talking to the user's service manager: its programs, where its files lie, credentials.

Everything it says is shown; nothing is pretended where it is not there.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mau.daemon.unit import NAME
from mau.errors import ServiceError
from mau.passphrase import CREDENTIAL, without_passphrase

ENCRYPTS_FOR_USERS: Final = 256
"""The first version in which users can encrypt credentials for their own services."""
_PATIENCE: Final = 90.0
_VERSION: Final = re.compile(r"systemd (\d+)")


def config_home(environ: Mapping[str, str] | None = None) -> Path:
    """``$XDG_CONFIG_HOME``, else ``~/.config``: systemd knows no other place, on no platform."""
    environ = os.environ if environ is None else environ
    named = environ.get("XDG_CONFIG_HOME", "")
    return Path(named) if named.startswith("/") else Path(environ.get("HOME") or Path.home()) / ".config"


def unit_file(environ: Mapping[str, str] | None = None) -> Path:
    """Where the unit lies."""
    return config_home(environ) / "systemd" / "user" / NAME


def credential_path(*, encrypted: bool, environ: Mapping[str, str] | None = None) -> Path:
    """Where the passphrase lies that the service is given."""
    return config_home(environ) / "mau" / ("passphrase.cred" if encrypted else "passphrase.txt")


def is_there() -> bool:
    """Whether there is a program to speak to the service manager with."""
    return shutil.which("systemctl") is not None


def systemctl(*words: str) -> str:
    """Run ``systemctl --user``; what it says. ServiceError when it is not there or fails."""
    return _run("systemctl", "--user", *words).decode("utf-8", "replace")


def state(word: str) -> str | None:
    """What ``systemctl --user is-active`` or ``is-enabled`` says of the service; None: nobody to ask."""
    if not is_there():
        return None
    try:
        done = subprocess.run(
            ["systemctl", "--user", word, NAME],  # noqa: S607 - of the user's own path
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=without_passphrase(),
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").strip() or None


def makes_namespaces(sysctl: Path = Path("/proc/sys")) -> bool:
    """Whether the kernel lets a user's services have namespaces; some distributions forbid it to users."""
    forbidding = (
        ("kernel/unprivileged_userns_clone", "0"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1"),
        ("user/max_user_namespaces", "0"),
    )
    for name, value in forbidding:
        with contextlib.suppress(OSError):
            if (sysctl / name).read_text(encoding="ascii").strip() == value:
                return False
    return True


def encrypts_for_users() -> bool:
    """Whether credentials can be encrypted so that only this user's services on this machine read them."""
    if shutil.which("systemd-creds") is None:
        return False
    try:
        found = _VERSION.match(_run("systemd-creds", "--version").decode("utf-8", "replace"))
    except ServiceError:
        return False
    return found is not None and int(found[1]) >= ENCRYPTS_FOR_USERS


def encrypt(passphrase: str) -> bytes:
    """The passphrase as a credential of this user's (ServiceError). It goes in by a pipe."""
    words = ("encrypt", "--user", f"--name={CREDENTIAL}", "-", "-")
    return _run("systemd-creds", *words, given=passphrase.encode())


def _run(program: str, *words: str, given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(
            [program, *words],
            input=given,
            capture_output=True,
            env=without_passphrase(),
            timeout=_PATIENCE,
            check=False,
        )
    except FileNotFoundError:
        raise ServiceError(f"there is no {program} on this machine") from None
    except subprocess.TimeoutExpired:
        raise ServiceError(f"{program} {words[0]} does not come to an end") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise ServiceError(f"{program} {' '.join(words[:3])} failed: {said[:500] or done.returncode}")
    return done.stdout
