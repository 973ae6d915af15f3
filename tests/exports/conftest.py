"""Alice and her friends, with accounts."""

from tests.publish.world import trees, world

__all__ = ["trees", "world"]
