"""A post on a terminal: whole, or as an item among others (spec/content.md C80-C89).

Everything that others chose passes `mau_cli.output.clean` or `clean_lines`.
"""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING, Any

from mau_cli.output import clean, clean_lines, data

if TYPE_CHECKING:
    from mau.fingerprint import Fingerprint
    from mau.reader.open import OpenedPost
    from mau_cli.context import Session


def show_post(session: Session, post: OpenedPost, *, pictures: bool) -> None:
    """The whole post to stdout."""
    for line in item_lines(
        post.author, post.document or {}, languages=languages_of(session), characters=None
    ):
        data(line)


def item_lines(
    author: Fingerprint,
    document: dict[str, Any],
    *,
    width: int = 80,
    languages: tuple[str, ...] = (),
    characters: int | None = 600,
) -> list[str]:
    """A document among others: title, what matters of the rest, so many characters of its text.

    The lines are cleaned and no wider than `width` columns.
    """
    from mau.content.shown import shown

    seen = shown(author, document, languages)
    text = "\n\n".join(filter(None, (clean(seen.title), clean_lines(seen.body[:characters]))))
    return [part for line in text.splitlines() for part in textwrap.wrap(line, width) or [""]]


def languages_of(session: Session) -> tuple[str, ...]:
    """The languages that the reader wants, the best first: the setting, else the locale."""
    from mau.content.languages import of_locale

    return of_locale(os.environ)
