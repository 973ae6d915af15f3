"""A message in ASCII armor, for what takes text only (RFC 9580 section 6)."""

from __future__ import annotations

import pysequoia

from mau.openpgp.sequoia import call


def armor_message(data: bytes) -> str:
    """The armored form of an OpenPGP message, whatever is in it: the same packets, as text."""
    return call(pysequoia.armor, data, pysequoia.ArmorKind.Message)
