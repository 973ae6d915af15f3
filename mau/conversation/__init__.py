"""Conversations: replies, likes, shares and messages as documents, for whom they are, and threads of them.

compose    the documents (spec/conversations.md V1-V14)
audience   for whom what derives from another post is (V20-V24)
naming     short forms of a post's name, for people to type (V30-V34)
thread     a post with all that belongs to it, gathered from what is held (V40-V43)
missing    what is not held of it, from those who may have it (V50-V54)
"""
