"""All of it, in the order in which one thing depends on another."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mau.config.keys import SERVER_LISTEN
from mau.doctor.clock import examine_clock
from mau.doctor.disk import examine_disk
from mau.doctor.finding import Finding
from mau.doctor.keys import examine_keys
from mau.doctor.network import examine_network, judge_connected, own_addresses
from mau.doctor.permissions import examine_permissions
from mau.doctor.system import examine_system
from mau.hostport import parse_listen
from mau.tree.layout import Root

if TYPE_CHECKING:
    from mau.account import Account
    from mau.config.settings import Config


@dataclass(slots=True)
class Examined:
    """What was found, and what could not be looked at and why."""

    findings: list[Finding] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)


def examine(root: Root, config: Config | None, account: Account | None) -> Examined:
    """Look at everything around a tree. `config` None: the settings cannot be read, as was said."""
    done = Examined()
    now = time.time()
    keyring = None
    if account is None:
        done.unchecked.append("keys, friends and their addresses: that takes the account's passphrase")
    else:
        from mau.keyring import Keyring

        try:
            keyring = Keyring.load(account, suspect=True)
        except OSError as error:
            done.findings.append(_unreadable(root, error))
    found = done.findings
    found += examine_clock(root, account, keyring, now)
    found += examine_permissions(root, config)
    found += examine_disk(root)
    listen = parse_listen(SERVER_LISTEN.default if config is None else config.get(SERVER_LISTEN))
    found += judge_connected(own_addresses())
    found += asyncio.run(examine_network(root, account, keyring, listen, now))
    if account is not None and keyring is not None:
        found += examine_keys(account, keyring, root.follows(account.fingerprint), now)
    found += examine_system(root)
    return done


def _unreadable(root: Root, error: OSError) -> Finding:
    return Finding(
        "keys",
        f"the key files below {str(root.mau)!r} cannot be read: {error.strerror}",
        "without them no command can tell who your friends are",
        f"chmod -R u+rwX,go= {str(root.mau)!r}; then mau fsck",
    )
