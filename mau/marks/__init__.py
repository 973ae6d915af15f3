"""What is read, muted, blocked and pinned: the owner's own files, for himself alone (spec/marks.md)."""

from mau.marks.marks import Marks, blocked
from mau.marks.names import is_marks

__all__ = ["Marks", "blocked", "is_marks"]
