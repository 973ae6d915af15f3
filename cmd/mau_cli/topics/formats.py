"""What the files are, and what commands print."""

from __future__ import annotations

_TEXT = """
A post is one OpenPGP message in a file of its own, FPR/NAME.pgp: signed by its author, and encrypted for its
readers unless it is public. Any OpenPGP program reads it: gpg --decrypt FILE.

Inside is a document in JSON-LD with the words of schema.org (SocialMediaPosting, Article, Recipe, Event,
Comment, LikeAction and others), or any other file as it is. A document states its own address and for whom
it is; a file states both in its signature. Types and words that are not known are shown, and kept.

  NAME.pgp                      the post
  NAME.pgp.versions/SHA256.pgp  what it said before
  NAME, NAME.md, NAME.json      a draft beside them; it never leaves
  keyring.json.pgp              who your friends are, for you alone
  .mau/FPR.pgp                  a friend's public key, signed by you
  .mau/account.pgp              your secret key, locked by the passphrase

A draft is a page: Markdown below a head of words (mau new TYPE --template prints one), or a document in JSON:

  ---
  type: Article
  title: Tea
  for: [bob, "@tea"]
  tags: [kitchen]
  ---
  Pour, and wait.

Commands print data to stdout and words to stderr. --json is there on everything that lists or shows: one
document, or one object in each line where a list has no end (mau timeline, mau watch). It is ASCII: what
others wrote steers no terminal. Times are ISO 8601; fingerprints and sums are small hex digits.

Links in a post's text are Markdown. #words are tags, in texts and in keywords.
"""


def text() -> str:
    """The topic."""
    return _TEXT
