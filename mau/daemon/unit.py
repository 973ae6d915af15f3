"""The systemd unit under which `mau up` runs for one user (`mau service install`). Pure text.

The options are those that the user's own service manager can give (systemd.exec(5)): what works by mount
namespaces needs ``PrivateUsers=``, and whatever would drop capabilities is left out: a user has none, and the
unit would not start. ``MemoryDenyWriteExecute=`` cannot be had: pyOpenSSL's callbacks are written as code
while the program runs (cffi), and without them nobody's certificate would be asked for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mau.errors import ServiceError

NAME: Final = "mau.service"
WATCHDOG_SECONDS: Final = 120
START_SECONDS: Final = 1800
STOP_SECONDS: Final = 30

_TEMPLATE: Final = """\
# Written by `mau service install`, and written anew by it: put changes of your own into
# `systemctl --user edit {name}`.

[Unit]
Description=Mau: serves your posts and fetches those of your friends
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=:{command}
Restart=on-failure
RestartSec=10
# Words that do not fit and a wrong passphrase are the same the next time.
RestartPreventExitStatus=2 4
WatchdogSec={watchdog}
# The first start on a large tree looks at every post.
TimeoutStartSec={start}
TimeoutStopSec={stop}
{environment}{credential}UMask=0077
LimitCORE=0

{namespaces}NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
"""

_NAMESPACES: Final = """\
# It writes to the tree and to its own state, nowhere else, and sees its own temporary files only.
PrivateUsers=yes
ProtectSystem=strict
ReadWritePaths={writable}
PrivateTmp={private_tmp}
ProtectKernelTunables=yes
ProtectControlGroups=yes

"""


@dataclass(frozen=True, slots=True)
class Credential:
    """A file with the passphrase; `encrypted` by ``systemd-creds``, or as it is."""

    name: str
    path: Path
    encrypted: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """What is different from one user to the next."""

    command: Sequence[str]
    writable: Sequence[Path]
    credential: Credential | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    """Only what says where things are: the unit is a file that others may read."""
    namespaces: bool = True
    """Whether the kernel lets users make namespaces; without them the unit must not ask for any."""

    def text(self) -> str:
        """The unit file."""
        return _TEMPLATE.format(
            name=NAME,
            command=" ".join(map(quote, self.command)),
            watchdog=WATCHDOG_SECONDS,
            start=START_SECONDS,
            stop=STOP_SECONDS,
            environment="".join(
                f"Environment={quote(f'{name}={value}')}\n" for name, value in self.environment.items()
            ),
            credential=self._credential(),
            namespaces=self._namespaces(),
        )

    def _namespaces(self) -> str:
        if not self.namespaces:
            return ""
        hidden = any(map(_is_temporary, [*self.writable, *map(Path, self.command)]))
        return _NAMESPACES.format(
            writable=" ".join(quote(os.fspath(path)) for path in self.writable),
            private_tmp="no" if hidden else "yes",
        )

    def _credential(self) -> str:
        one = self.credential
        if one is None:
            return ""
        # Everything after the colon is the path, quotes included.
        path = os.fspath(one.path)
        quote(path)  # for what it refuses
        path = path.replace("%", "%%")
        return f"LoadCredential{'Encrypted' if one.encrypted else ''}={one.name}:{path}\n"


def quote(text: str) -> str:
    """One word of a setting (systemd.syntax(7)): quoted, and without specifiers; ServiceError.

    Settings of paths know no escapes but that of the quote and of the backslash, so what cannot be written as
    it is cannot be written.
    """
    if not text.isprintable():
        raise ServiceError(f"systemd cannot be told of a path with such characters: {text!r:.200}")
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{quoted}"'


def _is_temporary(path: Path) -> bool:
    """Whether it would be hidden by a private directory for temporary files."""
    return path.is_relative_to("/tmp") or path.is_relative_to("/var/tmp")  # noqa: S108 - not written to
