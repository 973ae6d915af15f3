"""Another audience for a post: its files first, then the post with the new sums (spec/attachments.md E30)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mau.attachments.media import exchange, part_of
from mau.content.binding import Audience
from mau.deletion.resigning import audience_of_own, opened_own
from mau.errors import NoSuchPost
from mau.publish import publish_file
from mau.tree.scratch import scratch_file

if TYPE_CHECKING:
    from mau.account import Account
    from mau.keyring import Keyring


def rewrite_for(
    account: Account, keyring: Keyring, document: Mapping[str, Any], audience: Audience
) -> dict[str, Any]:
    """Store the own files that `document` refers to anew for `audience`; the document with their new sums.

    Files that are for this audience already are left alone, and so are those of others and those that are not
    held. What was stored before becomes a version. Call it before the document itself is published.
    """
    me = account.fingerprint
    sums: dict[tuple[str, str], str] = {}

    def change(value: dict[str, Any]) -> dict[str, Any]:
        part = part_of(me, value)
        if part is None or part.author != me:
            return value
        key = part.name, part.sha256
        if key not in sums:
            sums[key] = _rewritten(account, keyring, *key, audience)
        return {**value, "sha256": sums[key]} if sums[key] else value

    rewritten: dict[str, Any] = exchange(dict(document), change)
    return rewritten


def _rewritten(account: Account, keyring: Keyring, name: str, sha256: str, audience: Audience) -> str:
    """The sha256 under which the content is stored for this audience; "" when it is not held."""
    posts = account.posts()
    try:
        current = posts.sha256(name)
    except NoSuchPost:
        current = ""
    version = None if sha256 in {"", current} else sha256
    try:
        with opened_own(account, keyring, name, version) as (post, path):
            if version is None and audience_of_own(account, keyring, post, None) == audience:
                return current
            with scratch_file(account.root, "reader") as scratch:
                if post.opened.data is not None:
                    scratch.write_bytes(post.opened.data)
                with (scratch if path is None else path).open("rb") as source:
                    filename, attached = post.filename, post.attached
                    done = publish_file(account, keyring, source, name, audience, filename, attached=attached)
    except NoSuchPost:
        return ""
    return done.sha256
