"""Deletes: a signed DeleteAction says which contents of which post are deleted (spec/messages.md M70-M88).

document     what a DeleteAction looks like, and what one that came says; pure
rules        which contents the DeleteActions of an author delete; pure
held         the DeleteActions that lie in the tree, found without opening everything each time
noted        the tables in which that is noted
indexed      what is deleted, for a server that is asked at every request
resigning    a content that is held, signed once more
publishing   deleting one's own posts, and taking that back
obeying      what becomes of a post in the tree of somebody who follows
"""
