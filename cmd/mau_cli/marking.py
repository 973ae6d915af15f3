"""Marks as commands use them: what was shown is read from then on, and what does not hold is said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mau.errors import MauError
from mau_cli.context import Session
from mau_cli.output import say

if TYPE_CHECKING:
    from mau.marks import Marks
    from mau.reader.open import OpenedPost
    from mau.reader.summary import Summary


def loaded_marks(session: Session) -> Marks:
    """The marks of the account; what of their files is passed over is said."""
    from mau.marks import Marks

    marks = Marks.load(session.account())
    for warning in marks.warnings:
        say(f"Warning: {warning}.")
    return marks


def mark_opened(session: Session, post: OpenedPost) -> None:
    """As `mark_shown`, for one post that was opened; what does not hold was not read."""
    from mau.reader.summary import Summary

    if post.problem is None:
        mark_shown(session, [Summary(post.author, post.name, "", post.opened.size, post.signed_at)])


def mark_shown(session: Session, summaries: Iterable[Summary], marks: Marks | None = None) -> None:
    """Mark as read what was just shown, unless `reader.mark_read` says no. Never an error.

    ``marks``: those that were loaded already.
    """
    from mau.config.keys import READER_MARK_READ

    if not session.config.get(READER_MARK_READ):
        return
    try:
        (marks or loaded_marks(session)).mark_read(summaries)
    except (MauError, OSError) as error:  # what was asked for was shown
        say(f"Warning: it could not be marked as read: {error}.")
