"""Markdown (CommonMark, with tables) as lines for a terminal (spec/content.md CT82, CT83). Pure.

Nothing is hidden: the address of a link stands behind its words, HTML is shown as the text that it is. Where
no styles can be shown, the marks of Markdown stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from mau_cli.output import width
from mau_cli.wrapping import LEAST, Line, Style, calmed, cut_lines, wrapped, wrapped_text

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_MARKDOWN: Final = 64 * 1024
"""Characters: the parser takes up to 30 us for each of them. A longer text is shown as it was written."""
_DEEPEST: Final = 20
_MARKED: Final = re.compile(r"[-*_`#>\[\]<|~\\&=+\t]|^ {4}|^ *\d+[.)]", re.MULTILINE)
"""Whatever can mean something; without any of it the parser, which takes long to load, is not asked."""
_STYLES: Final = {"strong": Style.BOLD, "em": Style.ITALIC, "s": Style.STRUCK}
_MARKS: Final = {"strong": "**", "em": "*", "s": "~~"}
_BULLETS: Final = "•◦▪"


def markdown_lines(text: str, columns: int, *, styled: bool) -> list[Line]:
    """The lines of a text, at most so many columns wide; the marks of Markdown stay unless `styled`."""
    if not text.strip():
        return []
    if len(text) <= MAX_MARKDOWN and _MARKED.search(text):
        env: dict[str, Any] = {}
        tokens = _parser().parse(text.expandtabs(4), env)
        # What nests deeper the parser leaves out.
        if all(token.level < _DEEPEST - 1 for token in tokens):
            return _Writer(columns, styled).write(tokens, _unused(tokens, env))
    return [[(line, Style.PLAIN)] for line in wrapped_text(text, columns)]


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    options = {"html": False, "maxNesting": _DEEPEST}
    return MarkdownIt("commonmark", options).enable(["table", "strikethrough"])


@dataclass(slots=True)
class _Block:
    """Something that stands before the lines in it: `first` once, `rest` after that."""

    first: str
    rest: str


@dataclass(slots=True)
class _Writer:
    """Writes lines from the parser's tokens, which come in the order of the text."""

    columns: int
    styled: bool
    lines: list[Line] = field(default_factory=list)
    blocks: list[_Block] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)
    """Of each list that is open the number of its next element, None when they have none."""
    apart: bool = False
    """Whether a blank line stands before what comes next."""
    mark: str = ""
    style: Style = Style.PLAIN
    rows: list[list[str]] | None = None

    def write(self, tokens: list[Token], references: list[str]) -> list[Line]:
        for token in tokens:
            self._token(token)
        for number, reference in enumerate(references):
            self.apart = self.apart or number == 0
            self._separate()
            for line in wrapped([(reference, Style.DIM)], self.columns):
                self._add(line)
        return self.lines

    def _token(self, token: Token) -> None:
        match token.type:
            case "heading_open":
                self.style = Style.BOLD
                self.mark = "" if self.styled else "#" * int(token.tag[1:]) + " "
            case "heading_close":
                self.style, self.mark, self.apart = Style.PLAIN, "", True
            case "paragraph_close":
                self.apart = not token.hidden
            case "bullet_list_open":
                self.numbers.append(None)
            case "ordered_list_open":
                start = token.attrGet("start")
                self.numbers.append(1 if start is None else int(start))
            case "bullet_list_close" | "ordered_list_close":
                self.numbers.pop()
                self.apart = not self.numbers
            case "list_item_open":
                self._item()
            case "list_item_close":
                if self.blocks[-1].first:
                    self._add([("", Style.PLAIN)])  # an element with nothing in it
                self.blocks.pop()
            case "blockquote_open":
                self._separate()
                self._begin("│ " if self.styled else "> ", "│ " if self.styled else "> ")
            case "blockquote_close":
                self.blocks.pop()
                self.apart = True
            case "fence" | "code_block":
                self._code(f"{token.info.strip()}\n{token.content}" if token.info.strip() else token.content)
            case "hr":
                self._separate()
                self._add([("-" * min(self._room(), 40), Style.DIM)])
                self.apart = True
            case "inline" if self.rows is None:
                self._inline(token)
            case "inline" if self.rows:
                self.rows[-1].append(" ".join(text for line in self._spans(token) for text, _ in line))
            case "table_open":
                self.rows = []
            case "tr_open" if self.rows is not None:
                self.rows.append([])
            case "table_close" if self.rows is not None:
                self._table(self.rows)
                self.rows = None

    def _item(self) -> None:
        self._separate()
        number = self.numbers[-1]
        if number is None:
            mark = f"{_BULLETS[(len(self.numbers) - 1) % 3] if self.styled else '-'} "
        else:
            mark = f"{number}. "
            self.numbers[-1] = number + 1
        self._begin(mark, " " * len(mark))

    def _begin(self, first: str, rest: str) -> None:
        """Open a block; one that leaves no room for a text has nothing before its lines."""
        fits = self._before() + len(rest) + LEAST <= self.columns
        self.blocks.append(_Block(first, rest) if fits else _Block("", ""))

    def _inline(self, token: Token) -> None:
        self._separate()
        for spans in self._spans(token):
            for line in wrapped(spans, self._room()):
                self._add(line)

    def _code(self, text: str) -> None:
        self._separate()
        indent = " " * min(4, self._room() - LEAST)
        for line in cut_lines(text.rstrip("\n"), self._room() - len(indent), Style.DIM):
            self._add([(indent, Style.PLAIN), *line])
        self.apart = True

    def _table(self, rows: list[list[str]]) -> None:
        """Columns beside each other when they fit, else each row as a line."""
        self._separate()
        sizes = [
            max((width(row[at]) for row in rows if at < len(row)), default=0) for at in range(_most(rows))
        ]
        fits = sum(sizes) + 3 * (len(sizes) - 1) <= self._room()
        for number, row in enumerate(rows):
            style = Style.BOLD if number == 0 else Style.PLAIN
            cells = [
                cell + " " * (size - width(cell) if fits else 0)
                for cell, size in zip(row, sizes, strict=False)
            ]
            for line in wrapped([(" | ".join(cells).rstrip(), style)], self._room()):
                self._add(line)
        self.apart = True

    def _separate(self) -> None:
        if self.apart and self.lines:
            self._add([])
        self.apart = False

    def _room(self) -> int:
        return self.columns - self._before()

    def _before(self) -> int:
        return sum(len(block.rest) for block in self.blocks)

    def _add(self, line: Line) -> None:
        before = ""
        for block in self.blocks:
            if line:
                before += block.first or block.rest
                block.first = ""
            else:
                before += block.rest
        self.lines.append([(before, Style.DIM), *line] if before.strip() or (before and line) else line)

    def _spans(self, token: Token) -> list[Line]:
        """The lines of a text with what is marked in it, one for each that its author began."""
        style = self.style
        lines: list[Line] = [[(self.mark, style)] if self.mark else []]
        links: list[tuple[str, int]] = []
        for child in token.children or []:
            name, _, end = child.type.rpartition("_")
            if child.type in {"softbreak", "hardbreak"}:
                lines.append([])
            elif name in _STYLES:
                style = style | _STYLES[name] if end == "open" else style & ~_STYLES[name]
                if not self.styled:
                    lines[-1].append((_MARKS[name], style))
            elif child.type == "code_inline":
                mark = "" if self.styled else "`"
                lines[-1].append((mark + _cleaned(child.content) + mark, style | Style.DIM))
            elif child.type == "link_open":
                links.append((str(child.attrGet("href") or ""), len(lines[-1])))
                style |= Style.UNDERLINE
            elif child.type == "link_close" and links:
                style &= ~Style.UNDERLINE
                lines[-1] += _address(*links.pop(), lines[-1])
            elif child.type == "image":
                alt = _cleaned(child.content)
                lines[-1].append((f"[picture{': ' if alt else ''}{alt}]", style))
                lines[-1] += _address(str(child.attrGet("src") or ""), len(lines[-1]), lines[-1])
            elif child.content:
                lines[-1].append((_cleaned(child.content), style))
        return lines


def _unused(tokens: list[Token], env: dict[str, Any]) -> list[str]:
    """The references that no link of the text goes to: the parser would pass over them in silence."""
    links = {child.attrGet("href") or child.attrGet("src") for one in tokens for child in one.children or []}
    references = [*env.get("references", {}).items()]
    references += [(one["label"], one) for one in env.get("duplicate_refs", [])]
    return [
        _cleaned(f"[{label}]: {reference['href']} {reference['title']}".strip())
        for label, reference in references
        if reference["href"] not in links
    ]


def _address(href: str, begin: int, line: Line) -> Iterator[tuple[str, Style]]:
    """Where a link leads, unless its words say just that."""
    href = _cleaned(href)
    words = "".join(text for text, _ in line[begin:])
    if href and words not in {href, href.removeprefix("mailto:")}:
        yield f" <{href}>", Style.DIM


def _cleaned(text: str) -> str:
    return calmed(text).replace("\n", " ")


def _most(rows: list[list[str]]) -> int:
    return max(map(len, rows), default=0)
