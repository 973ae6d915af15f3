"""Under which name a browser keeps a file: Content-Disposition (RFC 6266, RFC 8187). Pure."""

from __future__ import annotations

import re
from urllib.parse import quote

# What readers make of anything else in quotes is not one thing: backslashes and quotes are escaped or not,
# "%41" is decoded or not (RFC 6266 appendix D), bytes beyond ASCII are taken for Latin-1 or for UTF-8.
_UNSURE = re.compile(r'[^ -~]|["%\\]')
_ATTR_CHAR = "!#$&+^`|"  # of RFC 8187 section 3.2.1, those that quote() does not leave alone by itself


def attachment(name: str) -> str:
    """The value that says: to be kept as ``name``, never to be shown in the place of a page.

    A name that not every reader would read alike stands there twice: changed so that they do, and exactly.
    """
    plain = _UNSURE.sub("_", name)
    value = f'attachment; filename="{plain}"'
    if plain == name:
        return value
    return f"{value}; filename*=UTF-8''{quote(name, safe=_ATTR_CHAR)}"
