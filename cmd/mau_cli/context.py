"""What a command works with: tree, passphrase, account and keyring, each made when first asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import click

from mau.errors import PassphraseError, PassphraseNeeded, UsageError, WrongPassphrase
from mau_cli.output import say

if TYPE_CHECKING:
    from pathlib import Path

    from mau.account import Account
    from mau.config.settings import Config
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
    def config(self) -> Config:
        """The settings: of the options before the command, the environment and the file (ConfigError)."""
        from mau.config.keys import DIR, PASSPHRASE_COMMAND, PASSPHRASE_FILE
        from mau.config.settings import Config

        options = {
            DIR.name: self._directory,
            PASSPHRASE_FILE.name: self._passphrase_file,
            PASSPHRASE_COMMAND.name: self._passphrase_command,
        }
        return Config.load({name: str(value) for name, value in options.items() if value is not None})

    @cached_property
    def root(self) -> Root:
        """The directory tree that this run is about."""
        from mau.config.tree import root_of

        return root_of(self.config)

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to be asked: answers come from stdin, questions go to stderr."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def can_ask_secret(self) -> bool:
        """Whether a passphrase can be asked for: on the terminal itself, also where stdin is a post."""
        if self.interactive:
            return True
        try:
            with open("/dev/tty", "rb", buffering=0):  # noqa: PTH123 - a device
                return sys.stderr.isatty()
        except OSError:
            return False

    def passphrase(self) -> str:
        """The account's passphrase, asked for once. WrongPassphrase is found out only when it is used."""
        return self.found_passphrase.text

    @cached_property
    def found_passphrase(self) -> Passphrase:
        """The account's passphrase and the source that gave it."""
        return self._find(self.root, "Passphrase")

    def typed_passphrase(self) -> Passphrase:
        """The account's passphrase from somebody who knows it: never from the system's keyring."""
        return self._find(None, "Passphrase")

    def new_passphrase(self) -> str:
        """A passphrase for a new account: from the same sources, typed twice; PassphraseError."""
        from mau.passphrase import check_new

        return check_new(self._find(None, "New passphrase", confirm=True).text)

    def replacing_passphrase(self, file: Path | None) -> str:
        """A passphrase that replaces another: from a file of its own, or typed twice; PassphraseError."""
        from mau.passphrase import check_new, read_passphrase_file

        if file is not None:
            return check_new(read_passphrase_file(file, warn=say))
        if not self.can_ask_secret:
            raise PassphraseNeeded("there is no terminal to ask on: use --new-passphrase-file")
        return check_new(ask_secret("New passphrase", confirm=True))

    def _find(self, root: Root | None, words: str, *, confirm: bool = False) -> Passphrase:
        from mau.passphrase import find_passphrase, standing_passphrase

        return find_passphrase(
            root,
            file=self._passphrase_file,
            command=self._passphrase_command,
            standing=standing_passphrase(self.config, in_file=root is not None, warn=say),
            ask=(lambda: ask_secret(words, confirm=confirm)) if self.can_ask_secret else None,
            warn=say,
        )

    def account(self) -> Account:
        """The unlocked account (NoAccount, WrongPassphrase, AccountDamaged)."""
        return self._account

    @cached_property
    def _account(self) -> Account:
        from mau.account import Account

        Account.require(self.root)  # before somebody is asked for its passphrase
        _warn_of_others(self.root.path)
        kept = self._kept_account()
        if kept is not None:
            return kept
        with naming_source(self.found_passphrase):
            return Account.open(self.root, self.found_passphrase.text)

    def _kept_account(self) -> Account | None:
        """The account that the agent keeps open, unless a passphrase was given for this run."""
        import os

        from mau.passphrase import VARIABLE, credential_file

        given = self._passphrase_file, self._passphrase_command, os.environ.get(VARIABLE), credential_file()
        if any(given):
            return None
        from mau.agent.client import opened_account

        return opened_account(self.root)

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


def _warn_of_others(place: Path) -> None:
    """Say when others may write into the tree: what they do there would pass for the owner's doing."""
    # Only the directory itself: through it everything below can be moved away and replaced.
    if place.stat().st_mode & 0o022:
        import shlex

        say(
            f"Warning: others on this machine may write into {str(place)!r}, and so remove what you wrote or "
            f"choose whom you follow. chmod go-w {shlex.quote(str(place))} ends that."
        )


@contextmanager
def naming_source(passphrase: Passphrase) -> Iterator[None]:
    """Say of a wrong passphrase where it came from: there may be several places to look at."""
    try:
        yield
    except WrongPassphrase:
        raise WrongPassphrase(f"{passphrase.source} does not open the account") from None


def ask_secret(words: str, *, confirm: bool = False) -> str:
    """Read a line from the terminal without echo, twice with ``confirm``."""
    try:
        return str(click.prompt(words, hide_input=True, confirmation_prompt=confirm, err=True))
    except UnicodeDecodeError:
        raise PassphraseError("what was typed is not UTF-8") from None
