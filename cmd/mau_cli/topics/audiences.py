"""For whom a post is."""

from __future__ import annotations

_TEXT = """
Nothing is published without saying for whom. A command that writes takes one of these:

  --to WHO       for one, by the name that you gave or the fingerprint;
                 may be repeated
  --to @GROUP    for the members of a group, as they are at that moment
  --friends      for all your friends
  --me           for yourself alone
  --public       for everybody: signed, not encrypted, readable without a key

Without one of them the setting post.audience says it (friends, me, names and @groups with commas between
them; never everybody). Where that says nothing, it is asked on a terminal, and an error elsewhere.

An audience is fixed when a post is written: it is encrypted for those people's keys, and it states them
inside the signature, so that nobody can pass it on as something else. You can always read your own posts.

What derives from a post (an edit, an answer, a like, a share) is for its author and those of its readers
whom you can write to; who is left out is named. An answer to a post that is not public is never for more
people unless you say so. What answers a public post asks for whom it is, and must be told without a terminal.

Names of files are not encrypted. Only public posts get names made of their words; others are called by the
date and random letters, unless --name says otherwise.
"""


def text() -> str:
    """The topic."""
    return _TEXT
