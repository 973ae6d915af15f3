"""What orders a timeline: small pure functions over posts; the reader chooses (spec/reading.md RA1-RA9).

view            what an algorithm sees, and what it answers
chronological   newest first
catchup         what you missed
conversations   threads together, those first where something happened last
running         an algorithm is asked, and its answer checked
loading         by name, from an entry point, or from a file of the reader's own
"""

from mau.reader.algorithms.running import Algorithm, run
from mau.reader.algorithms.view import Context, Placed, View

__all__ = ["Algorithm", "Context", "Placed", "View", "run"]
