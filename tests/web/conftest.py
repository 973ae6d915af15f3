"""Alice, whose public posts are shown, and Bob."""

from tests.server.conftest import alice, bob, carol, mallory, people, template

__all__ = ["alice", "bob", "carol", "mallory", "people", "template"]
