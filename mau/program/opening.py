"""Opening an account for a program: from the passphrase it has, or the sources that the command line has."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from mau.account import Account
from mau.agent.client import opened_account
from mau.config.keys import DIR
from mau.config.settings import Config
from mau.config.tree import root_of
from mau.keyring import Keyring
from mau.passphrase import VARIABLE, credential_file, find_passphrase, standing_passphrase
from mau.program.desk import Desk


def open_desk(directory: Path | str | None, passphrase: str | None, ask: Callable[[], str] | None) -> Desk:
    """The account of a tree, open, with its settings and keyring; as `mau.open_account` says."""
    config = Config.load({} if directory is None else {DIR.name: str(directory)})
    root = root_of(config)
    Account.require(root)
    account = None
    if passphrase is None and not os.environ.get(VARIABLE) and credential_file() is None:
        account = opened_account(root)
    if account is None:
        if passphrase is None:
            found = find_passphrase(root, standing=standing_passphrase(config, in_file=True), ask=ask)
            passphrase = found.text
        account = Account.open(root, passphrase)
    return Desk(account, Keyring.load(account), config)
