"""What the commands that fetch share: what the settings let in, and what `mau status` shows afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mau.config.keys import SYNC_ASK_FRIENDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mau.fingerprint import Fingerprint
    from mau.syncer.once import Syncer
    from mau.syncer.policy import Policy
    from mau.syncer.report import SyncReport
    from mau_cli.context import Session


def policy_of(session: Session) -> Policy:
    """The limits of the settings ``sync.*``."""
    from mau.syncer.policy import Policy

    return Policy.of(session.config)


def asks_friends(session: Session) -> bool:
    """Whether friends are asked for the posts of one who is away."""
    return session.config.get(SYNC_ASK_FRIENDS, None)


def take_given(session: Session) -> None:
    """Have the address book know what the settings say of where people are."""
    from mau.daemon import workers

    workers.take_given(session.root, session.config)


def note_rounds(session: Session, syncer: Syncer, reports: Sequence[SyncReport]) -> None:
    """Put down how it stands with those who were asked themselves."""
    from mau.syncer.status import StatusBook

    book = StatusBook(session.root)
    try:
        book.note_rounds(syncer.state, reports)
    finally:
        book.close()


def note_fetched(session: Session, syncer: Syncer, author: Fingerprint, name: str) -> None:
    """Put down what is still wanted after one post was fetched by name."""
    from mau.syncer.status import StatusBook, after_fetch

    book = StatusBook(session.root)
    try:
        book.note(after_fetch(book.of(author), name, syncer.state.pending(author, author)))
    finally:
        book.close()
