"""The index: what lies in the tree, with its sum, and since when (spec/index.md). Derived; safe to delete.

    index = Index.open(root, examine)                  any number of processes and threads may do so
    index.refresh()                                    now it is what the tree is; quick when nothing changed
    with index.watch():                                ... and stays so, within a second
        page = index.after(author, readers, clock, 100)     oldest first, what came after that position
        page = index.before(author, readers, None, 100)     newest first, from the end backwards
        entry = index.entry(author, name)              one file
        with index.subscribe(callback): ...            callback(author, hidden, name) when something changed

What is in a file is not this room's business: the caller's ``examine(author, name, handle)`` says what `kind`
it is, under which `readers` it is to be found (the key ids of its recipients, and marks of the caller's own
choosing, such as one for what may be public) and what else to keep with it. **That a file is found under a
reader does not mean that he may read it**: any program that can write to this disk may have written the row.
It is a candidate; who may read is proven from the file itself.

Blocking, all of it: call it from threads. `Index` may be shared by threads. Nothing is hashed in a caller's
thread except by `refresh`, `check` and the first question about an author who was never looked at.

entry      what is told of a file; what is asked of the caller
clock      the time that never goes back
place      where the index lies: network file systems cannot hold it
store      the SQLite file: generations, beginning anew
rows       what stands in it, and the questions
writer     the changes
shelf      the directories of one author, as one
scan       bringing the rows up to what the directories hold
events     what watchdog tells, gathered
watch      the thread that keeps the index fresh
freshness  what tells other processes that there is one
index      the face of the room
"""

from mau.tree.index.clock import clock_at, seconds_of
from mau.tree.index.entry import Entry, Examined, Page, Refreshed, Since, is_settled, stamp_of
from mau.tree.index.index import Index

__all__ = [
    "Entry",
    "Examined",
    "Index",
    "Page",
    "Refreshed",
    "Since",
    "clock_at",
    "is_settled",
    "seconds_of",
    "stamp_of",
]
