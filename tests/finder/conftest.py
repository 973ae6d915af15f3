"""The people of the servers' tests."""

from tests.server.conftest import alice, bob, carol, mallory, people, template

__all__ = ["alice", "bob", "carol", "mallory", "people", "template"]
