"""What a round needs of the syncer it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mau.account import Account
from mau.addressbook import AddressBook
from mau.deletion.held import HeldDeletes
from mau.keyring import Keyring
from mau.syncer.keys import Keys
from mau.syncer.policy import Policy
from mau.syncer.report import Progress
from mau.syncer.state import State
from mau.wire.client import Timeouts
from mau.wire.identity import Identity


class World(Protocol):
    """The syncer, as its rounds see it."""

    account: Account
    keyring: Keyring
    identity: Identity
    book: AddressBook
    state: State
    keys: Keys
    policy: Policy | None
    deletes: HeldDeletes
    progress: Callable[[Progress], None] | None
    timeouts: Timeouts | None
