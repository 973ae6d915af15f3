"""The rules of spec/tree.md are numbered once each, and the code names only rules that are there."""

from __future__ import annotations

import re
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent.parent
LETTERS = "LNSVWKHRF"


def rules() -> list[str]:
    text = (CHECKOUT / "spec" / "tree.md").read_text("utf-8")
    return re.findall(rf"^- \*\*([{LETTERS}]\d+)\*\*", text, re.MULTILINE)


def test_rules_are_numbered_without_gaps() -> None:
    found = rules()
    counted = {letter: sum(rule[0] == letter for rule in found) for letter in LETTERS}
    assert found == [f"{letter}{number + 1}" for letter in LETTERS for number in range(counted[letter])]
    assert all(counted.values())


def test_the_code_names_only_rules_that_are_there() -> None:
    for path in (CHECKOUT / "mau" / "tree").glob("*.py"):
        text = re.sub(r"noqa:.*", "", path.read_text("utf-8"))
        named = re.findall(rf"\b([{LETTERS}]\d+)\b(?=[),.;:-])", text)
        named += [
            rule for pair in re.findall(rf"\b([{LETTERS}])(\d+)-\1?(\d+)\b", text) for rule in ends(*pair)
        ]
        assert set(named) <= set(rules()), path.name


def ends(letter: str, first: str, last: str) -> tuple[str, str]:
    return letter + first, letter + last
