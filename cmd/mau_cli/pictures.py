"""Pictures on a terminal, as far as it can show them; else one line that says what there would be to see."""

from __future__ import annotations


def picture_lines(data: bytes, encoding: str, width: int) -> list[str] | None:
    """The lines that draw a picture at most `width` columns wide; None where none can be drawn.

    They hold escape sequences of ours alone: print them with `output.drawing`, never cleaned.
    """
    return None


def placeholder(kind: str, alt: str = "", width: int = 0, height: int = 0, size: int = 0) -> str:
    """``[picture: alt text, 1200 x 800, 340 KiB]``, for `output.data` (which cleans it)."""
    from mau_cli.posts import size_words

    facts = [
        alt,
        f"{width} x {height}" if width and height else "",
        size_words(size) if size else "",
    ]
    shown = ", ".join(filter(None, facts))
    return f"[{kind}: {shown}]" if shown else f"[{kind}]"
