"""Pictures on a terminal, as far as it can show them; else one line that says what there would be to see.

What reaches the terminal was decoded and encoded again: never a byte of the picture's own file.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mau.content.media import Media
    from mau.keyring import Keyring
    from mau.pictures.limits import Limits
    from mau.pictures.pixels import Pixels
    from mau_cli.context import Session
    from mau_cli.terminal import Terminal

ROWS = 24
SMALL_ROWS = 8
"""Lines that a picture takes at most: alone, and among others."""
_COLOURS = 128  # of a picture in sixels; more cost time and show little
_MAX_SIDE = 1600  # pixels
_LARGEST = 64 << 20  # bytes of a file that is opened to be shown


def pictures_wanted(session: Session) -> bool:
    """Whether pictures are drawn at all: by the setting, the environment, and what stdout is."""
    return _terminal(session).way != "never"


def picture_lines(
    data: bytes,
    encoding: str,
    width: int,
    *,
    rows: int = ROWS,
    indent: int = 0,
    terminal: Terminal | None = None,
    paged: bool = False,
    limits: Limits | None = None,
) -> list[str] | None:
    """The lines that draw a picture at most `width` columns wide; None where none can be drawn.

    They hold escape sequences of ours alone: print them with `output.drawing`, never cleaned. `paged`: by a
    pager, which knows colours only.
    """
    from mau.errors import PictureRefused
    from mau_cli.terminal import this_terminal

    terminal = terminal or this_terminal()
    if terminal.way == "never" or width - indent < 2:
        return None
    try:
        return _drawn(data, encoding, width - indent, rows, indent, terminal, limits, paged=paged)
    except PictureRefused:
        return None


def media_lines(
    session: Session,
    keyring: Keyring,
    media: Media,
    width: int,
    *,
    small: bool = False,
    indent: int = 0,
    paged: bool = False,
) -> list[str]:
    """A picture that belongs to a post, or the line in its place; for `output.drawing`. Never an error.

    `small`: its thumbnail, where there is one, in a few lines.
    """
    from mau_cli.output import clean

    drawn = None
    terminal = _terminal(session)
    if terminal.way != "never" and media.kind == "image":
        found = _content(session, keyring, media, small=small)
        if found is not None:
            drawn = (_listed if small else picture_lines)(
                *found,
                width,
                rows=SMALL_ROWS if small else ROWS,
                indent=indent,
                terminal=terminal,
                paged=paged,
            )
    if drawn is not None:
        return drawn
    words = {"image": "picture", "video": "film", "audio": "sound"}.get(media.kind, "file")
    line = placeholder(words, media.alt or media.name, media.width, media.height, size_of(media.size))
    return [" " * indent + clean(line)]


def _listed(data: bytes, encoding: str, width: int, **options: Any) -> list[str] | None:
    """As `picture_lines`, for one of many: none has much, and all of a run together have an end."""
    from mau.pictures.limits import LISTED, MAX_LISTED

    if _listing.spent > MAX_LISTED:
        return None
    begin = time.monotonic()
    try:
        return picture_lines(data, encoding, width, limits=LISTED, **options)
    finally:
        _listing.spent += time.monotonic() - begin


class _Listing:
    """How many seconds the pictures of lists took so far in this run."""

    spent = 0.0


_listing = _Listing()


def placeholder(kind: str, alt: str = "", width: int = 0, height: int = 0, size: int = 0) -> str:
    """``[picture: alt text, 1200 x 800, 340 KiB]``; not cleaned yet."""
    from mau_cli.posts import size_words

    facts = (alt, f"{width} x {height}" if width and height else "", size_words(size) if size else "")
    shown = ", ".join(filter(None, facts))
    return f"[{kind}: {shown}]" if shown else f"[{kind}]"


def size_of(said: str) -> int:
    """A size as documents say it (``348160 B``, ``340 KiB``) in bytes; 0 when that is no size."""
    from mau.config.kinds import DoesNotFit, Size

    try:
        return Size().parse(said) if said else 0
    except DoesNotFit:
        return 0


def _terminal(session: Session) -> Terminal:
    from mau.config.keys import READER_PICTURES
    from mau_cli.terminal import this_terminal

    return this_terminal(session.config.setting(READER_PICTURES).value)


def _drawn(
    data: bytes,
    encoding: str,
    columns: int,
    rows: int,
    indent: int,
    terminal: Terminal,
    limits: Limits | None,
    *,
    paged: bool,
) -> list[str]:
    from mau.pictures.asking import view_picture
    from mau.pictures.blocks import block_lines
    from mau.pictures.graphics import framed
    from mau.pictures.limits import FOREIGN

    if paged or terminal.way == "blocks":
        pixels = view_picture(data, encoding, columns, 2 * rows, limits=limits or FOREIGN)
        return [" " * indent + line for line in block_lines(pixels, many_colours=terminal.many_colours)]
    wide, high = terminal.cell
    most = min(columns * wide, _MAX_SIDE), min(rows * high, _MAX_SIDE)
    colours = _COLOURS if terminal.way == "sixel" else 0
    pixels = view_picture(data, encoding, *most, colours=colours, limits=limits or FOREIGN)
    cells = -(-pixels.width // wide), -(-pixels.height // high)
    return framed(_image(pixels, terminal, *cells), cells[1], indent)


def _image(pixels: Pixels, terminal: Terminal, columns: int, rows: int) -> str:
    from mau.pictures.graphics import iterm, kitty, sixel

    if terminal.way == "kitty":
        return kitty(pixels, columns, rows)
    return iterm(pixels, columns, rows) if terminal.way == "iterm" else sixel(pixels)


def _content(session: Session, keyring: Keyring, media: Media, *, small: bool) -> tuple[bytes, str] | None:
    """The bytes of a picture that is held, and what they are; None when there is nothing to show."""
    from mau.attachments.formats import HEAD, encoding_of
    from mau.attachments.holding import content_of

    thumbnail = media.thumbnail if small else None
    for reference in filter(None, (thumbnail, media.reference)):
        data = content_of(session.account(), keyring, reference, _LARGEST)
        if data is not None:
            return data, encoding_of(data[:HEAD])
    return None
