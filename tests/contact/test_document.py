"""What contact posts say: what is told, and what is believed of others (spec/finding.md N10-N16)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.contact.document import (
    CONTACT_NAME,
    MAX_ADDRESSES,
    MAX_RELAYS,
    NOTHING,
    ContactFacts,
    compose_contact,
    is_contact,
    read_contact,
    tellable,
)
from mau.content.binding import bind_document
from mau.fingerprint import Fingerprint
from mau.hostport import circuit

ALICE = Fingerprint(b"a" * 20)
BOB = Fingerprint(b"b" * 20)
HERE = f"/p2p/{ALICE.hex}"

hosts = st.sampled_from(["192.0.2.1", "2001:db8::1", "alice.example.org", "10.1.2.3", "fd00::1"])
facts = st.builds(
    ContactFacts,
    st.lists(st.tuples(hosts, st.integers(1, 65535)), max_size=MAX_ADDRESSES, unique=True).map(tuple),
    st.lists(st.binary(min_size=20, max_size=20).map(Fingerprint), max_size=MAX_RELAYS, unique=True).map(
        lambda found: tuple(one for one in found if one != ALICE)
    ),
    st.none() | st.just("https://alice.example.org/posts/"),
    st.booleans(),
    st.booleans(),
)


def read(**more: Any) -> ContactFacts:
    return read_contact(ALICE, {"@type": "Person", **more})


def point(url: object, kind: object = "address") -> dict[str, object]:
    return {"@type": "ContactPoint", "contactType": kind, "url": url}


@given(facts)
def test_what_is_told_is_what_is_read(told: ContactFacts) -> None:
    document = bind_document(compose_contact(ALICE, told), ALICE, CONTACT_NAME, frozenset({ALICE, BOB}))
    document = json.loads(json.dumps(document))
    assert is_contact(CONTACT_NAME, document)
    assert read_contact(ALICE, document) == told
    assert bool(told) == (told != NOTHING)


def test_the_document_is_a_person_of_schema_org() -> None:
    told = ContactFacts((("192.0.2.1", 8880), ("2001:db8::1", 1)), (BOB,), "https://a.example/", True, True)
    assert compose_contact(ALICE, told) == {
        "@type": "Person",
        "identifier": f"openpgp4fpr:{ALICE.hex}",
        "contactPoint": [
            {"@type": "ContactPoint", "contactType": "address", "url": f"mau://192.0.2.1:8880{HERE}"},
            {"@type": "ContactPoint", "contactType": "address", "url": f"mau://[2001:db8::1]:1{HERE}"},
            {"@type": "ContactPoint", "contactType": "relay", "url": f"mau:/p2p/{BOB.hex}"},
        ],
        "url": "https://a.example/",
        "makesOffer": [
            {"@type": "Offer", "itemOffered": {"@type": "Service", "serviceType": "circuit-relay"}},
            {"@type": "Offer", "itemOffered": {"@type": "Service", "serviceType": "kademlia"}},
        ],
    }


def test_what_others_may_write_is_understood() -> None:
    found = read(
        url=[f"mau://one.example:1{HERE}", {"@id": "https://page.example/"}],
        contactPoint=point({"@id": f"MAU://Two.Example:2{HERE}/"}, None),
        makesOffer={"itemOffered": [{"serviceType": "kademlia"}, {"serviceType": "pizza"}]},
        identifier=["alice", f"OPENPGP4FPR:{ALICE.hex.upper()}"],
        knows="everybody",
    )
    assert found == ContactFacts(
        (("two.example", 2), ("one.example", 1)), (), "https://page.example/", False, True
    )


@pytest.mark.parametrize(
    "url",
    [
        f"mau://192.0.2.1:1/p2p/{BOB.hex}",
        f"mau://192.0.2.1:1{HERE}/post.pgp",
        f"mau://192.0.2.1{HERE}",
        f"mau://192.0.2.1:0{HERE}",
        f"mau://192.0.2.1:1{HERE}?x",
        f"mau://user@192.0.2.1:1{HERE}",
        f"mau://127.0.0.1:1{HERE}",
        f"mau://[::1]:1{HERE}",
        f"mau://localhost:1{HERE}",
        f"mau://169.254.1.1:1{HERE}",
        f"mau://[fe80::1%eth0]:1{HERE}",
        f"mau://0.0.0.0:1{HERE}",
        f"mau://224.0.0.1:1{HERE}",
        f"mau://[::ffff:127.0.0.1]:1{HERE}",
        f"mau:{HERE}",
        "ftp://192.0.2.1:1/",
        "x" * 600,
        "a\nb",
        7,
        None,
        ["mau:"],
    ],
)
def test_what_is_no_address_of_the_person_is_left_out(url: object) -> None:
    good = point(f"mau://192.0.2.9:9{HERE}")
    assert read(contactPoint=[point(url), good]) == ContactFacts((("192.0.2.9", 9),))


def test_nobody_is_a_relay_for_himself_and_a_post_is_none() -> None:
    points = [point(f"mau:{HERE}", "relay"), point(f"mau:/p2p/{BOB.hex}/x.pgp", "relay")]
    assert read(contactPoint=points) == NOTHING


def test_a_person_with_another_fingerprint_says_nothing_of_this_one() -> None:
    points = [point(f"mau://192.0.2.9:9{HERE}")]
    assert read(contactPoint=points, identifier=f"openpgp4fpr:{BOB.hex}") == NOTHING


def test_too_much_is_cut() -> None:
    points = [point(f"mau://192.0.2.1:{port}{HERE}") for port in range(1, 5000)]
    points[8:8] = [point(f"mau:/p2p/{bytes([number] * 20).hex()}", "relay") for number in range(50)]
    found = read(contactPoint=points)
    assert found.addresses == tuple(("192.0.2.1", port) for port in range(1, MAX_ADDRESSES + 1))
    assert len(found.relays) == MAX_RELAYS


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(
        ["address", "relay", f"mau://192.0.2.1:1{HERE}", f"mau://h.example:2{HERE}", "kademlia"]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["contactType", "url", "@id", "itemOffered", "serviceType", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(["contactPoint", "url", "identifier", "makesOffer"], json_values)
    )
)
def test_any_document_is_read_within_the_bounds(document: dict[str, Any]) -> None:
    found = read_contact(ALICE, document)
    assert len(found.addresses) <= MAX_ADDRESSES
    assert len(found.relays) <= MAX_RELAYS
    assert set(found.addresses) <= {("192.0.2.1", 1), ("h.example", 2)}


def test_only_a_person_under_that_name_is_a_contact_post() -> None:
    assert is_contact(CONTACT_NAME, {"@type": ["Thing", "http://schema.org/Person"]})
    assert not is_contact(CONTACT_NAME, {"@type": "SocialMediaPosting"})
    assert not is_contact(CONTACT_NAME, {"@type": {"@id": "Person"}})
    assert not is_contact("other.json.pgp", {"@type": "Person"})
    assert not is_contact(CONTACT_NAME, None)


# --- what is told ------------------------------------------------------------------------------------------


def test_addresses_of_the_own_network_are_told_only_when_they_are_stated_by_hand() -> None:
    near = [
        ("192.168.1.2", 1),
        ("10.0.0.1", 1),
        ("100.64.0.1", 1),
        ("fd00::1", 1),
        ("fe80::1%eth0", 1),
        ("169.254.0.1", 1),
        ("127.0.0.1", 1),
        ("::1", 1),
        ("localhost", 1),
        ("laptop", 1),
        ("laptop.local", 1),
        ("laptop.fritz.home.arpa", 1),
        ("::ffff:192.168.1.2", 1),
        circuit(BOB, ("relay.example.org", 1)),
    ]
    far = [("198.51.100.7", 1), ("2001:db8::7", 1), ("alice.example.org", 1)]
    assert tellable([*near, *far]) == tuple(far)
    assert tellable([*near, *far], near[:2]) == (*near[:2], *far)
    assert tellable(far, far[2:]) == (far[2], *far[:2])
    assert len(tellable([("alice.example.org", port) for port in range(1, 99)])) == MAX_ADDRESSES
