"""The published JSON Schema agrees with what planner accepts, under a real draft-07 validator."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from planner.catalog.paths import data_dir
from planner.cli.schema import schema_text
from planner.diagnostics import DiagnosticError
from planner.scenario.describe import all_docs
from planner.scenario.json_schema import scenario_schema
from planner.scenario.located import parse_located
from scenario.conftest import BASE
from scenario.mistakes import MISTAKES

DOCS = Path(__file__).parent.parent.parent / "docs"
SHAPE = [m for m in MISTAKES if m[2] in ("P101", "P102", "P110") and "\n---" not in m[1]]
UNSEEN = {
    # What a schema can't say: calendar days, zero with a unit.
    "soon", "today", "2027-13-01", "31.12.2027", "0 GiB",
}  # fmt: skip


def for_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: for_json(v) for k, v in value.items()}
    if isinstance(value, list):
        return [for_json(v) for v in value]
    return value.isoformat() if isinstance(value, date) else value


def errors(text: str) -> list[str]:
    validator = jsonschema.Draft7Validator(scenario_schema())
    data = for_json(parse_located(text, "f.yaml").plain())
    return [e.message for e in validator.iter_errors(data)]


def test_schema_is_valid_draft_07() -> None:
    jsonschema.Draft7Validator.check_schema(scenario_schema())
    assert "$defs" not in schema_text()
    assert scenario_schema()["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_published_schema_is_current() -> None:
    published = (DOCS / "scenario.schema.json").read_text("utf-8")
    assert published == schema_text(), "run: planner schema -o docs/scenario.schema.json"


def test_base_is_valid() -> None:
    assert errors(BASE) == []


@pytest.mark.parametrize(
    "path", sorted(data_dir("scenarios").rglob("*.yaml")), ids=lambda p: p.name
)
def test_shipped_scenarios_are_valid(path: Path) -> None:
    text = path.read_text("utf-8")
    assert errors(text) == []
    target = text.splitlines()[0].partition("$schema=")[2]
    if (DOCS.parent / "scenarios") in path.parents:
        assert (path.parent / target).resolve() == (DOCS / "scenario.schema.json").resolve()


@pytest.mark.parametrize("mistake", SHAPE, ids=lambda m: f"{m[2]}-{m[3]}")
def test_shape_mistakes_are_invalid(mistake: tuple[str, str, str, str, str]) -> None:
    old, new, _, at, _ = mistake
    try:
        found = errors(BASE.replace(old, new))
    except DiagnosticError:
        pytest.fail("not YAML")
    assert found or at in UNSEEN


def test_every_key_is_documented_with_type_and_example() -> None:
    for doc in all_docs():
        assert len(doc.description) >= 4, doc.path
        assert doc.description.endswith("."), doc.path
        assert doc.type != "value", doc.path
        assert doc.example or doc.keys or doc.path.startswith(("models.moe", "models.mla")), (
            doc.path
        )


def test_examples_are_valid_against_the_schema() -> None:
    schema = scenario_schema()
    definitions = schema["definitions"]
    assert isinstance(definitions, dict)
    for name, part in [("", schema), *definitions.items()]:
        assert isinstance(part, dict)
        properties = part["properties"]
        assert isinstance(properties, dict)
        for key, entry in properties.items():
            assert isinstance(entry, dict)
            scoped = {**entry, "definitions": definitions}
            for example in entry.get("examples", []):  # type: ignore[union-attr]
                if key in ("workloads", "demand"):
                    continue  # shown short, or with numbers such as 2e6 as text
                value = json.loads(json.dumps(example))
                if (
                    isinstance(value, str)
                    and value[:1].isdigit()
                    and "e" in value
                    and " " not in value
                ):
                    value = float(value)
                assert jsonschema.Draft7Validator(scoped).is_valid(value), (name, key, example)
