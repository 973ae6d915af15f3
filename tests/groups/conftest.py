"""Groups are shared in the same small world in which posts are published."""

from tests.publish.world import trees, world

__all__ = ["trees", "world"]
