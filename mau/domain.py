"""Names of domains, which may stand for people (spec/finding.md N60). Pure."""

from __future__ import annotations

import re

from mau.errors import AddressMalformed

_DOMAIN = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII
)
_LONGEST = 200
"""In characters: what is put before a name to ask about it must fit into 253."""


def parse_domain(text: str) -> str:
    """The name of a domain in lower case, without a dot at its end; AddressMalformed for everything else.

    Letters other than ASCII are written as DNS spells them (RFC 3490, ``xn--``). A name has two labels or
    more, the last of which begins with a letter: neither ``localhost`` nor ``192.0.2.1`` is one.
    """
    name = text.strip().removesuffix(".")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            raise AddressMalformed(f"not the name of a domain: {text!r:.80}") from None
    name = name.lower()
    if len(name) > _LONGEST or not _DOMAIN.fullmatch(name):
        raise AddressMalformed(f"not the name of a domain: {text!r:.80}")
    return name
