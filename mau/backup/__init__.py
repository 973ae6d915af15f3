"""Backups: the tree as a plain tar archive, and bringing one back into a tree (spec/backup.md).

members     what a path in an archive stands for; pure
taking      from the tree to an archive, while everything runs
storing     one file into an archive, as it was at one moment
pax         an archive as it grows
target      where an archive is written: whole or not at all
headers     the headers of an archive that may come from anywhere
archive     an archive, read: what is in it, and what is refused before anything is opened
keys        the keys to judge an archive with
judging     whether one post may come back, and as what
posts       posts and their versions, brought back
others      what lies beside them
restoring   from an archive into a tree, empty or living
report      what became of each file
"""
