"""Shapes of /invite: what a guest sends beside the key (spec/http.yaml H90-H95). Pure."""

from __future__ import annotations

from typing import Final

MAX_KEY: Final = 64 * 1024
"""Bytes of a guest's key."""
KEY_TYPE: Final = "application/octet-stream"
"""What we send is not armored."""
LINK_HEADER: Final = "Mau-Link"
"""The guest's own link (spec/finding.md N70): a name, and where the guest can be reached."""
