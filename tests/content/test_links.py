"""What a document points at: read as people write it, bounded, and nobody acts for somebody else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.address import Address
from mau.content.links import NO_LINKS, Links, Reference, act_of, links_of
from mau.fingerprint import Fingerprint
from mau.reader.directed import directed_at

ME = Fingerprint.parse("a" * 40)
BOB = Fingerprint.parse("b" * 40)
SHA256 = "a5" * 32
IRI = f"mau:/p2p/{BOB}/kettle.pgp"
POST = Address(BOB, "kettle.pgp")


@pytest.mark.parametrize(
    ("value", "reference"),
    [
        (IRI, Reference(POST)),
        ({"@id": IRI}, Reference(POST)),
        ({"@id": IRI, "sha256": SHA256}, Reference(POST, SHA256)),
        ({"id": IRI, "sha256": SHA256.upper()}, Reference(POST)),
        ({"url": IRI}, Reference(POST)),
        (f"MAU:/p2p/{BOB}/kettle%2Epgp", Reference(POST)),
        ([{"@id": IRI}, {"@id": IRI}], Reference(POST)),
        ({"@id": f"mau://example.org:8880/p2p/{BOB}/kettle.pgp"}, Reference(POST)),
        ({"@id": f"/p2p/{BOB}/kettle.pgp"}, Reference(POST)),
        # A version stands for the post, and for what was seen of it.
        ({"@id": f"{IRI}.version/{SHA256}"}, Reference(POST, SHA256)),
        ({"@id": f"{IRI}.version/{SHA256}", "sha256": "6" * 64}, Reference(POST, SHA256)),
        ({"@id": "https://example.org/kettle", "url": IRI}, Reference(POST)),
        ("kettle.pgp", None),
        ({"@id": "mau:broken"}, None),
        ({"@id": 7}, None),
        ({"@id": f"mau:/p2p/{BOB}"}, None),
        (None, None),
        ([[IRI]], None),
    ],
)
def test_a_reference_is_read_in_every_spelling(value: Any, reference: Reference | None) -> None:
    expected = () if reference is None else (reference,)
    for word in ("parentItem", "inReplyTo", "about", "https://schema.org/parentItem", "as:inReplyTo"):
        assert links_of(ME, {"@type": "Comment", word: value}).answers == expected
    share = {"@type": "ShareAction", "object": value}
    if value != {"@id": f"mau:/p2p/{BOB}"}:
        assert links_of(ME, share) == Links(act="share", objects=expected)


@pytest.mark.parametrize(
    ("agent", "counts"),
    [
        ({"@id": f"mau:/p2p/{ME}"}, True),
        (f"mau:/p2p/{ME}", True),
        ([{"@id": f"mau:/p2p/{ME}"}, {"@id": "https://example.org/@me"}], True),
        ({"@type": "Person", "name": "Bob"}, True),
        ("Bob", True),
        ({"@id": f"mau:/p2p/{BOB}"}, False),
        (f"/p2p/{BOB}", False),
        ({"@id": "https://example.org/@bob"}, False),
        ({"@id": f"mau:/p2p/{ME}/post.pgp"}, False),
    ],
)
def test_nobody_acts_for_somebody_else(agent: Any, counts: bool) -> None:
    for word, kind in (("agent", "LikeAction"), ("actor", "Like"), ("schema:agent", "LikeAction")):
        document = {"@type": kind, word: agent, "object": {"@id": IRI}}
        assert act_of(ME, document) == ("like" if counts else "")
        assert links_of(ME, document).objects == ((Reference(POST),) if counts else ())


def test_of_an_envelope_counts_what_is_in_it() -> None:
    streams = "https://www.w3.org/ns/activitystreams"
    note = {"type": "Note", "inReplyTo": IRI, "content": "Tea?"}
    for kind in ("Create", "as:Update", ["Create"]):
        envelope = {"@context": [streams], "type": kind, "to": [f"mau:/p2p/{BOB}"], "object": note}
        assert links_of(ME, envelope) == Links(answers=(Reference(POST),), mentions=(BOB,))
        assert directed_at(BOB, ME, envelope) == "reply"
        # Only ActivityStreams has envelopes.
        assert links_of(ME, envelope | {"@context": "https://schema.org"}).answers == ()
    for actor, act in ((ME, "like"), (BOB, "")):
        like = {"type": "Like", "object": IRI}
        envelope = {"@context": streams, "type": "Create", "actor": f"mau:/p2p/{actor}", "object": like}
        assert links_of(ME, envelope).act == act_of(ME, envelope) == act


def test_one_who_follows_points_at_a_person() -> None:
    links = links_of(ME, {"@type": "FollowAction", "object": {"@id": f"mau:/p2p/{BOB}"}})
    assert links == Links(act="follow", objects=(Reference(Address(BOB)),))


def test_of_many_links_the_first_are_read() -> None:
    many = [{"@id": f"mau:/p2p/{BOB}/{number}.pgp"} for number in range(5000)]
    links = links_of(
        ME, {"parentItem": many, "mentions": [f"mau:/p2p/{number:040x}" for number in range(5000)]}
    )
    assert (len(links.answers), len(links.mentions)) == (200, 200)
    assert links.answers[0].address.name == "0.pgp"


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from([IRI, "LikeAction", SHA256]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["@id", "id", "url", "sha256", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
_KEYS = (
    st.sampled_from(["@type", "type", "agent", "object", "parentItem", "about", "image", "tag"]) | st.text()
)


@given(st.dictionaries(_KEYS, _JSON, max_size=6))
def test_no_document_is_an_error(document: dict[str, Any]) -> None:
    links = links_of(ME, document)
    assert links == NO_LINKS or isinstance(links, Links)
    for reference in (*links.answers, *links.media):
        assert reference.address.name is not None
        assert reference.address.version is None
