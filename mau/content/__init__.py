"""What is in a post: addresses, documents, and what a post states about itself (spec/messages.md).

address    what a person, a post and a version of it are called
binding    for whom a post is and what it is called, as its author signed it
jsonld     documents of others, read without fetching anything
posting    texts as documents, and texts out of documents
"""
