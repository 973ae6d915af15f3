"""Conversations: replies, likes, shares and messages as documents, for whom they are, and threads of them.

compose    the documents (spec/conversations.md V1-V19)
audience   for whom what derives from another post is (V20-V29)
"""
