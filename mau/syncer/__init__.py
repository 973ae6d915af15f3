"""The syncer: brings what others have for me into the tree (spec/sync.md). Knows neither server nor finder.

paging    seeing the whole of a listing that its server cuts; pure
plan      what to fetch; pure
report    what came of it; values
state     what is remembered between runs
sums      of files that are held, without reading them again
listing   asking a peer what it has
judge     may these bytes enter the tree?
intake    fetching many files at once
writing   and putting them into the tree in batches
once      one sync
"""

from mau.syncer.once import Syncer, sync_once
from mau.syncer.report import Progress, SyncReport, Trouble

__all__ = ["Progress", "SyncReport", "Syncer", "Trouble", "sync_once"]
