"""Groups that are shared with their members: one signed list, the same for all of them (spec/groups.md).

document    what a list looks like, and what one that came says; pure
bindings    which local group follows whose list; pure
following   joining a list, and membership that follows its newest content
sharing     the owner's side: publishing the list, and keeping it true
"""
