"""HTML as plain text (spec/content.md CT55-CT57). Pure, never an error, in linear time.

What a page would do is left out: scripts, styles, forms, frames. Of a link its address is kept beside its
words when these do not say it, of a picture the text that stands for it. The parser of the standard
library takes a minute for 64 KiB of tags without an end; this one takes what is no whole tag for text.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BLOCKS: Final = _names(
    "address article aside blockquote details dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4"
    " h5 h6 header hr li main nav ol p pre section summary table tr ul"
)
_PARAGRAPHS: Final = _names("blockquote h1 h2 h3 h4 h5 h6 ol p pre table ul")
_RAW: Final = _names("script style textarea title")
"""What is in them is text up to their end, whatever it looks like."""
_UNSEEN: Final = _names(
    "applet audio button canvas frameset head iframe math noscript object select svg template video"
)

_MARKS: Final = re.compile(r"<[A-Za-z/!?]|&")
_SPACE: Final = re.compile(r"[ \t\r\n\f]+")
# Within a tag nothing is tried twice, and every try ends at the next "<" or before.
_TOKEN: Final = re.compile(
    r"""<(?P<end>/?)(?P<tag>[A-Za-z][A-Za-z0-9:-]{0,30})"""
    r"""(?P<attributes>(?:[^<>"']|"[^"<]{0,4000}"|'[^'<]{0,4000}'){0,4000}+)>|<(?P<other>!--|[!?][^<>]{0,4000}>)"""
)
_ATTRIBUTE: Final = re.compile(
    r"""(?<![\w-])(alt|class|href)\s{0,10}+=\s{0,10}+(?:"([^"]*+)"|'([^']*+)'|([^\s"']++))""", re.IGNORECASE
)
_ENDS: Final = {tag: re.compile(f"</{tag}", re.IGNORECASE | re.ASCII) for tag in _RAW}
_DEEPEST: Final = 10
_LONGEST_LINK: Final = 2000
_LINKS: Final = ("http://", "https://", "mailto:", "mau:", "xmpp:")


def text_of_html(html: str) -> str:
    """What a person would read on the page. Paragraphs are two line feeds apart, lists and quotes marked."""
    return _Page().read(html) if _MARKS.search(html) else html


class _Page:
    """Collects lines: what stands between two blocks is one."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._unseen: list[str] = []
        self._link: tuple[str, int] | None = None
        self._lists: list[int | None] = []
        self._quotes = 0
        self._pre = 0

    def read(self, html: str) -> str:
        position = 0
        while found := _TOKEN.search(html, position):
            self._text(html[position : found.start()])
            position = found.end()
            if found["other"] == "!--":
                position = html.find("-->", position) + 3
                if position < 3:
                    position = len(html)
            elif found["tag"]:
                tag = found["tag"].lower()
                if found["end"]:
                    self._ends(tag)
                elif tag in _RAW:
                    end = _ENDS[tag].search(html, position)
                    position = end.start() if end else len(html)
                else:
                    self._begins(tag, found["attributes"])
        self._text(html[position:])
        self._end_line()
        while self._lines and not self._lines[-1].strip("> "):
            self._lines.pop()
        return "\n".join(self._lines)

    def _text(self, raw: str) -> None:
        if raw and not self._unseen:
            text = unescape(raw)
            self._line.append(text if self._pre else _SPACE.sub(" ", text))

    def _begins(self, tag: str, attributes: str) -> None:
        if tag in _UNSEEN and not attributes.endswith("/"):
            self._unseen.append(tag)
        if self._unseen:
            return
        if tag in _BLOCKS:
            self._end_line(apart=tag in _PARAGRAPHS and not (tag in {"ul", "ol"} and self._lists))
        match tag:
            case "br":
                self._line.append("\n")
            case "hr":
                self._line.append("---")
                self._end_line()
            case "img":
                alt = _SPACE.sub(" ", _attributes(attributes).get("alt", "")).strip()
                self._line.append(f"[{alt}]" if alt else "")
            case "a":
                self._end_link()  # links do not nest
                self._link = _address(_attributes(attributes)), len(self._line)
            case "ul" | "ol":
                self._lists.append(None if tag == "ul" else 0)
            case "li":
                self._line.append(self._mark())
            case "td" | "th":
                self._line.append("  ")
            case "blockquote":
                self._quotes += 1
            case "pre":
                self._pre += 1

    def _ends(self, tag: str) -> None:
        if self._unseen:
            if tag == self._unseen[-1]:
                self._unseen.pop()
            return
        if tag in _BLOCKS:
            self._end_line(apart=tag in _PARAGRAPHS and not (tag in {"ul", "ol"} and len(self._lists) > 1))
        match tag:
            case "a":
                self._end_link()
            case "ul" | "ol" if self._lists:
                self._lists.pop()
            case "blockquote" if self._quotes:
                self._quotes -= 1
                if self._lines and not self._lines[-1].strip("> "):
                    self._lines[-1] = self._quote().rstrip()
            case "pre" if self._pre:
                self._pre -= 1

    def _end_link(self) -> None:
        if self._link is None:
            return
        href, begin = self._link
        self._link = None
        words = "".join(self._line[begin:]).strip()
        if href and href.rstrip("/") not in words:
            self._line.append(f" ({href})" if words else href)

    def _mark(self) -> str:
        if not self._lists:
            return "- "
        indent = "  " * (min(len(self._lists), _DEEPEST) - 1)
        number = self._lists[-1]
        if number is None:
            return f"{indent}- "
        self._lists[-1] = number + 1
        return f"{indent}{number + 1}. "

    def _quote(self) -> str:
        return "> " * min(self._quotes, _DEEPEST)

    def _end_line(self, *, apart: bool = False) -> None:
        """End the line; with `apart`, a blank one follows."""
        text = "".join(self._line)
        self._line.clear()
        self._link = self._link and (self._link[0], 0)
        quote = self._quote()
        for line in text.split("\n") if text.strip() else ():
            self._lines.append((quote + (line if self._pre or _is_listed(line) else line.lstrip())).rstrip())
        if apart and self._lines and self._lines[-1].strip("> "):
            self._lines.append(quote.rstrip())


def _is_listed(line: str) -> bool:
    words = line.lstrip()
    return words.startswith("- ") or words[:1].isdigit()


def _attributes(text: str) -> dict[str, str]:
    return {
        found[1].lower(): unescape(found[2] or found[3] or found[4] or "")
        for found in _ATTRIBUTE.finditer(text)
    }


def _address(attributes: dict[str, str]) -> str:
    """The address of a link if it is one to show; that of a name or a tag says what its words say."""
    href = attributes.get("href", "").strip()
    if {"mention", "hashtag"} & set(attributes.get("class", "").split()):
        return ""
    return href if len(href) <= _LONGEST_LINK and href.lower().startswith(_LINKS) else ""
