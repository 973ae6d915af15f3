"""Finding a peer by its fingerprint among strangers (spec/kademlia.md). Pure: no network, no files, no clock.

node        a fingerprint at an address
caps        how much of a table or a lookup one network may take
bucket      the nodes of one range of fingerprints
score       what somebody's answers were worth
table       all of them: whom to ask first, whom to tell others about, whom to look after
telling     what of somebody's answer is believed
candidates  addresses said to be those of the one who is looked for
path        one of several ways to the target that share no node
roots       where the paths begin
lookup      all of them together, without doing any of the asking
"""

from mau.kademlia.caps import UNCAPPED, Caps
from mau.kademlia.lookup import Lookup
from mau.kademlia.node import Node
from mau.kademlia.score import Score
from mau.kademlia.table import RoutingTable, Upkeep

__all__ = ["UNCAPPED", "Caps", "Lookup", "Node", "RoutingTable", "Score", "Upkeep"]
