"""Documents of others are read in bounded time and depth, and never make us fetch anything."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mau.content.jsonld import (
    MAX_DEPTH,
    MAX_DOCUMENT,
    MAX_EXPANDED,
    count_values,
    doubled,
    expand,
    known_context,
    parse,
)
from mau.errors import MalformedPost

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


@given(st.dictionaries(st.text(), json_values))
def test_every_json_object_is_read_as_json_reads_it(document: dict[str, Any]) -> None:
    assert parse(json.dumps(document).encode()) == document


@given(st.binary() | st.binary().map(lambda tail: b"{" + tail))
def test_any_bytes_are_an_object_or_none(data: bytes) -> None:
    assert isinstance(parse(data), dict | None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'"x"',
        b"{",
        b'{"a":1}{}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":"\x01"}',
        b'{"a":1} ' + b" " * MAX_DOCUMENT,
    ],
)
def test_what_is_no_json_object_in_utf8(data: bytes) -> None:
    assert parse(data) is None


def test_depth_is_counted_outside_of_strings_and_before_parsing() -> None:
    def nested(depth: int) -> bytes:
        return b'{"x":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"

    assert parse(nested(MAX_DEPTH)) is not None
    assert parse(nested(MAX_DEPTH + 1)) is None
    assert parse(b'{"x":"' + b"[{" * 10_000 + b'"}') is not None
    assert parse(b'{"x":"\\"' + b"[" * 10_000 + b'"}') is not None
    assert parse(b"{" + b",".join(b'"%d":[]' % number for number in range(1000)) + b"}") is not None


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":' * 200_000,
        b'{"a":"' + b'\\"' * 500_000,
        b'{"a":"' + b'\\"[{' * 250_000 + b"\\",
        b'{"a":' + b"[" * 1_000_000,
        b'{"a":[' + b"[]," * 300_000 + b"0]}",
        b"{" + b" " * 1_000_000 + b"}",
        b'{"a":' + b"1" * 1_000_000 + b"}",
        b'{"a":-' + b"1" * 1_000_000 + b"}",
        b'{"a":1e' + b"9" * 1_000_000 + b"}",
    ],
    ids=range(9),
)
def test_hostile_documents_take_no_time(data: bytes) -> None:
    began = time.process_time()
    parse(data)
    assert time.process_time() - began < 3


def test_nesting_is_refused_whatever_the_stack_has_left() -> None:
    def deeper(levels: int) -> dict[str, Any] | None:
        return deeper(levels - 1) if levels else parse(b'{"a":' * 60 + b"1" + b"}" * 60)

    assert deeper(sys.getrecursionlimit() - 300) is not None


def test_large_numbers_keep_their_sign() -> None:
    document = parse(
        b'{"a":' + b"9" * 5000 + b',"b":-' + b"9" * 5000 + b',"c":123456789012345678901234567890}'
    )
    assert document == {"a": float("inf"), "b": float("-inf"), "c": 123456789012345678901234567890}


def test_keys_given_twice_are_known() -> None:
    document = parse(b'{"a":1,"b":{"c":1,"c":2},"a":2}')
    assert document is not None
    assert document["a"] == 2
    assert doubled(document) == {"a"}
    assert doubled(document["b"]) == {"c"}
    assert doubled({"a": 1}) == frozenset()
    assert doubled("a") == frozenset()


@pytest.mark.parametrize(
    "context",
    [
        "https://schema.org",
        "https://schema.org/",
        "http://schema.org",
        "http://schema.org/",
        ["https://schema.org"],
        ["http://schema.org/", "https://schema.org"],
    ],
)
def test_contexts_that_are_acted_upon(context: Any) -> None:
    assert known_context({"@context": context})


@pytest.mark.parametrize(
    "context",
    [
        None,
        {},
        [],
        "",
        "https://schema.org/docs/jsonldcontext.jsonld",
        "https://www.schema.org",
        "HTTPS://schema.org",
        "https://example.org/context",
        {"@vocab": "https://schema.org/"},
        ["https://schema.org", {"@language": "en"}],
        ["https://schema.org", "https://example.org/context"],
        [["https://schema.org"]],
        7,
    ],
)
def test_contexts_that_are_not(context: Any) -> None:
    assert not known_context({"@context": context})


def test_expansion_knows_the_bundled_words_and_keeps_others() -> None:
    document = {
        "@context": "http://schema.org/",
        "type": "SocialMediaPosting",
        "id": "x.pgp",
        "url": "y",
        "newWord": "kept",
    }
    [node] = expand(document, "mau:/p2p/" + "a" * 40 + "/")
    base = "mau:/p2p/" + "a" * 40
    assert node["@id"] == f"{base}/x.pgp"
    assert node["@type"] == ["http://schema.org/SocialMediaPosting"]
    assert node["http://schema.org/url"] == [{"@id": f"{base}/y"}]
    assert node["http://schema.org/newWord"] == [{"@value": "kept"}]


@pytest.mark.parametrize(
    "context",
    [
        "https://example.org/context",
        "http://127.0.0.1:1/x",
        "file:///etc/passwd",
        "relative",
        {"@import": "https://example.org/context"},
        {"x": {"@id": "schema:x", "@context": "https://example.org/context"}},
    ],
)
def test_no_document_makes_us_fetch_anything(context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def dialled(*_: Any, **__: Any) -> Any:
        raise AssertionError("something dialled out")

    monkeypatch.setattr(socket.socket, "connect", dialled)
    monkeypatch.setattr(socket, "getaddrinfo", dialled)
    with pytest.raises(MalformedPost):
        expand({"@context": context, "x": {"@id": "y"}, "@type": "T"}, "mau:/p2p/x/")


def test_expansion_has_an_end() -> None:
    wide = {"@context": "https://schema.org", "audience": [{"@id": "a"}] * MAX_EXPANDED}
    with pytest.raises(MalformedPost):
        expand(wide, "mau:/p2p/x/")
    assert count_values(wide, 10) < 10 + 2 * MAX_EXPANDED
    assert count_values({"a": [1, 2]}, 10) == 5


@given(
    st.dictionaries(
        st.sampled_from(["@id", "@type", "@graph", "@set", "@list", "@value", "@language", "a"]), json_values
    )
)
def test_expansion_ends_in_a_list_or_one_error(document: dict[str, Any]) -> None:
    with contextlib.suppress(MalformedPost):
        assert isinstance(expand({"@context": "https://schema.org", **document}, "mau:/p2p/x/"), list)
