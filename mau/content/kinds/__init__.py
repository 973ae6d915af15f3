"""The types of documents that people write, and their words (spec/content.md CT1-CT24). Pure.

kind    what a type and a word are
table   the types
values  single values: written by people, held in documents, and what is wrong with one
check   the type of a document, and what is wrong with it

Types and words that stand in no table are read and kept like any other, and are never a problem.
"""

from __future__ import annotations

from mau.content.kinds.check import kind_of, problems
from mau.content.kinds.kind import Kind, Value, Word
from mau.content.kinds.table import KINDS, THING
from mau.content.kinds.values import said, written

__all__ = ["KINDS", "THING", "Kind", "Value", "Word", "kind_of", "problems", "said", "written"]
