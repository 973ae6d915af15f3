"""The Atom feed of the public posts (RFC 4287; spec/web.md W30-W32). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mau.content.address import person_iri, post_iri
from mau.web.escape import line, plain, rfc3339, segment
from mau.web.page import post_path
from mau.web.post import IN_FEED, Owner, Post


def feed(owner: Owner, posts: Sequence[Post]) -> str:
    """The newest of ``posts``, which come newest first. Links are relative to where the feed is."""
    shown = posts[:IN_FEED]
    updated = max((post.brief.signed_at for post in shown), default=owner.created)
    entries = "".join(_entry(owner, post) for post in shown)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<id>{plain(person_iri(owner.fingerprint))}</id>\n<title>{line(owner.name)}</title>\n"
        f"<updated>{rfc3339(updated)}</updated>\n"
        f"<author><name>{line(owner.name)}</name>"
        f"<uri>{plain(person_iri(owner.fingerprint))}</uri></author>\n"
        '<link rel="self" type="application/atom+xml" href="feed.atom"/>\n'
        '<link rel="alternate" type="text/html" href="index.html"/>\n'
        f"<generator>mau</generator>\n{entries}</feed>\n"
    )


def _entry(owner: Owner, post: Post) -> str:
    brief = post.brief
    file = f"p2p/{owner.fingerprint.hex}/{segment(brief.name)}"
    content = f'<content type="text">{plain(post.text)}</content>\n' if post.text else ""
    return (
        f"<entry>\n<id>{plain(post_iri(owner.fingerprint, brief.name))}</id>\n"
        f"<title>{line(post.title)}</title>\n<updated>{rfc3339(brief.signed_at)}</updated>\n"
        f'<link rel="alternate" type="text/html" href="{plain(post_path(brief.name))}"/>\n'
        f'<link rel="related" type="application/pgp-encrypted" href="{plain(file)}" '
        f'length="{brief.size}"/>\n{content}</entry>\n'
    )
