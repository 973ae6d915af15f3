"""Alice, who invites, and guests who come: each with a tree and a server as a process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mau.account import Account
from mau.fingerprint import Fingerprint
from mau.keyring import Keyring
from mau.openpgp import SecretKey
from mau.tree.layout import Root
from tests.cli.conftest import PASSPHRASE, Ended
from tests.cli.running import first_line, started

NOWHERE = {"MAU_SERVER_LISTEN": "127.0.0.1:0"}
"""Settings without an address: no network of the machine where the tests run is told."""


@dataclass
class Shell:
    """Runs `mau` as one person."""

    account: Account
    process: Callable[..., Ended]

    @property
    def fpr(self) -> Fingerprint:
        return self.account.fingerprint

    def mau(self, *words: str | Path, code: int = 0, **env: str) -> Ended:
        """Without a terminal; it must end with that code."""
        done = self.process(
            *words, passphrase=PASSPHRASE, root=self.account.root.path, env={**NOWHERE, **env}
        )
        assert done.code == code, (done.code, done.err)
        return done

    def json(self, *words: str, **env: str) -> Any:
        return json.loads(self.mau(*words, "--json", **env).out)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """`mau serve` as a process; where it is."""
        with started(
            self.account.root.path, PASSPHRASE, "serve", "--listen", "127.0.0.1:0", **NOWHERE
        ) as process:
            yield first_line(process).split()[0]

    def people(self) -> dict[str, str]:
        return {one.local_name: one.status for one in Keyring.load(self.account).people()}

    def link(self, *words: str) -> str:
        return self.mau("invite", *words).text.strip()

    def texts(self) -> set[str]:
        """What the posts of everybody say that are held here."""
        lines = self.mau("timeline", "--json").text.splitlines()
        return {json.loads(line)["document"]["articleBody"] for line in lines}


def guest(place: Path, name: str, process: Callable[..., Ended], user_id: str | None = None) -> Shell:
    """Somebody new, whose account is in ``place/name``."""
    key = SecretKey.generate(user_id or name.title(), f"{name}@example.org")
    return Shell(Account.create(Root(place / name), key, PASSPHRASE), process)
