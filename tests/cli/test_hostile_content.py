"""Hostile documents, signed and sent like any post: inert and bounded wherever they are shown.

On a terminal, in a pipe, as JSON; the pages for browsers have the same in `tests/web`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

import pytest

from mau.content.binding import PUBLIC, bind_document
from tests.cli.desk import Desk, desk, trees, world
from tests.publish.world import YESTERDAY, Someone, message

__all__ = ["desk", "trees", "world"]

CLEAR = "\x1b[2J\x1b]0;title\x07\x9b31m"
TURN = "\u202e\u2066\u200f"
ENTITIES = "&#x1b;[2J &#x202e; &#155;31m &NewLine; &#0;"
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)><!--"
OURS = re.compile(r"\x1b\[[0-9]{1,2}m|\x1b_Gi=31[^\x1b]*\x1b\\|\x1b\[16t|\x1b\[c")
"""Styles, and what a terminal is asked when there are pictures."""


def nested(depth: int) -> Any:
    value: Any = "deep"
    for number in range(depth):
        value = {"name": value} if number % 2 else [value]
    return value


DOCUMENTS: dict[str, dict[str, Any]] = {
    "escapes": {
        "@type": f"Note{CLEAR}",
        "headline": CLEAR,
        "articleBody": f"{CLEAR}\n{ENTITIES}",
        CLEAR: CLEAR,
    },
    "turned": {
        "@type": "Event",
        "name": TURN,
        "description": f"{TURN}[good]({TURN})",
        "location": {"name": TURN},
    },
    "scripts": {
        "@type": "Article",
        "headline": SCRIPT,
        "articleBody": f"{SCRIPT}\n\n[x](javascript:alert(1))",
    },
    "heads": {"@type": "Message", "text": "x\nalice, now, for you  fake.pgp\n" + "y" * 500 + "\rcarol, now"},
    "piled": {"@type": "SocialMediaPosting", "articleBody": "Z" + "\u0301" * 5000},
    "brackets": {"@type": "SocialMediaPosting", "articleBody": "![" * 10_000},
    "nested": {"@type": "Recipe", "name": "x", "recipeInstructions": nested(58), "x": nested(58)},
    "many": {"@type": "Person", "name": "x", **{f"w{number}": number for number in range(20_000)}},
    "long": {"@type": "Collection", "name": "x" * 100_000, "hasPart": ["y" * 5000] * 150},
    "streams": {
        "@context": "https://www.w3.org/ns/activitystreams",
        "type": "Note",
        "content": "<a " * 100_000 + ENTITIES,
    },
}


@pytest.fixture
def hostile(desk: Desk) -> Desk:
    """Alice's tree with these posts of Bob's."""
    alice, bob = desk.world.alice, desk.world.bob
    for name, document in DOCUMENTS.items():
        _put(alice, bob, f"{name}.json.pgp", document)
    return desk


def _put(reader: Someone, author: Someone, name: str, document: dict[str, Any]) -> None:
    if "@context" not in document:
        document = bind_document(document, author.fpr, name, PUBLIC)
    data = json.dumps(document).encode()
    reader.put(author, name, message(author.key, data, None, created=YESTERDAY + len(name)))


def inert(text: str) -> bool:
    """Nothing in it steers a terminal or cannot be seen."""
    return not {unicodedata.category(one) for one in text} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_in_lists(hostile: Desk) -> None:
    alice = hostile.world.alice
    listed = hostile.mau(alice, "timeline", "--all").text
    heads = [line for line in listed.split("\n") if line and not line.startswith(" ")]
    assert len(heads) == len(DOCUMENTS)
    assert all(re.fullmatch(r"bob, [-0-9 :+]+, for .* [a-z]+\.json\.pgp", head) for head in heads)
    assert all(map(inert, listed.split("\n")))
    assert len(listed) < 3000 * len(DOCUMENTS)
    lines = hostile.mau(alice, "timeline", "--all", "--json").text.splitlines()
    assert {json.loads(line)["name"] for line in lines} == {f"{name}.json.pgp" for name in DOCUMENTS}
    assert all(line.isascii() and line.isprintable() for line in lines)


@pytest.mark.parametrize("name", ["escapes", "brackets"])
def test_on_a_terminal(hostile: Desk, name: str) -> None:
    shown = OURS.sub("", hostile.terminal(hostile.world.alice, "open", "bob", f"{name}.json"))
    assert all(inert(line.rstrip("\r")) for line in shown.split("\n"))
    assert "\\x1b[2J" in shown or name != "escapes"


def test_as_text_in_a_pipe(hostile: Desk) -> None:
    for name in ("turned", "long"):
        done = hostile.mau(hostile.world.alice, "open", "bob", f"{name}.json", "--as", "text")
        assert all(map(inert, done.text.split("\n")))
        assert max(map(len, done.text.split("\n"))) <= 80
        assert len(done.text) < 400_000
