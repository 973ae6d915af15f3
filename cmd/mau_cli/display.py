"""A post on a terminal: whole, or as an item among others (spec/content.md CT80-CT84).

Everything that others chose is cleaned before it is wrapped, and again where it is printed.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, Final

from mau_cli.output import clean, data, drawing, has_styles, say, spans
from mau_cli.wrapping import Line, Style, calmed, wrapped, wrapped_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mau.content.facts import Fact
    from mau.content.media import Media
    from mau.content.shown import Shown
    from mau.fingerprint import Fingerprint
    from mau.keyring import Keyring
    from mau.reader.open import OpenedPost
    from mau_cli.context import Session

_WIDEST: Final = 100
"""Columns of a text: longer lines are hard to read."""
_DRAWN: Final = 20
"""Pictures of one post; the others are lines of words."""
_TEXTS: Final = frozenset(
    {"", "SocialMediaPosting", "Article", "BlogPosting", "Comment", "Answer", "Message"}
)
_NAMES: Final = {
    Style.BOLD: "bold",
    Style.ITALIC: "italic",
    Style.UNDERLINE: "underline",
    Style.DIM: "dim",
    Style.STRUCK: "strikethrough",
}
_STYLES: Final = {
    Style(both): {name: True for one, name in _NAMES.items() if both & one} for both in range(32)
}
"""What `click.style` calls them, each alone and together."""
_ITEM_FACTS: Final = 6
_ITEM_FACT: Final = 120  # characters
_ITEM_MEDIA: Final = 4


def show_content(session: Session, keyring: Keyring, post: OpenedPost, *, pictures: bool = True) -> None:
    """What there is to read and see in a post, to stdout, as wide as the terminal."""
    if post.document is None:
        _show_file(post)
        return
    from mau.content.shown import shown

    seen = shown(post.author, post.document, languages_of(session), signed_at=post.signed_at)
    width = columns()
    for line in content_lines(seen, width, keyring=keyring, styled=has_styles()):
        spans([(text, _STYLES[style]) for text, style in line])
    _show_media(session, keyring, seen.media, width, pictures=pictures)


def content_lines(
    seen: Shown, width: int, *, keyring: Keyring | None = None, styled: bool = False
) -> list[Line]:
    """Title, text and facts of a document as lines of at most `width` columns, cleaned."""
    from mau_cli.markdown import markdown_lines

    parts: list[list[Line]] = []
    kind = _kind_words(seen)
    if kind:
        parts.append(wrapped([(kind, Style.DIM)], width))
    if seen.title:
        mark = "" if styled or seen.markup == "plain" else "# "
        parts.append(wrapped([(mark + calmed(seen.title), Style.BOLD)], width))
    if seen.body and seen.markup == "markdown":
        parts.append(markdown_lines(seen.body, width, styled=styled))
    elif seen.body:
        parts.append([[(line, Style.PLAIN)] for line in wrapped_text(seen.body, width)])
    if seen.facts:
        parts.append([line for fact in seen.facts for line in _fact_lines(fact, width, keyring)])
    if not (seen.title or seen.body or seen.facts or seen.media):
        parts.append(wrapped([("There is nothing in it.", Style.DIM)], width))
    lines: list[Line] = []
    for part in parts:
        lines += [[], *part] if lines else part
    return lines


def item_lines(
    author: Fingerprint,
    document: dict[str, Any],
    *,
    width: int | None = None,
    languages: Sequence[str] = (),
    characters: int = 600,
    signed_at: int | None = None,
    keyring: Keyring | None = None,
    media: bool = False,
) -> list[str]:
    """A document among others: title, the beginning of its text, a few facts, a line for each medium.

    The lines are cleaned and no wider than `width` columns (None: than the terminal). Plain, for a pager too.
    Without `media` there are none of these lines: whoever asks draws pictures himself.
    """
    from mau.content.shown import shown

    width = columns() if width is None else width
    seen = shown(author, document, languages, signed_at=signed_at)
    text = seen.body if len(seen.body) <= characters else f"{seen.body[:characters].rstrip()} ..."
    title = ": ".join(filter(None, (_kind_words(seen), seen.title)))
    lines = wrapped_text(title, width) if title else []
    lines += wrapped_text(text, width) if text else []
    for fact in seen.facts[:_ITEM_FACTS]:
        said = ", ".join(_address_words(one, keyring) for one in fact.items or (fact.value,))
        said = " ".join(said.split())
        short = said if len(said) <= _ITEM_FACT else f"{said[: _ITEM_FACT - 4].rstrip()} ..."
        lines += wrapped_text(f"{fact.label}: {short}", width)
    if len(seen.facts) > _ITEM_FACTS:
        lines.append("...")
    if media:
        lines += [part for one in seen.media[:_ITEM_MEDIA] for part in wrapped_text(_in_place(one), width)]
        lines += ["..."] if len(seen.media) > _ITEM_MEDIA else []
    return lines


def _kind_words(seen: Shown) -> str:
    """What a document is, in words; "" for what is mostly a text."""
    from mau.content.spoken import label_of

    return "" if seen.type in _TEXTS else calmed(label_of(seen.type))


def languages_of(session: Session) -> tuple[str, ...]:
    """The languages that the reader wants, the best first: the setting, else the locale."""
    from mau.config.keys import READER_LANGUAGES
    from mau.content.languages import of_locale

    languages = session.config.get(READER_LANGUAGES)
    return of_locale(os.environ) if languages is None else languages


def columns() -> int:
    """How wide a text is written: as the terminal, not wider than reads well, 80 where there is none."""
    return max(20, min(shutil.get_terminal_size((80, 24)).columns, _WIDEST))


def _show_file(post: OpenedPost) -> None:
    content = post.opened.data
    text = _text_of(content)
    if text is None:
        say(f"{post.opened.size} bytes that are no text; `mau open -o FILE` writes them to a file.")
        return
    # As it is, not wrapped: it may be a program or a table.
    data(text)


def _text_of(content: bytes | None) -> str | None:
    if content is None:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _show_media(
    session: Session, keyring: Keyring, media: Sequence[Media], width: int, *, pictures: bool
) -> None:
    from mau_cli.pictures import media_lines

    for number, one in enumerate(media):
        if number == 0:
            data("")
        lines = media_lines(session, keyring, one, width) if pictures and number < _DRAWN else []
        drawing(lines)
        # A picture that is not drawn is a line that has its words.
        data(_medium(one, keyring, told=len(lines) == 1))


def _in_place(media: Media) -> str:
    """The words in the place of a picture."""
    from mau_cli.pictures import placeholder, size_of

    kind = {"image": "picture", "video": "film", "audio": "sound"}.get(media.kind, "file")
    return placeholder(kind, media.alt or media.name, media.width, media.height, size_of(media.size))


def _medium(media: Media, keyring: Keyring, *, told: bool) -> str:
    """One line that says what a medium is and where it lies; `told`: what is in it was said."""
    where = media.url
    if media.reference is not None:
        where = _address_words(str(media.reference.address), keyring)
    words = filter(None, ("" if told else media.alt or media.name, media.encoding, media.size, where))
    return f"  {clean(', '.join(words))}"


def _fact_lines(fact: Fact, width: int, keyring: Keyring | None) -> list[Line]:
    label: Line = [(f"{calmed(fact.label)}:", Style.DIM)]
    if not fact.items:
        first, *others = calmed(_address_words(fact.value, keyring)).split("\n")
        lines = wrapped([*label, (" " + first, Style.PLAIN)], width, "", "  ")
        return lines + [one for line in others for one in wrapped([(line, Style.PLAIN)], width, "  ")]
    lines = [label]
    for number, item in enumerate(fact.items, 1):
        mark = f"  {number}. " if fact.ordered else "  - "
        first, *others = calmed(_address_words(item, keyring)).split("\n")
        lines += wrapped([(first, Style.PLAIN)], width, mark)
        lines += [one for line in others for one in wrapped([(line, Style.PLAIN)], width, " " * len(mark))]
    return lines


def _address_words(text: str, keyring: Keyring | None) -> str:
    """An address of Mau as commands take it and people read it: WHO/NAME; anything else as it is."""
    if keyring is None or not text.startswith("mau:"):
        return text
    from mau.content.address import resolve_iri
    from mau.errors import AddressMalformed
    from mau_cli.audience import called

    try:
        address = resolve_iri(text, keyring.me.fingerprint)
    except AddressMalformed:
        return text
    if address is None:
        return text
    who = called(keyring, address.author)
    return who if address.name is None else f"{who}/{address.name}"
