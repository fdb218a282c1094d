"""Contradictions between the horizon, its periods, and what is given per period."""

from __future__ import annotations

from collections.abc import Iterator

from planner.diagnostics import Diagnostic
from planner.scenario.checks_lists import check_lists
from planner.scenario.checks_offers import item_place
from planner.scenario.clash import clash
from planner.scenario.located import Located
from planner.scenario.paths import Step
from planner.scenario.periods import in_whole_months, period_s
from planner.scenario.schema_file import Horizon, ScenarioFile
from planner.scenario.schema_supply import Pool
from planner.units import DAY_S, duration

MOST_PERIODS = 60


def check_horizon(spec: ScenarioFile, root: Located) -> Iterator[Diagnostic]:
    """Contradictions of a scenario with a horizon."""
    horizon = spec.horizon
    assert horizon is not None
    problems = list(_lengths(horizon, root))
    yield from problems
    if problems:
        return
    count = int(horizon.length / period_s(horizon))
    for index, pool in enumerate(spec.inventory):
        yield from _pool(pool, horizon, ["inventory", index], root)
    yield from check_lists(spec, count, root)
    for key in ("demand", "prices"):
        values = getattr(spec.uncertainty, key, None)
        if values is not None and (len(values) != 2 or not 0 < values[0] <= 1 <= values[1]):
            yield clash(
                root, ["uncertainty", key], f"`{key}` is not a low and a high share around 100 %",
                help=f"write it like `{key}: [80 %, 120 %]`",
            )  # fmt: skip


def _lengths(horizon: Horizon, root: Located) -> Iterator[Diagnostic]:
    for key in ("slot", "period"):
        step = getattr(horizon, key)
        if step is not None and step > horizon.length:
            yield clash(
                root, ["horizon", key], f"`{key}` is longer than the horizon", ["horizon", "length"],
                help=f"write a shorter `{key}`, or remove it",
            )  # fmt: skip
            return
    step = period_s(horizon)
    place = ["horizon", "period" if horizon.period else "length"]
    if not in_whole_months(step) and step % DAY_S:
        yield clash(
            root, place, "a period is neither whole months nor whole days",
            help="write it like `1 month`, `1 quarter`, `4 weeks` or `10 d`",
        )  # fmt: skip
    elif horizon.length % step:
        yield clash(
            root, ["horizon", "length"], "the horizon is no whole number of periods", place,
            help="choose a `length` that is a multiple of `period`, in the same unit",
        )  # fmt: skip
    elif horizon.length / step > MOST_PERIODS:
        yield clash(
            root, place, f"more than {MOST_PERIODS} periods", ["horizon", "length"],
            help="write a longer `period` or a shorter `length`",
        )  # fmt: skip


def _pool(pool: Pool, horizon: Horizon, steps: list[Step], root: Located) -> Iterator[Diagnostic]:
    step = period_s(horizon)
    for number, rent in enumerate(pool.rent):
        place = item_place(root, [*steps, "rent"], number)
        if rent.commit == "none":
            if rent.upfront:
                yield clash(
                    root, [*place, "upfront"], "`upfront` without a commitment",
                    help="give `commit`, or remove `upfront`",
                )  # fmt: skip
        elif rent.commit % step:
            yield clash(
                root, [*place, "commit"],
                f"a commitment of {duration(float(rent.commit))} is no whole number of periods",
                ["horizon", "period" if horizon.period else "length"],
                help="choose a `period` that divides it",
            )  # fmt: skip
    acquired = pool.buy or pool.contracts or any(r.commit != "none" for r in pool.rent)
    steady = pool.owned is not None or any(r.commit == "none" for r in pool.rent)
    if pool.spare_nodes and acquired and not steady:
        yield clash(
            root, [*steps, "spare_nodes"], "spare nodes are kept of owned or rented nodes, and this pool has none",
            help="raise `replicas.spare` of the workloads instead",
        )  # fmt: skip
