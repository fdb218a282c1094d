"""Plans as data: solve a scenario once, read and change single values, check again."""

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from planner.api import load, solve
from planner.catalog.paths import data_dir
from planner.plan.schema import Plan
from planner.scenario import Scenario
from planner.verify.plan import Problem, verify_plan

HERE = Path(__file__).parent / "scenarios"
NAMES = ("services", "jobs", "offload", "lab")
Json = Any
Edit = Callable[[Json], None]


@cache
def scenario_of(name: str) -> Scenario:
    """The scenario of that name."""
    return load(path_of(name))


def path_of(name: str) -> Path:
    """Its file."""
    return data_dir("scenarios") / "lab.yaml" if name == "lab" else HERE / f"{name}.yaml"


@cache
def plan_of(name: str) -> Plan:
    """Its solved plan."""
    return solve(scenario_of(name))


def as_json(plan: Plan) -> Json:
    """The plan as it is saved."""
    return json.loads(plan.to_json())


def problems_after(name: str, edit: Edit) -> list[Problem]:
    """What is found in the solved plan once `edit` has changed it."""
    changed = copy.deepcopy(as_json(plan_of(name)))
    edit(changed)
    return verify_plan(scenario_of(name), Plan.model_validate_json(json.dumps(changed)))


def get(data: Json, path: str) -> Json:
    """Value at a path such as `workloads.chat.assignment.0.layout.tp`."""
    for step in path.split("."):
        data = _child(data, step)
    return data


def put(path: str, value: Json) -> Edit:
    """An edit that sets a value; a function is given the old one."""

    def edit(data: Json) -> None:
        above, _, last = path.rpartition(".")
        holder = get(data, above) if above else data
        key = _key(holder, last)
        holder[key] = value(holder[key]) if callable(value) else value

    return edit


def both(*edits: Edit) -> Edit:
    """Several edits, one after the other."""

    def edit(data: Json) -> None:
        for one in edits:
            one(data)

    return edit


def cents(more: int) -> Callable[[str], str]:
    """Money changed by some cents."""
    return lambda old: f"{(round(float(old) * 100) + more) / 100:.2f}"


def leaves(data: Json, path: str = "") -> Iterator[str]:
    """Paths of all values that are neither lists nor mappings."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, f"{path}.{key}" if path else key)
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from leaves(value, f"{path}.{number}")
    else:
        yield path


def _child(data: Json, step: str) -> Json:
    return data[_key(data, step)]


def _key(data: Json, step: str) -> Json:
    """Key of a mapping, or place in a list by number or by the name of the item."""
    if not isinstance(data, list):
        return step
    if step.isdigit():
        return int(step)
    return next(i for i, item in enumerate(data) if step in (item.get("name"), item.get("pool")))
