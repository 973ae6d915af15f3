"""The rules of spec/index.md are numbered without gaps, and the code names only rules that are there."""

from __future__ import annotations

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]


def test_rules_are_numbered_without_gaps_and_named_rightly() -> None:
    text = (CHECKOUT / "spec" / "index.md").read_text("utf-8")
    rules = [int(number) for number in re.findall(r"^- \*\*I(\d+)\*\*", text, re.MULTILINE)]
    assert rules == list(range(1, len(rules) + 1))
    for room in ("mau/tree/index", "tests/tree/index"):
        for path in (CHECKOUT / room).glob("*.py"):
            named = re.findall(r"\bI(\d+)\b(?=[),.;:-])", path.read_text("utf-8"))
            assert {int(number) for number in named} <= set(rules), path.name
