"""What the scenario format has but the optimizer cannot use yet: refused with a clear message, never ignored.

`UNSUPPORTED` is the one table of it; what becomes supported is removed here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Final, NamedTuple

from planner.diagnostics import Diagnostic, Severity
from planner.scenario.located import Located
from planner.scenario.paths import Step, path_text
from planner.units import UnitError, parse


class Unsupported(NamedTuple):
    """A field, or a use of it, that planner does not take into account yet."""

    path: str
    """Path with `[]` for each list."""
    what: str
    instead: str
    applies: Callable[[Located, Located], bool] = lambda value, parent: True
    """Whether this value, inside this mapping, is the unsupported use."""
    with_horizon: bool = False
    """Supported where the scenario has a `horizon`."""


def _is_list(value: Located, parent: Located) -> bool:
    return value.items is not None


def _committed(value: Located, parent: Located) -> bool:
    return value.scalar != "none"


def _shorter_than_length(value: Located, parent: Located) -> bool:
    length = _seconds((parent.mapping or {}).get("length"))
    step = _seconds(value)
    return length is not None and step is not None and step < length


def _seconds(value: Located | None) -> Fraction | None:
    try:
        return parse(value.scalar, "duration") if value and isinstance(value.scalar, str) else None
    except UnitError:
        return None


_PER_PERIOD = "give one value for the whole horizon"
_NO_GROWTH = "give a `horizon`, or remove `growth`"
_ONE = "give a `horizon`, or one value"
_NO_COMMIT = "give a `horizon`, or write `commit: none`"
UNSUPPORTED: Final = (
    Unsupported(
        "inventory[].buy", "buying nodes without a `horizon`",
        "give a `horizon`, or describe nodes you would buy as `owned` or `rent`", with_horizon=True,
    ),
    Unsupported(
        "inventory[].ordered", "ordered nodes without a `horizon`",
        "give a `horizon`, or count nodes that have arrived under `owned`", with_horizon=True,
    ),
    Unsupported(
        "inventory[].contracts", "contracts without a `horizon`",
        "give a `horizon`, or count the nodes under `owned`", with_horizon=True,
    ),
    Unsupported(
        "inventory[].rent.commit", "commitments without a `horizon`", _NO_COMMIT, _committed, with_horizon=True,
    ),
    Unsupported(
        "inventory[].rent[].commit", "commitments without a `horizon`", _NO_COMMIT, _committed, with_horizon=True,
    ),
    Unsupported(
        "horizon.slot", "a horizon of several slots", "remove `slot`", _shorter_than_length
    ),
    Unsupported("limits.capex", "a limit per period without a `horizon`", _PER_PERIOD, _is_list, with_horizon=True),
    Unsupported("limits.opex", "a limit per period without a `horizon`", _PER_PERIOD, _is_list, with_horizon=True),
    Unsupported("limits.power", "a limit per period without a `horizon`", _PER_PERIOD, _is_list, with_horizon=True),
    *(
        Unsupported(path, "a list with one value per period without a `horizon`", _ONE, _is_list, with_horizon=True)
        for path in (
            "energy.price", "inventory[].owned.available", "inventory[].rent.price", "inventory[].rent[].price",
            "inventory[].rent.max_nodes", "inventory[].rent[].max_nodes",
        )
    ),
    *(
        Unsupported(path, "a growing price without a `horizon`", _NO_GROWTH, with_horizon=True)
        for path in ("energy.growth", "inventory[].rent.growth", "inventory[].rent[].growth")
    ),
    Unsupported(
        "limits.rack_units", "a limit per period without a `horizon`", _PER_PERIOD, _is_list, with_horizon=True,
    ),
    Unsupported(
        "workloads[].demand", "a list of demands",
        "give one demand, and its share in each period as `periods: [100 %, 120 %]`", _is_list,
    ),
    Unsupported("uncertainty", "uncertainty without a `horizon`", "give a `horizon`, or remove it", with_horizon=True),
    Unsupported("workloads[].demand.growth", "growing demand without a `horizon`", _PER_PERIOD, with_horizon=True),
    Unsupported("workloads[].demand.periods", "demand per period without a `horizon`", _PER_PERIOD, with_horizon=True),
)  # fmt: skip
"""Everything that is refused for now."""


def _refused(root: Located) -> tuple[Unsupported, ...]:
    """The entries that hold for this scenario."""
    has_horizon = "horizon" in (root.mapping or {})
    return tuple(e for e in UNSUPPORTED if not (e.with_horizon and has_horizon))


def find_unsupported(root: Located) -> list[Diagnostic]:
    """A diagnostic for each unsupported use in a scenario."""
    found = []
    for entry in _refused(root):
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
        for entry in _refused(root)
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
