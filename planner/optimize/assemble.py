"""An outcome of the optimizer becomes a plan: assignments, placements, money to the cent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from planner.optimize.facility import pool_power_w, pool_rack_units
from planner.optimize.lanes import Key, hosts_of, minutes_of, shared_out
from planner.optimize.outcome import BlockPlan, Outcome, Status
from planner.options.asks import Ask, ServingAsk, is_job
from planner.options.build import Built
from planner.options.plan_parts import plan_layout, plan_ledger, plan_speed
from planner.options.problem import DEMAND_UNITS, Block, Candidate
from planner.options.question import ConsideredByWorkload, Question
from planner.options.records import Option
from planner.plan import schema as plan
from planner.units import from_cents


@dataclass(frozen=True, slots=True)
class _Money:
    """Cents of each (block, candidate) and idle cents of each supply; together the objective."""

    carried: dict[tuple[int, int], int]
    idle: dict[int, int]


def assemble(
    question: Question, considered: ConsideredByWorkload, built: Built, outcome: Outcome
) -> plan.Plan:
    """The plan of an outcome that has one."""
    hosts = hosts_of(built, outcome)
    cents = _split_money(question, built, outcome, hosts)
    workloads = tuple(
        _workload(question, built, outcome, cents, hosts, number)
        for number in range(len(question.asks))
    )
    assert outcome.cost_cents is not None
    assert outcome.bound_cents is not None
    total = from_cents(outcome.cost_cents)
    jobs = sum(
        (w.cost for w, a in zip(workloads, question.asks, strict=True) if is_job(a)), Decimal(0)
    )
    return plan.Plan(
        scenario=question.name,
        status=plan.Status(outcome.status.value),
        cost=plan.Cost(
            total=total,
            currency=question.currency,
            periods=(plan.Period(name="month", cost=total),),
            services=total - jobs,
            jobs=jobs,
        ),
        bound=from_cents(outcome.bound_cents),
        gap=outcome.gap,
        workloads=workloads,
        pools=_pools(question, built, outcome, cents),
        assumptions=question.assumptions,
        warnings=question.warnings,
        solve=stats(considered, outcome),
    )


def stats(considered: ConsideredByWorkload, outcome: Outcome | None) -> plan.SolveStats:
    """How many candidates there were and how the answer was found."""
    parts = [c for row in considered.values() for c in row]
    return plan.SolveStats(
        options=sum(len(c.options) + c.dominated for c in parts),
        rejected=sum(c.rejected for c in parts),
        route=outcome.route if outcome else "",
        rounds=tuple((r.name, r.value, r.bound) for r in outcome.rounds) if outcome else (),
        tie_break=outcome.tie_break_applied if outcome else False,
    )


def _gpus_held(built: Built, candidate: Candidate) -> int:
    supply = built.problem.supplies[candidate.supply]
    return candidate.gpus + candidate.whole_nodes * supply.node_gpus


def _split_money(
    question: Question, built: Built, outcome: Outcome, hosts: Mapping[Key, Key]
) -> _Money:
    """Share the price of held nodes by GPUs used, in whole cents; what nobody uses stays idle.

    Runs that take turns on the same GPUs share their price by time.
    """
    runs = [w.runs_per_horizon for w in question.wishes]
    minutes = minutes_of(built, [*hosts, *hosts.values()], runs)
    carried: dict[tuple[int, int], int] = {}
    users: dict[int, list[tuple[tuple[int, int], int]]] = defaultdict(list)
    for block_plan in outcome.plans:
        for choice in block_plan.choices:
            key = (block_plan.block, choice.candidate)
            candidate = built.problem.blocks[key[0]].candidates[key[1]]
            carried[key] = candidate.cost_cents * choice.replicas
            if not candidate.own_nodes and key not in hosts:
                gpus = _gpus_held(built, candidate) * choice.replicas
                users[candidate.supply].append((key, gpus))
    idle: dict[int, int] = {}
    for number, supply in enumerate(built.problem.supplies):
        price = supply.node_cost_cents * outcome.billed_nodes[number]
        held = supply.node_gpus * outcome.billed_nodes[number]
        holding = built.holdings.get(number)
        if holding is not None:
            price += holding.cents
            held = supply.node_gpus * holding.nodes
        left = price
        for key, gpus in users[number]:
            share = price * gpus // held if held else 0
            for one, part in shared_out(share, key, hosts, minutes).items():
                carried[one] += part
            left -= share
        idle[number] = left
        used = sum(gpus for _, gpus in users[number])
        if users[number] and used == held and left:
            # All GPUs are used: the last cents of rounding belong to the last user, not to idleness.
            carried[users[number][-1][0]] += left
            idle[number] = 0
    return _Money(carried, idle)


def _workload(
    question: Question,
    built: Built,
    outcome: Outcome,
    cents: _Money,
    hosts: Mapping[Key, Key],
    number: int,
) -> plan.PlanWorkload:
    ask = question.asks[number]
    block = built.problem.blocks[number]
    parts = []
    for choice in outcome.plans[number].choices:
        candidate = block.candidates[choice.candidate]
        key = (number, choice.candidate)
        part = _assignment(
            built, outcome, candidate, hosts.get(key, key), choice.replicas,
            from_cents(cents.carried[key]),
        )  # fmt: skip
        if key in hosts:
            part = part.model_copy(update={"turns_on": question.asks[hosts[key][0]].name})
        parts.append(part)
    return plan.PlanWorkload(
        name=ask.name,
        kind=ask.kind,
        model=ask.model.id,
        served=bool(parts),
        routing=_routing(ask, block, outcome.plans[number]),
        assignment=tuple(parts),
        cost=sum((p.cost for p in parts), Decimal("0.00")),
        defaults=question.defaults.get(ask.name, ()),
        team=question.teams.get(ask.name, ""),
    )


def _routing(ask: Ask, block: Block, block_plan: BlockPlan) -> tuple[plan.SizeShare, ...]:
    """Shares of the requests of each size, the assignments told by their place in the plan."""
    if not block_plan.shares:
        return ()
    assert isinstance(ask, ServingAsk)
    places = {c.candidate: at for at, c in enumerate(block_plan.choices)}
    return tuple(
        plan.SizeShare(
            prompt=ask.buckets[one.size].prompt,
            output=ask.buckets[one.size].output,
            share=ask.buckets[one.size].share,
            assignments=tuple(sorted(places[c] for c in one.candidates)),
            parts=one.parts,
            of=block.size_parts,
            load=block.candidates[one.candidates[0]].loads[one.size],
        )
        for one in block_plan.shares[0]
    )


def _assignment(
    built: Built,
    outcome: Outcome,
    candidate: Candidate,
    key: tuple[int, int],
    replicas: int,
    cost: Decimal,
) -> plan.Assignment:
    option = built.options[candidate.option]
    supply = built.problem.supplies[candidate.supply]
    places = _places(built, outcome, candidate.supply, key)
    if candidate.guest_of >= 0:
        places = tuple(p.model_copy(update={"gpus": p.gpus[: option.gpus]}) for p in places)
    count = replicas * (option.gpus if not candidate.own_nodes else _gpus_held(built, candidate))
    return plan.Assignment(
        pool=supply.pool,
        term=supply.term + (" for the run" if candidate.own_nodes else ""),
        gpu=supply.gpu_type,
        replicas=replicas,
        gpus=count,
        nodes=len({p.node for p in places}),
        layout=plan_layout(option.layout),
        ledger=plan_ledger(option.account),
        speed=plan_speed(option.timing),
        placement=places,
        units=candidate.units,
        busy=int(option.utilisation * DEMAND_UNITS),
        cost=cost,
        interconnect_gb_s=option.interconnect_gb_s,
        interruption=None if option.interruption is None else float(option.interruption),
    )


def _places(
    built: Built, outcome: Outcome, supply: int, key: tuple[int, int]
) -> tuple[plan.Place, ...]:
    """Nodes are numbered through all terms of a pool, owned ones first as the scenario lists them."""
    pool = built.problem.supplies[supply].pool
    offset = sum(
        outcome.nodes[i] for i, s in enumerate(built.problem.supplies[:supply]) if s.pool == pool
    )
    return tuple(
        plan.Place(replica=placed.replica, node=offset + node.index, gpus=placed.gpus)
        for node in outcome.packing[supply]
        for placed in node.placed
        if (placed.block, placed.candidate) == key
    )


def _pools(
    question: Question, built: Built, outcome: Outcome, cents: _Money
) -> tuple[plan.PlanPool, ...]:
    rows = []
    for supplier in question.suppliers:
        name = supplier.facts.name
        numbers = [i for i, s in enumerate(built.problem.supplies) if s.pool == name]
        owned = sum(t.max_nodes for t in supplier.terms if t.name.startswith("owned"))
        nodes = {i: _nodes_held(built, outcome, i) for i in numbers}
        terms = {i: built.problem.supplies[i].term for i in numbers}
        bought = sum(n for i, n in nodes.items() if terms[i] == "bought")
        rented = sum(n for i, n in nodes.items() if terms[i] not in ("owned", "bought"))
        idle = used = 0
        for i in numbers:
            idle += cents.idle[i]
            used += sum(len(p.gpus) for node in outcome.packing[i] for p in node.placed)
        cost = idle + sum(
            value
            for (block, c), value in cents.carried.items()
            if built.problem.blocks[block].candidates[c].supply in numbers
        )
        rows.append(
            plan.PlanPool(
                pool=name,
                gpu=supplier.facts.gpu.id,
                owned=owned,
                bought=bought,
                rented=rented,
                used_nodes=sum(outcome.nodes[i] for i in numbers),
                used_gpus=used,
                total_gpus=(owned + bought + rented) * supplier.facts.node_gpus,
                cost=from_cents(cost),
                idle_cost=from_cents(idle),
                power_w=pool_power_w(built, outcome, numbers),
                rack_units=pool_rack_units(built, outcome, numbers, supplier),
            )
        )
    return tuple(rows)


def _nodes_held(built: Built, outcome: Outcome, supply: int) -> int:
    """Nodes used, or all that orders give."""
    holding = built.holdings.get(supply)
    return outcome.nodes[supply] if holding is None else holding.nodes


def has_plan(outcome: Outcome) -> bool:
    """Whether the outcome holds a plan to assemble."""
    return outcome.status in (Status.PROVEN, Status.FEASIBLE)


def option_of(built: Built, block: int, candidate: int) -> Option:
    """The option behind a candidate."""
    return built.options[built.problem.blocks[block].candidates[candidate].option]
