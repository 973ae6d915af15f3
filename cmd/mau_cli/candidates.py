"""The names in a tree, for whoever completes them: in a moment, without a passphrase, and never an error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from mau.errors import MauError

if TYPE_CHECKING:
    from mau.account import Account
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.tree.layout import Root

T = TypeVar("T")

PATIENCE: Final = 0.3
"""Seconds for what the agent and the keyring have to say."""
_RECENT: Final = 2000


class Candidates:
    """What can be said of one tree now. Every method gives nothing where nothing can be read."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    @cached_property
    def _root(self) -> Root | None:
        with suppress(MauError, OSError):
            from mau.config.keys import DIR
            from mau.config.settings import Config
            from mau.config.tree import root_of

            return root_of(Config.load({} if self._directory is None else {DIR.name: str(self._directory)}))
        return None

    @cached_property
    def _labels(self) -> dict[Fingerprint, str]:
        """The local names of people, while the agent keeps the account open."""
        return _within(PATIENCE, self._ask_agent, {})

    def _ask_agent(self) -> dict[Fingerprint, str]:
        account, keyring = self._opened()
        if account is None or keyring is None:
            return {}
        return {person.fingerprint: person.local_name for person in keyring.people() if person.local_name}

    def _opened(self) -> tuple[Account, Keyring] | tuple[None, None]:
        """What the agent keeps open."""
        from mau.agent.client import opened_account

        account = None if self._root is None else opened_account(self._root)
        if account is None:
            return None, None
        from mau.keyring import Keyring

        return account, Keyring.load(account, suspect=True)

    # --- names ---------------------------------------------------------------------------------------------

    def people(self, incomplete: str = "") -> Iterator[str]:
        """Local names; fingerprints of those whose name is not known, and of all once digits are typed."""
        labels = self._labels
        yield from sorted(labels.values(), key=str.casefold)
        for author in self._others():
            if author not in labels or incomplete:
                yield author.hex

    def groups(self) -> Iterator[str]:
        """Groups are directories: their names can be read by everybody who can read the tree."""
        with suppress(MauError, OSError):
            yield from [] if self._root is None else self._root.groups()

    def posts(self, who: str | None) -> Iterator[str]:
        """The names of somebody's posts; one's own when nobody is named."""
        author = self._own if who is None else self._meant(who)
        if author is not None:
            yield from (name.removesuffix(".pgp") for name in self._names(author))

    def refs(self, incomplete: str = "") -> Iterator[str]:
        """Posts as ``WHO/NAME``: first WHO, then what WHO has written."""
        from mau.conversation.naming import short_name

        who, slash, _ = incomplete.partition("/")
        if slash:
            author = self._meant(who)
            if author is not None:
                yield from dict.fromkeys(f"{who}/{short_name(name)}" for name in self._names(author))
            return
        if self._own is not None:
            yield "me/"
        yield from (f"{person}/" for person in self.people(incomplete) if "/" not in person)

    def tags(self) -> Iterator[str]:
        """The tags of the newest posts, as far as `mau timeline` took note of them; with the agent only."""
        none: list[str] = []
        yield from _within(PATIENCE, self._noted_tags, none)

    def _noted_tags(self) -> list[str]:
        from mau.reader.reading import Reading

        account, keyring = self._opened()
        if account is None or keyring is None:
            return []
        with Reading(account, keyring) as reading:  # as it was left: nothing is opened or written
            return sorted({tag for summary in islice(reading.newest(), _RECENT) for tag in summary.tags})

    def settings(self) -> Iterator[str]:
        """The names of settings."""
        from mau.config.keys import KEYS

        yield from (key.name for key in KEYS)

    # --- who -----------------------------------------------------------------------------------------------

    def _meant(self, who: str) -> Fingerprint | None:
        if who == "me":
            return self._own
        for author, label in self._labels.items():
            if label.casefold() == who.casefold():
                return author
        fits = [author for author in self._others() if author.hex.startswith(who.lower())]
        return fits[0] if len(fits) == 1 else None

    def _others(self) -> list[Fingerprint]:
        if self._root is None:
            return []
        with suppress(MauError, OSError):
            return [author for author in self._root.follows(self._own) if author != self._own]
        return []

    @cached_property
    def _own(self) -> Fingerprint | None:
        """Whose tree it is: whose directory holds the keyring statement; else the only directory there is."""
        from mau.tree.names import KEYRING_NAME

        if self._root is None:
            return None
        with suppress(MauError, OSError):
            authors = [author for author, hidden in self._root.authors() if not hidden]
            for author in authors:
                if (self._root.author_dir(author) / KEYRING_NAME).is_file():
                    return author
            return authors[0] if len(authors) == 1 else None
        return None

    def _names(self, author: Fingerprint) -> list[str]:
        from mau.tree.names import KEYRING_NAME
        from mau.tree.posts import AuthorDir

        if self._root is None:
            return []
        with suppress(MauError, OSError):
            return [name for name in AuthorDir(self._root, author).names() if name != KEYRING_NAME]
        return []


def _within(seconds: float, work: Callable[[], T], otherwise: T) -> T:
    """What it returns, unless that takes longer or fails: then the shell has waited long enough."""
    found: list[T] = []

    def run() -> None:
        with suppress(Exception):
            found.append(work())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else otherwise
