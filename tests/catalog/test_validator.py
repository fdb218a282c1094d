"""The quick validators give what pydantic's own give: the same records, and the same errors at the same places."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scenario.conftest import BASE
from scenario.mistakes import MISTAKES

from planner.catalog.engine_records import ServingEngine
from planner.catalog.frameworks import TrainingFramework
from planner.catalog.records import Gpu, Model, NodeType
from planner.catalog.speed_records import LinkData, ServingData, TrainingData
from planner.catalog.validator import validate
from planner.diagnostics import DiagnosticError
from planner.scenario.located import parse_located
from planner.scenario.schema_file import ScenarioFile

ROOT = Path(__file__).resolve().parents[2]
RECORDS = {"gpus": Gpu, "models": Model, "nodes": NodeType}


def outcome(check, data: object) -> object:
    try:
        return check(data)
    except ValidationError as error:
        return error.title, error.errors(include_url=False, include_context=False)


def compare(cls: type[BaseModel], data: object) -> object:
    ours, theirs = outcome(lambda d: validate(cls, d), data), outcome(cls.model_validate, data)
    assert ours == theirs
    if isinstance(ours, BaseModel):
        assert ours.model_fields_set == theirs.model_fields_set
    return ours


@pytest.mark.parametrize("file", sorted((ROOT / "scenarios").glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_scenarios(file: Path) -> None:
    found = compare(ScenarioFile, parse_located(file.read_text("utf-8"), file.name).plain())
    assert isinstance(found, ScenarioFile)


def test_mistakes_in_scenarios() -> None:
    refused = 0
    for old, new, *_ in MISTAKES:
        try:
            data = parse_located(BASE.replace(old, new), "x.yaml", repeated=[]).plain()
        except DiagnosticError:
            continue  # not even YAML
        refused += not isinstance(compare(ScenarioFile, data), ScenarioFile)
    assert refused > 50


@pytest.mark.parametrize(
    "text", ["1", "[]", "{}", "workloads: [{kind: x}, 3, {}]", "models: {m: 4}"]
)
def test_other_shapes(text: str) -> None:
    assert not isinstance(compare(ScenarioFile, yaml.safe_load(text)), ScenarioFile)


@pytest.mark.parametrize("folder", RECORDS)
def test_records_and_each_key_missing_or_wrong(folder: str) -> None:
    cls = RECORDS[folder]
    for path in sorted((ROOT / "catalogs" / folder).glob("*.yaml"))[:12]:
        data = yaml.safe_load(path.read_text("utf-8"))
        assert isinstance(compare(cls, data), cls)
        for key in data:
            compare(cls, {k: v for k, v in data.items() if k != key})
            compare(cls, {**data, key: {"no": [1]}})
            compare(cls, {**data, key: -1})
    compare(cls, {"nonsense": 1})


def test_frameworks() -> None:
    for path in (ROOT / "catalogs" / "frameworks").glob("*.yaml"):
        data = yaml.safe_load(path.read_text("utf-8"))
        assert isinstance(compare(TrainingFramework, data), TrainingFramework)


class Odd(BaseModel):
    model_config = ConfigDict(defer_build=True)

    pattern: Annotated[str, Field(pattern="^a+$")] = "a"
    """A mark that the quick way does not know."""
    where: Path = Path("x")
    """A type that it does not know."""
    names: dict[str, int] = Field(default_factory=dict)
    either: Literal["a"] | int | None = None


@pytest.mark.parametrize(
    "data",
    [
        {"pattern": "aa", "where": "y", "names": {"a": "1"}, "either": 3, "ignored": 1},
        {},
        {"pattern": "b", "where": 3, "names": {"a": "x"}, "either": "b"},
    ],
)
def test_what_it_does_not_know_is_left_to_pydantic(data: dict[str, object]) -> None:
    compare(Odd, data)


def test_defaults_are_not_shared() -> None:
    one, other = validate(Odd, {}), validate(Odd, {})
    one.names["a"] = 1
    assert other.names == {}


@pytest.mark.parametrize(
    ("name", "cls"), [("links", LinkData), ("training", TrainingData), ("serving", ServingData)]
)
def test_speed_data(name: str, cls: type[BaseModel]) -> None:
    data = yaml.safe_load((ROOT / "catalogs" / "speed" / f"{name}.yaml").read_text("utf-8"))
    assert isinstance(compare(cls, data), cls)
    for key in data:
        compare(cls, {**data, key: 0})


def test_engines() -> None:
    for path in (ROOT / "catalogs" / "engines").glob("*.yaml"):
        compare(ServingEngine, yaml.safe_load(path.read_text("utf-8")))
