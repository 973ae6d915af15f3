"""The syncer: brings what others have for me into the tree (spec/sync.md). Knows neither server nor finder.

pages     going through a listing page by page; pure
paging    seeing the whole of a listing that its server cuts; pure
plan      what to fetch; pure
report    what came of it; values
state     what is remembered between runs
holdings  what is held while a round runs
sums      of files that are held, without reading them again
listing   asking a peer that knows no pages what it has
survey    looking ahead, for who watches
judge     may these bytes enter the tree?
intake    fetching many files
archive   the small ones of a page at once
large     large ones, which go on where they ended
partial   and what is kept of those
writing   putting small ones into the tree in batches
round     one sync of one author from one peer
webround  the same from the web
once      rounds for one account
"""

from mau.syncer.once import Syncer, sync_once
from mau.syncer.report import Progress, SyncReport, Trouble

__all__ = ["Progress", "SyncReport", "Syncer", "Trouble", "sync_once"]
