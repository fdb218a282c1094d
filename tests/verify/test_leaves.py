"""No number or name of a plan is free: any of them changed alone is found."""

import math
from collections.abc import Callable

import pytest

from tests.verify.edit import Json, as_json, get, leaves, plan_of, problems_after, put

WORDS = {
    "summary",
    "binding",
    "defaults",
    "text",
    "formula",
    "usable_formula",
    "tag",
    "limit",
    "start",
    "end",
}
"""Explanations for people; they decide nothing and are not derived again."""
PARTS = ("scenario", "status", "cost", "bound", "gap", "workloads", "pools")
"""Parts of the plan that say what to do and what it costs."""


def _checked(name: str) -> list[str]:
    data = {key: value for key, value in as_json(plan_of(name)).items() if key in PARTS}
    return [path for path in leaves(data) if not WORDS & set(path.split("."))]


def _other(path: str) -> Callable[[Json], Json]:
    """Changes a value so that it is certainly wrong: another GPU could be just as free, one beyond the node is not."""
    if path.endswith(".turns_on"):
        return lambda value: "nobody"
    seat = ".placement." in path and ".gpus." in path
    return lambda value: value + 1000 if seat else _unlike(value)


def _unlike(value: Json) -> Json:
    """A value of the same type that is certainly not the same."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value * 1.25 + 0.5
    if value is None:
        return 1.0
    try:
        return f"{float(value) + 0.01:.2f}"
    except ValueError:
        return "proven" if value != "proven" else "unknown"


@pytest.mark.parametrize("name", ["services", "jobs", "offload"])
def test_every_value_counts(name: str) -> None:
    missed = [p for p in _checked(name) if not problems_after(name, put(p, _other(p)))]
    assert missed == []


@pytest.mark.parametrize("name", ["services", "offload"])
def test_no_number_passes_as_nan_or_infinite(name: str) -> None:
    floats = [p for p in _checked(name) if isinstance(get(as_json(plan_of(name)), p), float)]
    assert floats
    for path in floats:
        for bad in (math.inf, -math.inf):
            assert problems_after(name, put(path, bad)), path
