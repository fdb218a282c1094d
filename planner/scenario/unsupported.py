"""What the scenario format has but the optimizer cannot use yet: refused with a clear message, never ignored.

`UNSUPPORTED` is the one table of it; what becomes supported is removed here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from planner.diagnostics import Diagnostic, Severity
from planner.scenario.located import Located
from planner.scenario.paths import Step, path_text
from planner.units import MONTH_S, UnitError, parse


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A field, or a use of it, that planner does not take into account yet."""

    path: str
    """Path with `[]` for each list."""
    what: str
    instead: str
    applies: Callable[[Located, Located], bool] = lambda value, parent: True
    """Whether this value, inside this mapping, is the unsupported use."""


def _is_list(value: Located, parent: Located) -> bool:
    return value.items is not None


def _committed(value: Located, parent: Located) -> bool:
    return value.scalar != "none"


def _shorter_than_length(value: Located, parent: Located) -> bool:
    length = _seconds((parent.mapping or {}).get("length"))
    step = _seconds(value)
    return length is not None and step is not None and step < length


def _not_a_month(value: Located, parent: Located) -> bool:
    length = _seconds(value)
    return length is not None and length != MONTH_S


def _seconds(value: Located | None) -> Fraction | None:
    try:
        return parse(value.scalar, "duration") if value and isinstance(value.scalar, str) else None
    except UnitError:
        return None


_PER_PERIOD = "give one value for the whole horizon"
UNSUPPORTED: Final = (
    Unsupported(
        "inventory[].buy", "buying nodes", "describe nodes you would buy as `owned` or `rent`"
    ),
    Unsupported(
        "inventory[].ordered", "ordered nodes", "count nodes that have arrived under `owned`"
    ),
    Unsupported("inventory[].rent.commit", "commitments", "write `commit: none`", _committed),
    Unsupported("inventory[].rent[].commit", "commitments", "write `commit: none`", _committed),
    Unsupported(
        "inventory[].node.power",
        "the power of a node",
        "remove `power`: planner reckons with the TDP of the GPUs",
    ),
    Unsupported(
        "horizon.length",
        "a horizon other than a month",
        "write `length: 1 month`, or remove `horizon`",
        _not_a_month,
    ),
    Unsupported(
        "horizon.period",
        "a horizon of several periods",
        "make `period` as long as `length`",
        _shorter_than_length,
    ),
    Unsupported(
        "horizon.slot", "a horizon of several slots", "remove `slot`", _shorter_than_length
    ),
    Unsupported("limits.capex", "a limit per period", _PER_PERIOD, _is_list),
    Unsupported("limits.opex", "a limit per period", _PER_PERIOD, _is_list),
    Unsupported("limits.power", "a limit per period", _PER_PERIOD, _is_list),
    Unsupported("workloads[].demand", "demand per period", _PER_PERIOD, _is_list),
    Unsupported("workloads[].demand.growth", "growing demand", _PER_PERIOD),
)
"""Everything that is refused for now."""


def find_unsupported(root: Located) -> list[Diagnostic]:
    """A diagnostic for each unsupported use in a scenario."""
    found = []
    for entry in UNSUPPORTED:
        for steps, value, parent in _matches(root, entry.path):
            if entry.applies(value, parent):
                key = str(steps[-1])
                found.append(
                    Diagnostic(
                        "P104",
                        Severity.ERROR,
                        f"not supported yet: {entry.what} (`{path_text(steps)}`)",
                        parent.keys.get(key, value.span),
                        help=(entry.instead,),
                    )
                )
    return found


def unsupported_at(root: Located) -> set[tuple[Step, ...]]:
    """Paths of all unsupported uses, so that validation does not report them twice."""
    return {
        tuple(steps)
        for entry in UNSUPPORTED
        for steps, value, parent in _matches(root, entry.path)
        if entry.applies(value, parent)
    }


def _matches(root: Located, path: str) -> Iterator[tuple[list[Step], Located, Located]]:
    """Places of a pattern: the steps, the value, and the mapping that holds it."""
    places: list[tuple[list[Step], Located, Located]] = [([], root, root)]
    for part in path.split("."):
        name, is_list = part.removesuffix("[]"), part.endswith("[]")
        below = []
        for steps, node, _ in places:
            value = (node.mapping or {}).get(name)
            if value is None:
                continue
            if is_list:
                items = value.items or []
                below += [([*steps, name, i], item, node) for i, item in enumerate(items)]
            else:
                below.append(([*steps, name], value, node))
        places = below
    yield from places
