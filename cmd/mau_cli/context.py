"""What a command works with: tree, passphrase, account and keyring, each made when first asked for."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING

import click

from mau.errors import UsageError, WrongPassphrase

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mau.account import Account
    from mau.keyring import Keyring
    from mau.passphrase import Passphrase
    from mau.tree.layout import Root


class Session:
    """One run of `mau`. A command gets it with ``@click.pass_obj``."""

    def __init__(
        self,
        directory: Path | None = None,
        passphrase_file: Path | None = None,
        passphrase_command: str | None = None,
    ) -> None:
        self._directory = directory
        self._passphrase_file = passphrase_file
        self._passphrase_command = passphrase_command

    @cached_property
    def root(self) -> Root:
        """The directory tree that this run is about."""
        from mau.tree.layout import Root

        return Root.find(self._directory)

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to be asked: answers come from stdin, questions go to stderr."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    @cached_property
    def found_passphrase(self) -> Passphrase:
        """The account's passphrase and the source that gave it; asked for once."""
        return self._find_passphrase(self.root, self._ask_passphrase)

    def passphrase(self) -> str:
        """The account's passphrase. Whether it is the right one is found out when it is used."""
        return self.found_passphrase.text

    def new_passphrase(self) -> str:
        """A passphrase for a new account: from the same sources but the system's keyring, typed twice."""
        from mau.passphrase import check_new

        return check_new(self._find_passphrase(None, self._ask_new_passphrase).text)

    def _find_passphrase(self, root: Root | None, ask: Callable[[], str]) -> Passphrase:
        from mau.passphrase import find_passphrase
        from mau_cli.output import say

        return find_passphrase(
            root,
            file=self._passphrase_file,
            command=self._passphrase_command,
            ask=ask if self.interactive else None,
            warn=say,
        )

    def account(self) -> Account:
        """The unlocked account (NoAccount, WrongPassphrase, AccountDamaged)."""
        return self._account

    @cached_property
    def _account(self) -> Account:
        from mau.account import Account

        try:
            return Account.open(self.root, self.passphrase())
        except WrongPassphrase:
            raise WrongPassphrase(f"{self.found_passphrase.source} does not open the account") from None

    def keyring(self) -> Keyring:
        """Friends, groups and known keys of the account."""
        return self._keyring

    @cached_property
    def _keyring(self) -> Keyring:
        from mau.keyring import Keyring

        return Keyring.load(self.account())

    def confirm(self, question: str, *, yes: bool = False) -> bool:
        """Ask before something that matters. Without a terminal only ``--yes`` is a yes (UsageError)."""
        from mau_cli.output import clean_lines

        if yes:
            return True
        if not self.interactive:
            raise UsageError(f"{question} There is no terminal to ask on; say --yes.")
        return click.confirm(clean_lines(question), err=True)

    @staticmethod
    def _ask_passphrase() -> str:
        answer = click.prompt("Passphrase", hide_input=True, err=True)
        return str(answer)

    @staticmethod
    def _ask_new_passphrase() -> str:
        answer = click.prompt("New passphrase", hide_input=True, confirmation_prompt=True, err=True)
        return str(answer)
