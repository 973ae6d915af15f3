"""What reads the tree for people: single posts, and all that can be read in short (spec/reading.md).

open         one post: the message, what it states, whether that fits its place
looking      what one file is to me; summary: a post in short
reading      the face of all that can be read: brought up to the tree, asked, kept
upkeep       what changed since; places: directories looked at; judging: what new contents are
crew         processes that open many posts; worker: one of them
table        what orders and filters posts; rows: what stands in it; image: it at rest
notes        what was found out of contents, sealed; written: as JSON; contents: what was shown lately
timeline     posts in the order that I chose; algorithms: what orders them
news         what appears while one looks; watching: for an event loop
directed     whether a post is for me
unpublished  own files that nobody is shown
"""
