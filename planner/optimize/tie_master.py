"""The canonical plan chosen over assignments: few columns, since only those a cheapest plan can use remain."""

from __future__ import annotations

from collections.abc import Iterator

from planner.optimize.backend import Verdict, run_cp_sat
from planner.optimize.branching import Search
from planner.optimize.enumerate import within_slack
from planner.optimize.flat import PRICE_SCALE
from planner.optimize.linear import row
from planner.optimize.master import Master, integer_master
from planner.optimize.rounds import Budget
from planner.optimize.ties import content_rank

ASSIGNMENTS_MOST = 8000


def canonical(search: Search, cost: int, budget: Budget) -> tuple[int, ...] | None:
    """Values of the exact model for the canonical plan of this proven cost; None where work runs out.

    A plan of least cost uses only assignments priced within cost - bound of their demand's cheapest.
    """
    if search.root is None or search.root.best is None:
        return None
    search.pricer.narrow({})
    slack = cost * PRICE_SCALE - search.root.best.bound_scaled
    useful = within_slack(search.pricer, search.root.best, slack, ASSIGNMENTS_MOST)
    if useful is None:
        return None
    master = integer_master(search.link, useful)
    model = master.model
    model.add(row("cost", "cost", list(model.objective.items()), high=cost))
    values: tuple[int, ...] | None = None
    for name, objective in _objectives(master):
        if not objective:
            continue
        model.objective = objective
        answer = run_cp_sat(
            model,
            deterministic_limit=budget.left,
            wall_limit_s=budget.wall_left_s,
            hint=None if values is None else values + (1,) * (len(model.names) - len(values)),
            stop=budget.stop,
        )
        budget.used += answer.deterministic_time
        if answer.verdict is not Verdict.OPTIMAL or answer.values is None:
            return None
        values = answer.values
        high = model.evaluate(values)
        model.add(row(f"tie[{name}]", "ties", objective.items(), high=high))
    return None if values is None else tuple(master.expand(values))


def _objectives(master: Master) -> Iterator[tuple[str, dict[int, int]]]:
    """The tie rules of `ties`, as sums over assignments."""
    build = master.link.build
    preference: dict[int, int] = {}
    gpus: dict[int, int] = {}
    content: dict[int, int] = {}
    for at, assignment in enumerate(master.assignments):
        demand = build.demands[assignment.demand]
        for number, count in assignment.counts:
            pick = demand.picks[number]
            node = build.problem.supplies[pick.facts.supply].node_gpus
            replicas = count * pick.replicas
            each = pick.facts.gpus + pick.facts.whole_nodes * node
            each *= len(pick.facts.supplies)
            preference[at] = preference.get(at, 0) + replicas * pick.facts.preference
            gpus[at] = gpus.get(at, 0) + replicas * each
            content[at] = content.get(at, 0) + replicas * content_rank(demand, pick)
    yield "preference", {at: value for at, value in preference.items() if value}
    yield "gpus", gpus
    yield "gpu types", dict.fromkeys(_type_columns(master), 1)
    yield "content", content


def _type_columns(master: Master) -> list[int]:
    """One Boolean column per GPU type that is 1 if any assignment uses it."""
    build, model = master.link.build, master.model
    columns: dict[str, int] = {}
    for at, assignment in enumerate(master.assignments):
        demand = build.demands[assignment.demand]
        supplies = {demand.picks[number].facts.supply for number, _ in assignment.counts}
        for gpu in sorted({build.problem.supplies[supply].gpu_type for supply in supplies}):
            if gpu not in columns:
                columns[gpu] = model.column(f"type[{gpu}]", 0, 1)
            terms = [(at, 1), (columns[gpu], -model.highs[at])]
            model.add(row(f"type[{gpu},{at}]", "types", terms, high=0))
    return list(columns.values())
