"""Conversations: replies, likes, shares and messages as documents, for whom they are, and threads of them.

compose    the documents (spec/conversations.md CV1-CV14)
audience   for whom what derives from another post is (CV20-CV24)
naming     short forms of a post's name, for people to type (CV30-CV34)
thread     a post with all that belongs to it, gathered from what is held (CV40-CV43)
missing    what is not held of it, from those who may have it (CV50-CV54)
"""
