"""The finder: where people are, and how they reach us (spec/finding.md, spec/kademlia.md).

The third worker. It knows the tree and the address book; the server and the syncer know only the book, and
none of the three knows the others. Whatever it hears is a hint: a handshake proves, or does not.
"""
