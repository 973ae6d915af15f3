"""The files of marks: what they are called, how they are told from posts (spec/marks.md MK1-MK4). Pure."""

from __future__ import annotations

from typing import Any, Final

from mau.content.links import word_of
from mau.tree.names import GROUPS_NAME, MARKS_NAME, READ_NAME

NAMES: Final = frozenset({MARKS_NAME, READ_NAME, GROUPS_NAME})
TYPE: Final = "Collection"

__all__ = ["MARKS_NAME", "NAMES", "READ_NAME", "TYPE", "is_marks"]


def is_marks(name: str, document: dict[str, Any] | None) -> bool:
    """Whether a post is a file of marks, which is not shown among the posts."""
    if name not in NAMES or document is None:
        return False
    stated = document.get("@type", document.get("type"))
    types = stated if isinstance(stated, list) else [stated]
    return any(isinstance(one, str) and word_of(one) == TYPE for one in types)
