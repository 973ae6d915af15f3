"""spec/reading.md and the code name the same rules."""

from __future__ import annotations

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PAPER = (CHECKOUT / "spec" / "reading.md").read_text()


def rules() -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for letter, number in re.findall(r"^- \*\*([A-Z]+)(\d+)\*\*", PAPER, re.MULTILINE):
        found.setdefault(letter, []).append(int(number))
    return found


def test_the_rules_are_numbered_without_gaps() -> None:
    assert list(rules()) == ["RE", "RU", "RL", "RA"]
    for numbers in rules().values():
        assert numbers == list(range(1, len(numbers) + 1))


def test_the_code_names_rules_that_there_are() -> None:
    known = {f"{letter}{number}" for letter, numbers in rules().items() for number in numbers}
    for place in ("contents", "crew", "image", "judging", "notes", "places", "timeline", "upkeep", "written"):
        text = (CHECKOUT / "mau" / "reader" / f"{place}.py").read_text().partition('"""\n')[0]
        named = set(re.findall(r"\bR[EULA]\d+\b", text))
        assert named, place
        assert named <= known, place
