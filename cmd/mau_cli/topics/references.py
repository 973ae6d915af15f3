"""How posts and people are named."""

from __future__ import annotations

_TEXT = """
REF is a post, in any of these forms:

  bob/kettle               what Bob wrote under that name; the endings .json
                           and .pgp may be left out
  me/kettle                a post of yours
  kettle, k3v9x2qa         whoever wrote it, when it is the only one: of a name
                           made of a date and random letters these letters
                           serve, and of every name its beginning
  FPR/kettle               a fingerprint in place of the name of somebody
  mau:/p2p/FPR/NAME.pgp    the address, as it stands in documents; with
                           mau://HOST:PORT/... it says where to ask besides
  mau:/p2p/FPR/NAME.pgp.version/SHA256
                           one version of it

A form that fits several posts is an error that lists them.

WHO is a person: the name that you gave (mau friend list), the fingerprint of 40 hex digits, or its beginning
where it is the only one; me is you. GROUP is written @GROUP where people are named as well.

Names of people are yours alone: nobody changes what you call him, and two people never have one name.
"""


def text() -> str:
    """The topic."""
    return _TEXT
