"""The contact post: where a person is reached and what they offer, for friends (spec/finding.md N10-N19).

document    the post as a document: composed, and read of others
post        one's own kept true, and those of others told to the address book
"""
