"""Checking the whole tree, and mending it one kind of damage at a time (spec/backup.md C1-C10).

finding     what can be found, in words, and what to do about it
checking    the walk over everything
looking     small looks at directories and names
posts       one file of an author: name, structure, signature, sum
versions    the older contents of one post
repairing   what is done about a finding, never without being asked
"""
