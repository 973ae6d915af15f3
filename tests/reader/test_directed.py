"""Which documents are answers to me, and which name me."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.fingerprint import Fingerprint
from mau.reader.directed import Directed, directed_at

ME = Fingerprint.parse("a" * 40)
AUTHOR = Fingerprint.parse("b" * 40)
PERSON = f"mau:/p2p/{ME}"
POST = f"{PERSON}/kettle.pgp"


@pytest.mark.parametrize(
    ("document", "directed"),
    [
        (None, "post"),
        ({}, "post"),
        ({"articleBody": POST}, "post"),
        ({"author": {"@id": PERSON}}, "post"),
        ({"inReplyTo": POST}, "reply"),
        ({"as:inReplyTo": {"id": POST}}, "reply"),
        ({"https://schema.org/parentItem": [{"@id": "https://example.org"}, {"@id": POST}]}, "reply"),
        ({"about": {"@id": POST}}, "reply"),
        ({"about": {"@id": f"mau://example.org:8880/p2p/{ME}/kettle.pgp"}}, "reply"),
        ({"inReplyTo": f"/p2p/{ME}/kettle.pgp"}, "reply"),
        ({"inReplyTo": "kettle.pgp"}, "post"),  # of his own
        ({"inReplyTo": PERSON}, "mention"),
        ({"about": {"@id": PERSON}}, "mention"),
        ({"mentions": [{"@type": "Person", "@id": PERSON}]}, "mention"),
        ({"mentions": POST}, "mention"),
        ({"tag": [{"type": "Mention", "href": PERSON}]}, "mention"),
        ({"mentions": PERSON, "inReplyTo": POST}, "reply"),
        ({"mentions": f"mau:/p2p/{AUTHOR}"}, "post"),
        ({"@type": "LikeAction", "agent": {"@id": f"mau:/p2p/{AUTHOR}"}, "object": {"@id": POST}}, "like"),
        ({"@type": "DislikeAction", "object": POST}, "dislike"),
        ({"type": "Announce", "actor": f"/p2p/{AUTHOR}", "object": POST}, "share"),
        ({"@type": "ShareAction", "object": {"@id": POST}, "mentions": PERSON}, "share"),
        ({"@type": "FollowAction", "object": {"@id": PERSON}}, "follow"),
        ({"@type": "BookmarkAction", "object": {"@id": POST}}, "post"),
        ({"@type": "LikeAction", "object": {"@id": f"mau:/p2p/{AUTHOR}/x.pgp"}}, "post"),
        # nobody acts for somebody else
        ({"@type": "LikeAction", "agent": {"@id": f"mau:/p2p/{'c' * 40}"}, "object": {"@id": POST}}, "post"),
        ({"@type": "LikeAction", "agent": "https://example.org/@bob", "object": {"@id": POST}}, "post"),
        ({"@type": "LikeAction", "agent": {"@type": "Person", "name": "Bob"}, "object": POST}, "like"),
        ({"@type": "Message", "recipient": [{"@id": PERSON}], "parentItem": {"@id": POST}}, "message"),
        ({"@type": "Message", "parentItem": {"@id": POST}}, "reply"),
        ({"@type": "Message", "recipient": [{"@id": f"mau:/p2p/{AUTHOR}"}]}, "post"),
        ({"mentions": ["mau:broken", 7, None, {"@id": 7}, {"name": "x"}]}, "post"),
    ],
)
def test_what_it_is_to_me(document: dict[str, Any] | None, directed: str) -> None:
    assert directed_at(ME, AUTHOR, document) == directed


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text()
    | st.sampled_from([PERSON, POST, "LikeAction", "Message"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["@id", "href", "x"]), inner),
    max_leaves=8,
)
_KEYS = st.sampled_from(
    ["@type", "agent", "object", "recipient", "mentions", "inReplyTo", "about", "tag", "articleBody"]
) | st.text(max_size=9)


@given(st.dictionaries(_KEYS, _JSON, max_size=4))
def test_any_document_is_one_of_them(document: dict[str, Any]) -> None:
    assert directed_at(ME, AUTHOR, document) in get_args(Directed)


def test_of_a_document_full_of_links_only_some_are_looked_at() -> None:
    assert directed_at(ME, AUTHOR, {"mentions": ["https://example.org"] * 1000 + [PERSON]}) == "post"
    assert directed_at(ME, AUTHOR, {"mentions": ["https://example.org"] * 999 + [PERSON]}) == "mention"
