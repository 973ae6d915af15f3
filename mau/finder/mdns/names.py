"""The names under which people stand in mDNS (spec/finding.md N27). Pure."""

from __future__ import annotations

from typing import Final

from mau.errors import InvalidFingerprint
from mau.fingerprint import Fingerprint

SERVICE: Final = "_mau._tcp.local."


def instance(fingerprint: Fingerprint) -> str:
    """``FPR._mau._tcp.local.``"""
    return f"{fingerprint.hex}.{SERVICE}"


def fingerprint_of(name: str) -> Fingerprint | None:
    """Whose instance a name is, in any case of letters; None when it is nobody's."""
    label, dot, service = name.lower().partition(".")
    if not dot or service != SERVICE:
        return None
    try:
        return Fingerprint.parse(label)
    except InvalidFingerprint:
        return None
