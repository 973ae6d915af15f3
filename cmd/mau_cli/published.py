"""What was published, in words and in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mau_cli.audience import audience_facts, audience_words
from mau_cli.output import data, emit_json, say

if TYPE_CHECKING:
    from mau.keyring import Keyring
    from mau.publish import Published


def tell(keyring: Keyring, done: Published, *, as_json: bool) -> None:
    """The name (or all facts as JSON) on stdout, for whom it is on stderr."""
    from mau.content.address import post_iri

    me = keyring.me.fingerprint
    say(f"Posted {done.name} for {audience_words(keyring, done.audience, me)}.")
    if done.replaced is not None:
        say(f"What it replaced is kept as version {done.replaced[:12]}.")
    if as_json:
        emit_json(
            {
                "name": done.name,
                "address": post_iri(me, done.name),
                "sha256": done.sha256,
                "replaced": done.replaced,
                "audience": audience_facts(done.audience),
            }
        )
    else:
        data(done.name)
