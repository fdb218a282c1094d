"""Options and price terms become the integer problem of the optimizer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from planner.options.asks import Ask, PoolFacts, ServingAsk, TrainingAsk
from planner.options.lean import lean
from planner.options.power import GPU_ONLY, Draw
from planner.options.problem import (
    DEMAND_UNITS,
    SIZE_PARTS,
    Block,
    Candidate,
    Limit,
    Problem,
    Supply,
    Turn,
)
from planner.options.records import Considered, Option
from planner.options.spot import on_term
from planner.options.terms import (
    Energy,
    Term,
    guest_cents,
    node_cost_cents,
    node_energy_cents,
    own_nodes_cents,
    running_cents,
)
from planner.options.turns import turn_of, with_turns
from planner.units import HOUR_S

HOST_SHARES = 16
"""Host RAM is packed in sixteenths of a node."""
_OWN = " own"
"""End of the key of a candidate on nodes of its own."""


@dataclass(frozen=True, slots=True)
class Supplier:
    """A pool with its terms."""

    facts: PoolFacts
    terms: tuple[Term, ...]
    spare_nodes: int = 0
    draw: Draw = GPU_ONLY
    """Power of its nodes."""
    rack_units: int = 0
    """Rack units of a node; 0 where the scenario does not limit them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How a workload weighs against others."""

    required: bool = True
    priority: int = 1
    runs_per_horizon: int = 1
    """Runs of a job within the horizon (`every`), rounded up; 1 for services and single runs."""
    every_h: float | None = None
    """Hours between two runs of a job that recurs."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Nodes of a supply that orders or contracts give, and what they cost used or not."""

    nodes: int
    cents: int


@dataclass(frozen=True, slots=True)
class Built:
    """The problem, and the option behind each candidate."""

    problem: Problem
    options: tuple[Option, ...]
    holdings: Mapping[int, Holding] = field(default_factory=dict)
    """Supply -> what orders give it; empty in steady state."""


def build(
    asks: Sequence[Ask],
    wishes: Sequence[Wish],
    considered: Mapping[str, Sequence[Considered]],
    suppliers: Sequence[Supplier],
    energy: Energy,
    limits: Sequence[Limit] = (),
    *,
    longest_h: float = math.inf,
) -> Built:
    """The integer problem for all workloads, in the order of `asks`.

    Runs of more than `longest_h` hours are left out.
    """
    supplies: list[Supply] = []
    by_pool: dict[str, list[tuple[int, Supplier, Term]]] = {}
    for supplier in suppliers:
        entries = by_pool.setdefault(supplier.facts.name, [])
        for term in supplier.terms:
            entries.append((len(supplies), supplier, term))
            supplies.append(_supply(supplier, term, energy, first=len(entries) == 1))
    options: list[Option] = []
    blocks = []
    for ask, wish in zip(asks, wishes, strict=True):
        candidates: list[Candidate] = []
        for part in considered[ask.name]:
            for option in part.options:
                index = len(options)
                options.append(option)
                for place in by_pool[option.pool]:
                    here = on_term(ask, option, place[2])
                    if here is None or (here.timing.hours or 0.0) > longest_h:
                        continue
                    if here is not option:
                        options.append(here)
                    number = index if here is option else len(options) - 1
                    candidates += candidates_of(ask, wish, here, number, place, energy, keyed=False)
        blocks.append(_block(ask, wish, _worthwhile(ask, candidates, options, supplies)))
    if sum(isinstance(ask, TrainingAsk) for ask in asks) > 1:
        blocks = list(with_turns(blocks))
    return Built(Problem(tuple(blocks), tuple(supplies), tuple(limits)), tuple(options))


def _supply(supplier: Supplier, term: Term, energy: Energy, *, first: bool) -> Supply:
    """Power counts where energy is paid for: rented nodes stand elsewhere. Bought nodes take rack space used or not."""
    facts = supplier.facts
    return Supply(
        pool=facts.name,
        term=term.name,
        node_gpus=facts.node_gpus,
        max_nodes=term.max_nodes,
        node_cost_cents=node_cost_cents(term, energy, supplier.draw),
        gpu_type=facts.gpu.id,
        spare_nodes=supplier.spare_nodes if first else 0,
        has_host_ram=facts.host_bytes is not None,
        group=facts.name,
        base_nodes=0 if term.acquired else None,
        node_energy_cents=node_energy_cents(term, energy, supplier.draw),
        node_power_w=supplier.draw.peak_node_w if term.pays_energy else 0,
        rack_units=supplier.rack_units if term.pays_energy and not term.acquired else 0,
    )


def _worthwhile(
    ask: Ask, candidates: list[Candidate], options: Sequence[Option], supplies: Sequence[Supply]
) -> tuple[Candidate, ...]:
    """The candidates worth giving to the optimizer, under their keys; most go without one being made."""

    def key(candidate: Candidate) -> str:
        content = _key(options[candidate.option], supplies[candidate.supply].term)
        return content + _OWN if candidate.own_nodes else content

    by_size = isinstance(ask, ServingAsk) and ask.by_size
    kept = candidates if by_size else lean(candidates, key)
    return tuple(replace(candidate, key=key(candidate)) for candidate in kept)


def _block(ask: Ask, wish: Wish, candidates: tuple[Candidate, ...]) -> Block:
    serving = isinstance(ask, ServingAsk)
    bounded = ask.gpus_max is not None or (isinstance(ask, ServingAsk) and ask.replicas_max)
    return Block(
        name=ask.name,
        candidates=candidates,
        exactly_one=not serving,
        min_replicas=ask.replicas_min if isinstance(ask, ServingAsk) else 1,
        spare_replicas=ask.spare if isinstance(ask, ServingAsk) else 0,
        distinct_nodes=isinstance(ask, ServingAsk) and ask.distinct_nodes,
        same_pool=isinstance(ask, ServingAsk) and ask.same_pool,
        same_candidate=bool(serving and bounded),
        size_parts=SIZE_PARTS if isinstance(ask, ServingAsk) and ask.by_size else 0,
        whole_sizes=isinstance(ask, ServingAsk) and ask.whole_sizes,
        required=wish.required,
        priority=wish.priority,
    )


def candidates_of(
    ask: Ask,
    wish: Wish,
    option: Option,
    index: int,
    place: tuple[int, Supplier, Term],
    energy: Energy,
    *,
    keyed: bool = True,
) -> list[Candidate]:
    """One candidate in shared nodes, and for a job on rented nodes one more on nodes of its own.

    `keyed` False leaves their keys to be made later.
    """
    number, supplier, term = place
    hours = option.timing.hours
    running = running_cents(
        term, energy, supplier.draw, gpus=option.gpus, busy=option.utilisation, hours=hours,
        runs=wish.runs_per_horizon,
    )  # fmt: skip
    base = Candidate(
        key=_key(option, term.name) if keyed else "",
        supply=number,
        gpus=0 if option.nodes else option.gpus,
        whole_nodes=option.nodes,
        units=option.units,
        cost_cents=running,
        host_sixteenths=_host_share(option, supplier.facts),
        preference=option.preference,
        max_replicas=_most_replicas(ask, option),
        power_w=supplier.draw.peak_gpus_w(option.gpus) if term.pays_energy else 0,
        option=index,
        loads=option.loads,
        turn=_turn(ask, wish, option, supplier, term, energy),
    )
    if hours is None or not term.node_hour:
        return [base]
    own = _on_own_nodes(ask, wish, option, base, supplier, term)
    return [base, own] if hours <= term.hours else [own]


def _turn(
    ask: Ask, wish: Wish, option: Option, supplier: Supplier, term: Term, energy: Energy
) -> Turn | None:
    """What a training run takes of the time of GPUs it may share with others, and what it costs as a guest there."""
    hours = option.timing.hours
    if not isinstance(ask, TrainingAsk) or hours is None or option.nodes or hours > term.hours:
        return None
    cents = guest_cents(
        term, energy, supplier.draw, gpus=option.gpus, busy=option.utilisation, hours=hours,
        runs=wish.runs_per_horizon,
    )  # fmt: skip
    deadline = None if ask.deadline_s is None else ask.deadline_s / HOUR_S
    return turn_of(hours, (float(term.hours), deadline, wish.every_h), cents)


def _on_own_nodes(
    ask: Ask, wish: Wish, option: Option, base: Candidate, supplier: Supplier, term: Term
) -> Candidate:
    """A job on rented nodes that are given back when it ends; a batch fills its node with replicas."""
    assert option.timing.hours is not None
    nodes = option.nodes or 1
    hours, units, per_node = option.timing.hours, option.units, 1
    if isinstance(ask, ServingAsk):
        assert ask.deadline_s is not None
        per_node = max(1, supplier.facts.node_gpus // option.gpus)
        if base.host_sixteenths:
            per_node = max(1, min(per_node, HOST_SHARES // base.host_sixteenths))
        # Bundles of full nodes share the work evenly, so fewer hours may be billed than the deadline has.
        bundles = math.ceil(DEMAND_UNITS / (units * per_node))
        hours = hours * DEMAND_UNITS / (units * per_node * bundles)
        units = math.ceil(DEMAND_UNITS / bundles)
    cost = own_nodes_cents(term, nodes=nodes, hours=hours) * wish.runs_per_horizon
    return Candidate(
        key=base.key and base.key + _OWN,
        supply=base.supply,
        gpus=0,
        whole_nodes=nodes,
        units=units,
        cost_cents=cost,
        preference=base.preference,
        max_replicas=None if base.max_replicas is None else base.max_replicas // per_node,
        power_w=base.power_w * per_node,
        own_nodes=True,
        option=base.option,
    )


def _most_replicas(ask: Ask, option: Option) -> int | None:
    if isinstance(ask, TrainingAsk):
        return 1
    bounds = [ask.gpus_max // option.gpus] if ask.gpus_max is not None else []
    if isinstance(ask, ServingAsk) and ask.replicas_max is not None:
        bounds.append(ask.replicas_max)
    return min(bounds) if bounds else None


def _host_share(option: Option, facts: PoolFacts) -> int:
    """Sixteenths of a node's host RAM, or of its NVMe where that is the larger share.

    One share stands for both, which is the safe side: replicas that together exceed neither may be kept apart.
    """
    shares = (
        (option.host_bytes, facts.host_bytes),
        (option.nvme_bytes, facts.nvme_bytes),
    )
    return max(
        math.ceil(HOST_SHARES * need / have) if need and have else 0 for need, have in shares
    )


def _key(option: Option, term: str) -> str:
    """Content of a candidate without names of pools or workloads, for canonical ties."""
    return f"{option.account.usable_gib:.2f} {option.gpus} {term} {option.layout}"
