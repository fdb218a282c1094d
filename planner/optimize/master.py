"""The integer master: exactly one assignment per copy, over the assignments known so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.optimize.bound import Assignment
from planner.optimize.extract import set_switches
from planner.optimize.linear import LinearModel, row
from planner.optimize.linking import Linked


@dataclass(slots=True)
class Master:
    """The model and the way back to the exact model's columns."""

    model: LinearModel
    assignments: Sequence[Assignment]
    link: Linked
    supply: list[int]
    """Master column of each supply column."""

    def expand(self, values: Sequence[int]) -> list[int]:
        """Values of the exact model's pick, unserved and supply columns, switches included."""
        build = self.link.build
        full = [0] * len(build.model.names)
        for at, assignment in enumerate(self.assignments):
            if not values[at]:
                continue
            unserved = build.unserved[assignment.demand]
            if assignment.unserved and unserved is not None:
                full[unserved] += values[at]
            for pick, count in assignment.counts:
                full[build.picks[assignment.demand][pick]] += count * values[at]
        for column, at in zip(self.link.supply_columns, self.supply, strict=True):
            full[column] = values[at]
        set_switches(build, full)
        return full

    def values_of(self, held: Sequence[Assignment], plan: Sequence[int]) -> list[int]:
        """Values of this model's columns for a plan whose assignments `held` are all in it."""
        values = [0] * len(self.model.names)
        place = {assignment: at for at, assignment in enumerate(self.assignments)}
        for assignment in held:
            values[place[assignment]] += 1
        for column, at in zip(self.link.supply_columns, self.supply, strict=True):
            values[at] = plan[column]
        return values


def assignments_in(link: Linked, plan: Sequence[int]) -> list[Assignment]:
    """The assignments of all copies of all demands."""
    return [
        a for number in range(len(link.build.demands)) for a in assignments_of(link, number, plan)
    ]


def assignments_of(link: Linked, number: int, plan: Sequence[int]) -> list[Assignment]:
    """Assignments of the copies of one demand: only single replicas come in several copies."""
    build = link.build
    demand = build.demands[number]
    counts = tuple((at, plan[c]) for at, c in enumerate(build.picks[number]) if plan[c])
    idle = build.unserved[number]
    unserved = 0 if idle is None else plan[idle]
    found = [Assignment(number, (), unserved=True)] * unserved
    if demand.single:
        return found + [Assignment(number, ((at, 1),)) for at, n in counts for _ in range(n)]
    return found + ([Assignment(number, counts)] if counts else [])


def integer_master(link: Linked, assignments: Sequence[Assignment]) -> Master:
    """Choice rows, the linking rows, and for each demand and supply the nodes its assignment needs at least.

    The last family is implied in integers and tightens the linear relaxation a lot: nodes are whole, and no
    assignment can use a fraction of the nodes it stands on.
    """
    build = link.build
    model = LinearModel()
    owners: dict[int, list[int]] = {}
    rows: list[list[tuple[int, int]]] = [[] for _ in link.right]
    for assignment in assignments:
        demand = build.demands[assignment.demand]
        at = model.column(f"assignment[{demand.label}]", 0, len(demand.copies))
        owners.setdefault(assignment.demand, []).append(at)
        picks = link.picks[assignment.demand]
        cost = sum(picks[p].cost * n for p, n in assignment.counts)
        if cost:
            model.objective[at] = cost
        for pick, count in assignment.counts:
            for one, coefficient in picks[pick].uses:
                rows[one].append((at, coefficient * count))
        if assignment.unserved:
            for one, coefficient in link.unserved[assignment.demand]:
                rows[one].append((at, coefficient))
    supply = []
    for column, uses in zip(link.supply_columns, link.supply_uses, strict=True):
        inner = build.model
        at = model.column(inner.names[column], inner.lows[column], inner.highs[column])
        supply.append(at)
        if cents := inner.objective.get(column, 0):
            model.objective[at] = cents
        for one, coefficient in uses:
            rows[one].append((at, coefficient))
    for number, demand in enumerate(build.demands):
        terms = [(at, 1) for at in owners.get(number, [])]
        copies = len(demand.copies)
        model.add(row(f"choice[{demand.label}]", "choice", terms, low=copies, high=copies))
    own = link.first_standing
    for terms, right, name in zip(rows[:own], link.right[:own], link.names[:own], strict=True):
        model.add(row(name, "link", terms, high=right))
    master = Master(model, assignments, link, supply)
    # A relaxation that has no rows of this kind, and breaks no rounding row either, is tight without.
    if link.first_standing < len(link.right):
        _add_standing_rows(master)
    return master


def _add_standing_rows(master: Master) -> None:
    """Nodes that one copy's shared replicas stand on <= shared nodes, per demand and supply."""
    build = master.link.build
    column_of = dict(zip(master.link.supply_columns, master.supply, strict=True))
    standing: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for at, assignment in enumerate(master.assignments):
        demand = build.demands[assignment.demand]
        if len(demand.copies) > 1:
            continue
        for supply, nodes in nodes_needed(master.link, assignment).items():
            standing.setdefault((assignment.demand, supply), []).append((at, nodes))
    for (number, supply), terms in standing.items():
        shared = build.shared[supply]
        if shared is not None and len(terms) > 0:
            name = f"standing[{build.demands[number].label},{supply}]"
            terms.append((column_of[shared], -1))
            master.model.add(row(name, "standing", terms, high=0))


def nodes_needed(link: Linked, assignment: Assignment) -> dict[int, int]:
    """Shared nodes that one assignment needs at least, per supply: GPUs over node size, rounded up."""
    build = link.build
    demand = build.demands[assignment.demand]
    gpus: dict[int, int] = {}
    for at, count in assignment.counts:
        pick = demand.picks[at]
        if not pick.facts.gpus:
            continue
        size = build.problem.supplies[pick.facts.supply].node_gpus
        places = size // pick.facts.gpus
        lots = count * pick.replicas
        for supply in pick.facts.supplies:
            if len(assignment.counts) == 1:
                gpus[supply] = max(gpus.get(supply, 0), -(-lots // places) * size)
            else:
                gpus[supply] = gpus.get(supply, 0) + lots * pick.facts.gpus
    return {
        supply: -(-total // build.problem.supplies[supply].node_gpus)
        for supply, total in gpus.items()
    }
