"""Backups: the tree as a plain tar archive, and bringing one back into a tree (spec/backup.md).

members     what a path in an archive stands for; pure
taking      from the tree to an archive, while everything runs
target      where an archive is written: whole or not at all
headers     the headers of an archive that may come from anywhere
archive     an archive, read: what is in it, and what is refused before anything is opened
judging     whether one post may come back, and as what
restoring   from an archive into a tree, empty or living
report      what became of each file
"""
