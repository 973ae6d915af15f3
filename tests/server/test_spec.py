"""spec/http.yaml is a description that other programs can read, and has the rules that are named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

CHECKOUT = Path(__file__).parents[2]
TEXT = (CHECKOUT / "spec" / "http.yaml").read_text("utf-8")
PAPER: dict[str, Any] = yaml.safe_load(TEXT)
RULES = [int(number) for number in re.findall(r"^ *- \*\*H([0-9]+)\*\* ", TEXT, re.M)]


def test_it_is_openapi() -> None:
    validate(PAPER)


def test_each_rule_has_a_number_of_its_own() -> None:
    assert len(RULES) > 50
    assert len(set(RULES)) == len(RULES)


@pytest.mark.parametrize(
    "file",
    [CHECKOUT / "README.md", CHECKOUT / "spec", CHECKOUT / "mau", CHECKOUT / "cmd"],
    ids=lambda path: path.name,
)
def test_a_rule_that_is_named_is_there(file: Path) -> None:
    files = [file] if file.is_file() else [*file.rglob("*.py"), *file.rglob("*.md")]
    named = {
        int(number)
        for path in files
        for where in re.findall(r"http\.yaml`?\)?,? ?((?:H[0-9]+(?:, |-| and )?)+)", path.read_text("utf-8"))
        for number in re.findall("H([0-9]+)", where)
    } | {int(number) for number in re.findall(r"\bH([0-9]{2})\b", TEXT)}
    assert named <= set(RULES)


def test_the_examples_are_what_they_show() -> None:
    components = PAPER["components"]
    shown = [(one["schema"], one["example"]) for one in components["parameters"].values() if "example" in one]
    shown += [(one["schema"], one["example"]) for one in components["headers"].values() if "example" in one]
    listing = PAPER["paths"]["/p2p/{fpr}"]["get"]["responses"]["200"]["content"]["application/json"]
    shown += [(listing["schema"], one["value"]) for one in listing["examples"].values()]
    problem = components["responses"]["Problem"]["content"]["application/problem+json"]
    shown.append((problem["schema"], problem["example"]))
    assert len(shown) > 15
    for schema, example in shown:
        # The names of the schemas are looked up where the document has them.
        Draft202012Validator({**schema, "components": components}).validate(example)


def test_whatever_can_be_got_can_be_asked_for_without_its_body() -> None:
    for path, operations in PAPER["paths"].items():
        if path == "/invite/{token}":  # nothing is got there
            assert not {"get", "head"} & set(operations)
            continue
        assert {"get", "head"} <= set(operations), path
        answers = set(operations["get"]["responses"]) - {"206", "405", "416"}
        assert set(operations["head"]["responses"]) == answers, path
        for answer in operations["head"]["responses"].values():
            name = answer.get("$ref", "").rpartition("/")[2]
            assert "content" not in (PAPER["components"]["responses"][name] if name else answer)
