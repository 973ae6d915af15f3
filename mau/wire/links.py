"""The ``Link`` header of a page: where the listing goes on (RFC 8288; spec/http.yaml H61). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from mau.fingerprint import Fingerprint
from mau.wire import paths
from mau.wire.targets import ListTarget

_MOST: Final = 4096  # characters of all the headers that are looked at
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED: Final = r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\t\x20-\x7e])*"'
_PARAMETER: Final = re.compile(rf"[ \t]*;[ \t]*({_WORD})(?:[ \t]*=[ \t]*({_WORD}|{_QUOTED}))?")
_TARGET: Final = re.compile(r"[ \t]*<([^<>\s]*)>")
_AFTER: Final = re.compile(r"[ \t]*(,|\Z)")
_COMMAS: Final = re.compile(r"[ \t]*(?:,[ \t]*)*")


def next_cursor(headers: Iterable[str], author: Fingerprint) -> str | None:
    """The cursor in the link ``rel="next"`` to the listing of ``author``; None when there is not exactly one.

    Nothing else can come out of what a peer writes there: another path, another author, another host, an
    anchor, or a header that is none, is as good as no link.
    """
    found: set[str | None] = set()
    for target, parameters in _links(headers):
        relations = parameters.get("rel", "").lower().split()
        if "next" in relations and "anchor" not in parameters:
            found.add(_cursor(target, author))
    return found.pop() if len(found) == 1 else None


def _cursor(target: str, author: Fingerprint) -> str | None:
    if not target.startswith(f"{paths.list_path(author)}?"):
        return None
    try:
        parsed = paths.parse(target)
    except paths.BadPath:
        return None
    return parsed.page.cursor if isinstance(parsed, ListTarget) else None


def _links(headers: Iterable[str]) -> Iterable[tuple[str, dict[str, str]]]:
    """(target, parameters) of each link; of a parameter that is there twice, the first counts."""
    text = ",".join(headers)
    if len(text) > _MOST:
        return []
    links: list[tuple[str, dict[str, str]]] = []
    at = 0
    while True:
        separator = _COMMAS.match(text, at)
        at = separator.end() if separator else at
        if at == len(text):
            return links
        target = _TARGET.match(text, at)
        if target is None:
            return []
        at = target.end()
        parameters: dict[str, str] = {}
        while found := _PARAMETER.match(text, at):
            at = found.end()
            value = found[2] or ""
            if value.startswith('"'):
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            parameters.setdefault(found[1].lower(), value)
        rest = _AFTER.match(text, at)
        if rest is None:
            return []
        links.append((target[1], parameters))
        at = rest.start(1)
